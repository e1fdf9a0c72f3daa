/**
 * Requests of several clients, decided in one call: each is answered as it is alone, whatever the others are, in both formats and of both
 * interfaces.
 */
import fc from "fast-check";
import { pack, unpack } from "msgpackr";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  FLAG_EVALUATION,
  FLAG_EVALUATIONS,
  FORMAT_JSON,
  FORMAT_MSGPACK,
  MOST_BODIES,
  STATUS_OK,
} from "../../../assembly/abi.ts";
import { BodyTable } from "../../../runtime/guest/body-table.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import { ThreadCounters, sumOfCounters, type SlotName } from "../../../runtime/observe/counters.ts";
import { timesEffort } from "../../support/effort.ts";
import { compilePolicies } from "../support/bundles.ts";
import { POLICIES } from "../support/daemon.ts";

const attr = fc.record(
  {
    public: fc.boolean(),
    flagged: fc.boolean(),
    owner: fc.constantFrom("alice", "bob", "al\nice"),
    tags: fc.array(fc.string(), { maxLength: 3 }),
    note: fc.string({ maxLength: 40, unit: "grapheme" }),
  },
  { requiredKeys: [] },
);
const kind = fc.constantFrom("album", "photo", "al/bum", "");
const actions = fc.subarray(["view", "edit", "delete", "share", "x:y"], { minLength: 1 });
/** Those of neighbours are often the same, and then read once. */
const principal = fc.oneof(
  fc.constantFrom(
    { id: "alice", roles: ["user"], attr: { department: "sales", tags: ["a", "b"] } },
    { id: "alice", roles: ["user"], attr: { department: "sales", tags: ["a", "c"] } },
    { id: "bob", roles: ["admin", "user"] },
  ),
  fc.record({
    id: fc.constantFrom("alice", "bob"),
    roles: fc.subarray(["user", "admin", "guest"], { minLength: 1 }),
    attr: fc.record({ department: fc.string({ maxLength: 8 }), tags: fc.array(fc.string()) }),
  }),
);
const check = fc.record(
  {
    requestId: fc.string({ maxLength: 8 }),
    includeMeta: fc.boolean(),
    principal,
    resources: fc.array(
      fc.record({ actions, resource: fc.record({ kind, id: fc.string({ maxLength: 9 }), attr }) }),
      { minLength: 1, maxLength: 6 },
    ),
  },
  { requiredKeys: ["principal", "resources"] },
);
const checkWith = (more: object) => check.map((one) => Object.assign({}, one, more));
/** Broken in the way that others can be, or carrying tokens, or whole. */
const checkOrNot = fc.oneof(
  { arbitrary: check, weight: 12 },
  { arbitrary: checkWith({ auxData: { jwt: { token: "a.b.c" } } }), weight: 1 },
  { arbitrary: checkWith({ unknown: [1, { a: 2 }] }), weight: 1 },
  { arbitrary: checkWith({ principal: { id: "x", roles: ["r", "r"] } }), weight: 1 },
);
const evaluation = fc.record(
  {
    subject: fc.record({
      type: fc.constant("user"),
      id: fc.constantFrom("alice", "bob"),
      properties: fc.record({ roles: fc.subarray(["user", "admin"]) }),
    }),
    action: fc.record({ name: fc.constantFrom("view", "edit") }),
    resource: fc.record({ type: kind, id: fc.string({ maxLength: 9 }), properties: attr }),
  },
  { requiredKeys: ["subject", "action"] },
);
const evaluations = fc.record(
  { subject: evaluation.map(({ subject }) => subject), evaluations: fc.array(evaluation, { maxLength: 4 }) },
  { requiredKeys: ["evaluations"] },
);

interface Body {
  readonly bytes: Buffer;
  readonly input: number;
  readonly output: number;
}

/** The body as its bytes, now and then cut or with a byte changed. */
const bodyOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<Body> =>
  fc
    .record({
      value,
      input: fc.constantFrom(FORMAT_JSON, FORMAT_MSGPACK),
      output: fc.constantFrom(FORMAT_JSON, FORMAT_MSGPACK),
      harm: fc.option(fc.tuple(fc.nat(), fc.nat({ max: 255 }), fc.boolean()), { freq: 6 }),
    })
    .map(({ value: content, input, output, harm }) => {
      const bytes = Buffer.from(input === FORMAT_JSON ? JSON.stringify(content) : pack(content));
      if (harm === null) return { bytes, input, output };
      const [place, byte, isCut] = harm;
      const at = place % bytes.byteLength;
      if (isCut) return { bytes: bytes.subarray(0, at), input, output };
      bytes[at] = byte;
      return { bytes, input, output };
    });

/** What a response says, its random call id aside. */
function said(response: Uint8Array, output: number): unknown {
  const bytes = Buffer.from(response);
  const value = (output === FORMAT_JSON ? JSON.parse(bytes.toString()) : unpack(bytes)) as Record<
    string,
    unknown
  >;
  return { ...value, cerbosCallId: "" };
}

/** A msgpack body whose parts are the given bytes, whatever they are. */
const packed = (principalBytes: Uint8Array, resourcesBytes: Uint8Array): Body => ({
  bytes: Buffer.concat([
    Buffer.from([0x82]),
    pack("principal"),
    principalBytes,
    pack("resources"),
    resourcesBytes,
  ]),
  input: FORMAT_MSGPACK,
  output: FORMAT_JSON,
});

describe("bodies that are decided together", () => {
  let engine: Engine;
  let counters: ThreadCounters;
  const table = new BodyTable();

  beforeAll(async () => {
    engine = await Engine.load(await compilePolicies(POLICIES), { clock: () => Date.UTC(2026, 10, 22) });
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

  const alone = (bodies: readonly Body[], flags: number): readonly unknown[] =>
    bodies.map(({ bytes, input, output }) => {
      const status = engine.decide(bytes, input, output, flags);
      return status === STATUS_OK ? said(engine.output(), output) : status;
    });

  const together = (bodies: readonly Body[], flags: number): readonly unknown[] => {
    let at = 0;
    for (const [index, { bytes, input, output }] of bodies.entries()) {
      table.place(index, at, bytes.byteLength, input, output);
      at += bytes.byteLength;
    }
    const all = Buffer.concat(bodies.map(({ bytes }) => bytes));
    expect(engine.decideBodies(table, all, bodies.length, flags)).toBe(true);
    return bodies.map(({ output }, index) => {
      const status = table.status(index);
      if (status !== STATUS_OK) return status;
      const start = table.responseStart(index);
      return said(engine.output().subarray(start, start + table.responseLength(index)), output);
    });
  };

  it.each([
    ["checks", checkOrNot, 0],
    ["evaluations", evaluation, FLAG_EVALUATION],
    ["lists of evaluations", evaluations, FLAG_EVALUATIONS],
  ] as const)("are answered and counted as each is alone: %s", (_, value, flags) => {
    fc.assert(
      fc.property(fc.array(bodyOf(value), { minLength: 1, maxLength: MOST_BODIES }), (bodies) => {
        const expected = alone(bodies, flags);
        const before = counted();
        expect(together(bodies, flags)).toEqual(expected);
        expect(counted().map((count, index) => count - (before[index] ?? 0))).toEqual(before);
        for (const name of COUNTED) counters.set(name, 0);
      }),
      { numRuns: timesEffort(150) },
    );
  });

  const PRINCIPAL = '{"id":"alice","roles":["admin"],"attr":{"department":"sales"}}';
  const RESOURCES = '[{"actions":["view"],"resource":{"kind":"album","id":"a1","attr":{"public":true}}}]';
  const json = (principalText: string, between = ","): Body => ({
    bytes: Buffer.from(`{"principal":${principalText}${between}"resources":${RESOURCES}}`),
    input: FORMAT_JSON,
    output: FORMAT_JSON,
  });
  const plain = json(PRINCIPAL);

  it.each([
    ["with blanks behind the principal that the one before has not", [plain, json(PRINCIPAL, " \n , ")]],
    ["without the blanks that the one before has", [json(PRINCIPAL, " , "), plain]],
    ["with a principal that goes on", [plain, json(`${PRINCIPAL}}`)]],
    ["with another principal of the same beginning", [plain, json(PRINCIPAL.replace("sales", "salad"))]],
    ["that end within the same principal", [plain, { ...plain, bytes: plain.bytes.subarray(0, 50) }, plain]],
    [
      "with the principal of another format",
      [plain, packed(Buffer.from(PRINCIPAL), pack(JSON.parse(RESOURCES)))],
    ],
    [
      "with the actions of another format",
      [
        plain,
        packed(
          pack(JSON.parse(PRINCIPAL)),
          Buffer.concat([
            Buffer.from([0x91, 0x82]),
            pack("actions"),
            Buffer.from('["view"]'),
            pack("resource"),
            pack({ kind: "album", id: "a1" }),
          ]),
        ),
      ],
    ],
    [
      "that follow one that is refused behind the principal",
      [json(PRINCIPAL, ",1"), plain, json(PRINCIPAL, ",1"), plain],
    ],
  ])("are answered as each is alone: %s", (_, bodies) => {
    const expected = alone(bodies, 0);
    expect(expected.some((one) => typeof one === "object")).toBe(true);
    expect(together(bodies, 0)).toEqual(expected);
  });
});
