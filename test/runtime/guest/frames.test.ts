/**
 * The frames of a stream's message, decided in one call: each is answered as its request is alone, up to the first that is not a plain
 * one, whatever stands before and after it.
 */
import fc from "fast-check";
import { pack, unpack, unpackMultiple } from "msgpackr";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  FORMAT_MSGPACK,
  STATUS_AUX_DATA,
  STATUS_FUEL,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import { ThreadCounters, sumOfCounters, type SlotName } from "../../../runtime/observe/counters.ts";
import { FrameReader } from "../../../runtime/stream/frames.ts";
import { compilePolicies } from "../support/bundles.ts";
import { timesEffort } from "../../support/effort.ts";
import { albumRequest, POLICIES } from "../support/daemon.ts";

const NOW = Date.UTC(2026, 10, 22);
const LONGEST = 100_000;

/** An id of each width that a message may have. */
const id = fc.oneof(
  fc.integer({ min: 0, max: 127 }).map((value) => Buffer.from([value])),
  fc.uint8Array({ minLength: 1, maxLength: 1 }).map((bytes) => Buffer.from([0xcc, ...bytes])),
  fc.uint8Array({ minLength: 2, maxLength: 2 }).map((bytes) => Buffer.from([0xcd, ...bytes])),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from([0xce, ...bytes])),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from([0xcf, ...bytes])),
);

const resource = fc.record({
  actions: fc.subarray(["view", "edit", "delete", "share", "x:y"], { minLength: 1 }),
  resource: fc.record({
    kind: fc.constantFrom("album", "photo", "al/bum", ""),
    id: fc.string({ maxLength: 40 }),
    attr: fc.record(
      { public: fc.boolean(), owner: fc.constantFrom("alice", "bob"), tags: fc.array(fc.string()) },
      { requiredKeys: [] },
    ),
  }),
});
const request = fc.record(
  {
    requestId: fc.string({ maxLength: 8 }),
    includeMeta: fc.boolean(),
    // Those of neighbours are often the same, and then read once.
    principal: fc.oneof(
      fc.constantFrom(
        { id: "alice", roles: ["user"], attr: { department: "sales" } },
        { id: "alice", roles: ["user"], attr: { department: "saled" } },
        { id: "bob", roles: ["admin", "user"] },
      ),
      fc.record({
        id: fc.constantFrom("alice", "bob"),
        roles: fc.subarray(["user", "admin", "guest"], { minLength: 1 }),
        attr: fc.record({ department: fc.string({ maxLength: 8 }) }, { requiredKeys: [] }),
      }),
    ),
    resources: fc.array(resource, { minLength: 1, maxLength: 6 }),
  },
  { requiredKeys: ["principal", "resources"] },
);
/** Mostly requests; now and then what is none, or one that carries tokens. */
const body = fc.oneof(
  { arbitrary: request.map((value) => Buffer.from(pack(value))), weight: 12 },
  { arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)), weight: 1 },
  {
    arbitrary: request.map((value) => Buffer.from(pack({ ...value, auxData: { jwt: { token: "a.b.c" } } }))),
    weight: 1,
  },
);
const frame = fc.tuple(id, body, fc.constantFrom(8, 16, 32)).map(([name, content, width]) => {
  const bits = content.byteLength > 0xff ? Math.max(width, 16) : width;
  const head = Buffer.alloc(1 + bits / 8);
  head[0] = { 8: 0xc4, 16: 0xc5, 32: 0xc6 }[bits as 8 | 16 | 32];
  head.writeUIntBE(content.byteLength, 1, bits / 8);
  return Buffer.concat([Buffer.from([0x92]), name, head, content]);
});

/** What a response says, its random call id aside. */
function said(response: Uint8Array): unknown {
  const { cerbosCallId: _, ...rest } = unpack(Buffer.from(response)) as Record<string, unknown>;
  return rest;
}

interface Outcome {
  readonly answers: readonly (readonly [id: string, response: unknown])[];
  readonly status: number;
  /** How many bytes were decided. */
  readonly end: number;
}

const reader = new FrameReader();

/** One frame after the other, each by a call of its own. */
function oneByOne(engine: Engine, message: Uint8Array, most: number): Outcome {
  const answers: (readonly [string, unknown])[] = [];
  let at = 0;
  while (answers.length < most && at < message.byteLength) {
    const next = reader.read(message, at);
    if (next < 0 || !reader.isBin) break;
    const bytes = message.subarray(reader.bodyStart, reader.bodyEnd);
    if (bytes.byteLength > LONGEST) break;
    const status = engine.decide(bytes, FORMAT_MSGPACK, FORMAT_MSGPACK, 0);
    if (status !== STATUS_OK) return { answers, status, end: at };
    answers.push([
      Buffer.from(message.subarray(reader.idStart, reader.idEnd)).toString("hex"),
      said(engine.output()),
    ]);
    at = next;
  }
  return { answers, status: STATUS_OK, end: at };
}

/** The same in one call. */
function together(engine: Engine, message: Uint8Array, most: number): Outcome {
  const status = engine.decideFrames(message, most, LONGEST);
  const output = Buffer.from(engine.output());
  const answers: (readonly [string, unknown])[] = [];
  for (let at = 0; at < output.byteLength;) {
    const next = reader.read(output, at);
    if (next < 0 || !reader.isBin) throw new Error("what is answered is no frame");
    answers.push([
      output.toString("hex", reader.idStart, reader.idEnd),
      said(output.subarray(reader.bodyStart, reader.bodyEnd)),
    ]);
    at = next;
  }
  expect(answers).toHaveLength(engine.framesDecided);
  return { answers, status, end: engine.framesEnd };
}

/** A request whose condition looks at all combinations of four of `count` numbers. */
const heavyRequest = (count: number): Buffer =>
  pack({
    principal: { id: "alice", roles: ["user"] },
    resources: [
      {
        actions: ["view"],
        resource: { kind: "doc", id: "1", attr: { l: Array.from({ length: count }, (_, at) => at) } },
      },
    ],
  });

describe("the frames of a message", () => {
  let engine: Engine;
  let counters: ThreadCounters;

  beforeAll(async () => {
    engine = await Engine.load(await compilePolicies(POLICIES), { clock: () => NOW });
  });

  beforeEach(() => {
    counters = new ThreadCounters();
    engine.observer = counters;
  });

  const COUNTED = [
    "decided",
    "decisions",
    "allowed",
    "conditionErrors",
  ] as const satisfies readonly SlotName[];
  const counted = (): readonly number[] => COUNTED.map((name) => sumOfCounters(counters.all, name));

  it("are answered as each is alone, up to the first that is not decided, and counted alike", () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 12 }),
        fc.uint8Array({ maxLength: 6 }),
        fc.integer({ min: 1, max: 14 }),
        (frames, rest, most) => {
          const message = Buffer.concat([...frames, rest]);
          const expected = oneByOne(engine, message, most);
          const alone = counted();
          expect(together(engine, message, most)).toEqual(expected);
          expect(counted().map((count, index) => count - (alone[index] ?? 0))).toEqual(alone);
          for (const name of COUNTED) counters.set(name, 0);
        },
      ),
      { numRuns: timesEffort(400) },
    );
  });

  it("end where a frame does not end, at every byte", () => {
    const whole = Buffer.concat([1, 2].map((one) => pack([one, pack(albumRequest())])));
    const first = whole.byteLength / 2;
    for (let length = 0; length <= whole.byteLength; length++) {
      expect(engine.decideFrames(whole.subarray(0, length), 9, LONGEST)).toBe(STATUS_OK);
      const decided = Math.floor(length / first);
      expect([engine.framesDecided, engine.framesEnd]).toEqual([decided, decided * first]);
      const output = Buffer.from(engine.output());
      expect(decided === 0 ? output : unpackMultiple(output)).toHaveLength(decided);
    }
  });

  it("leave alone a request that is too long, and a response that is", () => {
    const small = pack([1, pack(albumRequest())]);
    expect(engine.decideFrames(Buffer.concat([small, small]), 9, small.byteLength)).toBe(STATUS_OK);
    expect(engine.framesDecided).toBe(2);
    expect(engine.decideFrames(small, 9, 10)).toBe(STATUS_OK);
    expect([engine.framesDecided, engine.framesEnd, engine.output().byteLength]).toEqual([0, 0, 0]);
    const resources = Array.from({ length: 50 }, (_, index) => ({
      actions: ["view"],
      resource: { kind: "album", id: `${index}`.padStart(2000, "x") },
    }));
    const large = pack([2, pack({ principal: { id: "alice", roles: ["user"] }, resources })]);
    expect(engine.decideFrames(Buffer.concat([small, large, small]), 9, 1_000_000)).toBe(STATUS_OUTPUT_FULL);
    expect([engine.framesDecided, engine.framesEnd]).toEqual([1, small.byteLength]);
  });

  it("say where what is wrong with a request is, counted from its beginning", () => {
    const good = pack([1, pack(albumRequest())]);
    const wrong = Buffer.from(pack({ ...albumRequest(), nobody: 1 }));
    const message = Buffer.concat([good, pack([2, wrong])]);
    const status = engine.decideFrames(message, 9, LONGEST);
    const failure = engine.failure(status, wrong, FORMAT_MSGPACK);
    const alone = engine.failure(
      engine.decide(wrong, FORMAT_MSGPACK, FORMAT_MSGPACK, 0),
      wrong,
      FORMAT_MSGPACK,
    );
    expect(failure.message).toMatch(/nobody/);
    expect(failure.message).toBe(alone.message);
    expect(engine.framesEnd).toBe(good.byteLength);
  });

  it("have a budget each", async () => {
    const heavy = await Engine.load(
      await compilePolicies({
        "doc.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          expr: R.attr.l.all(a, R.attr.l.all(b, R.attr.l.all(c, R.attr.l.all(d, a + b + c + d >= 0.0))))
`,
      }),
      { clock: () => NOW },
    );
    const message = Buffer.concat([20, 20, 90].map((count, at) => pack([at, heavyRequest(count)])));
    // What takes long is not decided in the same call, so that the host can look at the clock.
    for (let rest = message, decided = 0; decided < 2; decided++) {
      expect(heavy.decideFrames(rest, 9, LONGEST)).toBe(STATUS_OK);
      expect(heavy.framesDecided).toBe(1);
      expect(Buffer.from(heavy.output()).toString("latin1")).toMatch(/EFFECT_ALLOW/);
      rest = rest.subarray(heavy.framesEnd);
      if (decided === 1) expect(heavy.decideFrames(rest, 9, LONGEST)).toBe(STATUS_FUEL);
    }
    expect(heavy.framesDecided).toBe(0);
  });

  it("are asked for one by one while more is wanted of them than answers", () => {
    expect(engine.decidesTogether(0)).toBe(true);
    engine.denies = true;
    expect(engine.decidesTogether(0)).toBe(false);
    engine.denies = false;
    counters.tap = { offer: () => undefined };
    expect(engine.decidesTogether(0)).toBe(false);
    counters.tap = null;
    const tokens = pack([1, pack({ ...albumRequest(), auxData: { jwt: { token: "a.b.c" } } })]);
    expect(engine.decideFrames(tokens, 9, LONGEST)).toBe(STATUS_AUX_DATA);
  });
});
