/** Several AuthZEN evaluations in one body: item by item what single calls answer, early ends, limits, damage. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  FLAG_EVALUATION,
  FLAG_EVALUATIONS,
  FORMAT_JSON,
  FORMAT_MSGPACK,
  STATUS_INVALID_REQUEST,
  STATUS_OK,
  STATUS_TOO_MANY_PAIRS,
} from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import { compilePolicies } from "../support/bundles.ts";
import {
  ask,
  askOne,
  type Decision,
  encodeBody,
  type Evaluation,
  evaluation,
  EVALUATION_POLICIES,
  wholeEvaluation,
} from "../support/evaluations.ts";

let bundle: Uint8Array;
let engine: Engine;

beforeAll(async () => {
  bundle = await compilePolicies(EVALUATION_POLICIES);
  engine = await Engine.load(bundle);
});

const ALICE = { type: "user", id: "alice", properties: { level: 3 } };
const DOCUMENT = { type: "document", id: "1", properties: { owner: "alice" } };

const bodyOf = (count: number): unknown => ({
  subject: ALICE,
  action: { name: "read" },
  resource: DOCUMENT,
  evaluations: Array.from({ length: count }, () => ({})),
});

/** What the parts of evaluations may be, the last ones of each not as they should be. */
const PARTS = {
  subject: [
    ALICE,
    { type: "user", id: "bob" },
    { type: "admin", id: "alice" },
    { type: "user", id: "alice", properties: { "cerbos.roles": ["user", "admin"] } },
    { type: "user" },
  ],
  action: [
    { name: "read" },
    { name: "write" },
    { name: "archive", properties: { soft: true } },
    { name: "delete", properties: { soft: true } },
    { name: "delete", properties: { soft: false } },
    {},
  ],
  resource: [
    DOCUMENT,
    { type: "document", id: "2", properties: { public: true } },
    { type: "document", id: "3", properties: { owner: "alice", "cerbos.scope": "acme" } },
    { type: "document", id: "4", properties: { owner: "bob", "cerbos.policyVersion": "v2" } },
    { type: "folder", id: "5" },
    { type: "document" },
  ],
  context: [
    {},
    { network: "office" },
    { "cerbos.includeMeta": true },
    { "cerbos.includeMeta": true, "cerbos.requestId": "r" },
    { "cerbos.includeMeta": 1 },
  ],
} as const;

const SUBJECT = '"subject":{"type":"user","id":"alice","properties":{"level":3}}';
const ACTION = '"action":{"name":"read"}';

/** An item as a body of its own, with the defaults that it does not replace. */
function alone(item: string): string {
  const defaults = [SUBJECT, ACTION].filter((part) => !item.includes(part.slice(0, part.indexOf(":"))));
  return `{${[...defaults, item.slice(1)].join(",")}`;
}

/** Items that share their first bytes, up to some point, and then go on in every way. */
const ALIKE = [
  '{"resource":{"type":"document","id":"1","properties":{"public":true}}}',
  '{"resource":{"type":"document","id":"2","properties":{"public":false}}}',
  '{"resource":{"type":"document","id":"3"}}',
  '{"resource":{"type":"document","properties":{"public":true},"id":"4"}}',
  '{"resource":{"type":"document","i\\u0064":"5","properties":{"public":true}}}',
  '{"resource":{"type":"document","future":[1],"id":"6","properties":{"public":true}},"future":{}}',
  '{"resource":{"type":"document","id":"q","properties":{"public":true}},"action":{}}',
  '{"resource":{"type":"document","id":"7","properties":{"public":true}},"action":{"name":"write"}}',
  '{"resource":{"type":"document","id":"8","properties":{"public":true}},"subject":{"type":"admin","id":"x"}}',
  '{"resource":{"type":"document","id":"an id of more than sixteen bytes","properties":{"public":true}}}',
  '{"resource":{"type":"document","id":"\\u006a","properties":{"public":true}}}',
  '{"resource":{"type":"document","id":"k","properties":null}}',
  '{"resource":{"type":"document","id":"","properties":{"public":true}}}',
  '{"resource":{"type":"document","id":"l","properties" :{"public":true}}}',
  '{"resource":{"type":"document","id":"m","properties":{"public":true},"id":"n"}}',
  '{"resource":{"type":"document","id":"o","properties":{"public":true},"properties":{}}}',
  '{"resource":{"type":"document","id":"p","properties":{"public":true}}x',
  '{"resource":{"type":"document"}}',
  '{"resource":{"type":"document","id":9}}',
  '{"resource":{"type":"document","id":"a"},"resource":{"type":"document","id":"b"}}',
  '{"resource":{"type":"document","type":"folder","id":"c"}}',
  '{"resource":{"type":"document","id":"d"',
  '{"resource":{"type":"documents","id":"e"}}',
  '{"resource":{"type":"docum\\u0065nt","id":"f","properties":{"public":true}}}',
  '{ "resource":{"type":"document","id":"g","properties":{"public":true}}}',
  '{"action":{"name":"write"},"resource":{"type":"document","id":"h","properties":{"owner":"alice"}}}',
  '{"resource":{"id":"i","type":"document","properties":{"public":true}}}',
];

function answerText(body: string, flags: number): { readonly status: number; readonly text: string } {
  const status = engine.decide(new TextEncoder().encode(body), FORMAT_JSON, FORMAT_JSON, flags);
  return { status, text: status === STATUS_OK ? new TextDecoder().decode(engine.output()) : "" };
}

const SEMANTICS = ["execute_all", "deny_on_first_deny", "permit_on_first_permit"] as const;

describe("evaluations", () => {
  it("are answered item by item as single calls", () => {
    let several = 0;
    fc.assert(
      fc.property(
        evaluation,
        fc.array(evaluation, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(FORMAT_JSON, FORMAT_MSGPACK),
        (defaults, items, format) => {
          const { status, answer } = ask(engine, { ...defaults, evaluations: items }, format);
          if (status !== STATUS_OK) {
            expect(status).toBe(STATUS_INVALID_REQUEST);
            return;
          }
          const { evaluations } = answer as { evaluations: readonly Decision[] };
          expect(evaluations).toHaveLength(items.length);
          for (const [index, item] of items.entries()) {
            const single = askOne(engine, merged(defaults, item), format);
            if (single === null)
              expect(evaluations[index]).toMatchObject({
                decision: false,
                context: { error: { status: 400 } },
              });
            else expect(evaluations[index]).toEqual(single);
            several++;
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(several).toBeGreaterThan(2000);
  });

  it("are answered as single calls when neighbours share all parts but one", () => {
    const parts = Object.keys(PARTS) as (keyof typeof PARTS)[];
    const changed = fc.oneof(
      ...parts.map((part) => fc.record({ [part]: fc.constantFrom<unknown>(...PARTS[part]) })),
      fc.constant({}),
    );
    // The last ones of each would void the whole body.
    const shared = fc.record(
      Object.fromEntries(parts.map((part) => [part, fc.constantFrom<unknown>(...PARTS[part].slice(0, -1))])),
    );
    fc.assert(
      fc.property(
        shared,
        fc.array(changed, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(FORMAT_JSON, FORMAT_MSGPACK),
        (defaults: Evaluation, items: readonly Evaluation[], format) => {
          const { answer } = ask(engine, { ...defaults, evaluations: items }, format);
          const { evaluations } = answer as { evaluations: readonly Decision[] };
          for (const [index, item] of items.entries()) {
            const single = askOne(engine, { ...defaults, ...item }, format);
            if (single === null)
              expect(evaluations[index]?.context).toMatchObject({ error: { status: 400 } });
            else expect(evaluations[index]).toEqual(single);
          }
        },
      ),
      { numRuns: 2000, seed: 4 },
    );
  });

  it("keep apart what has the same ids and different properties", () => {
    const items = [
      { public: true },
      { public: false },
      { public: true, locked: true },
      {},
      { public: true },
    ].map((properties) => ({
      resource: { type: "document", id: "same", properties },
    }));
    const subjects = [3, 1, 2].map((level) => ({
      subject: { ...ALICE, properties: { level } },
      action: { name: "write" },
      resource: DOCUMENT,
    }));
    const { answer } = ask(engine, {
      subject: ALICE,
      action: { name: "read" },
      evaluations: [...items, ...subjects],
    });
    expect(
      (answer as { evaluations: readonly Decision[] }).evaluations.map(({ decision }) => decision),
    ).toEqual([true, false, false, false, true, true, false, true]);
  });

  it("end early where the semantic says so, with the deciding item as the last", () => {
    fc.assert(
      fc.property(
        fc.array(wholeEvaluation, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(...SEMANTICS),
        (items, semantic) => {
          const decisions = items.map((item) => askOne(engine, item)?.decision ?? false);
          const end =
            semantic === "execute_all" ? -1 : decisions.indexOf(semantic === "permit_on_first_permit");
          for (const name of ["evaluations_semantic", "evaluationsSemantic"]) {
            const before = engine.partFacts().decisions;
            expect(before).toBeGreaterThanOrEqual(0);
            const { answer } = ask(engine, { evaluations: items, options: { [name]: semantic, other: 1 } });
            const answered = (answer as { evaluations: readonly Decision[] }).evaluations.map(
              ({ decision }) => decision,
            );
            expect(answered).toEqual(end === -1 ? decisions : decisions.slice(0, end + 1));
            // Really early: what is not answered is not decided either.
            expect(engine.partFacts().decisions).toBe(answered.length);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("that begin alike are read as if they stood alone", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ALIKE), { minLength: 2, maxLength: 7 }), (items) => {
        const rest = items.map((item) => answerText(alone(item), FLAG_EVALUATION));
        const together = answerText(
          `{${SUBJECT},${ACTION},"evaluations":[${items.join(",")}]}`,
          FLAG_EVALUATIONS,
        );
        // What makes a body unreadable makes the batch unreadable; what is wrong with one item is that item's.
        if (rest.some(({ status }) => status !== STATUS_OK && status !== STATUS_INVALID_REQUEST)) {
          expect(together.status).not.toBe(STATUS_OK);
          return;
        }
        const single = rest.map(({ status, text }) =>
          status === STATUS_OK ? JSON.parse(text) : { decision: false },
        );
        expect(JSON.parse(together.text)).toMatchObject({ evaluations: single });
      }),
      { numRuns: 3000 },
    );
  });

  it("that begin alike are read as if they stood alone in msgpack, too", () => {
    const readable = ALIKE.filter((item) => item.endsWith("}}")).map((item): Evaluation => JSON.parse(item));
    const defaults: Evaluation = JSON.parse(`{${SUBJECT},${ACTION}}`);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...readable), { minLength: 2, maxLength: 7 }), (items) => {
        const { answer } = ask(engine, { ...defaults, evaluations: items }, FORMAT_MSGPACK);
        const single = items.map(
          (item) => askOne(engine, merged(defaults, item), FORMAT_MSGPACK) ?? { decision: false },
        );
        expect(answer).toMatchObject({ evaluations: single });
      }),
      { numRuns: 2000 },
    );
  });

  it("without any item are one evaluation", () => {
    const single = { subject: { type: "admin", id: "x" }, action: { name: "read" }, resource: DOCUMENT };
    for (const evaluations of [undefined, [], null]) {
      expect(ask(engine, { ...single, evaluations }).answer).toEqual({ decision: true });
    }
    expect(ask(engine, { ...single, subject: undefined, evaluations: [] }).status).toBe(
      STATUS_INVALID_REQUEST,
    );
  });

  it("are refused as a whole for what concerns the whole", () => {
    const item = { subject: ALICE, action: { name: "read" }, resource: DOCUMENT };
    for (const part of [
      { options: 3 },
      { options: { evaluations_semantic: "all" } },
      { options: { evaluations_semantic: 1 } },
      { evaluations: {} },
      { subject: { type: "user" } },
      { context: [] },
    ]) {
      expect(ask(engine, { evaluations: [item], ...part }).status).toBe(STATUS_INVALID_REQUEST);
    }
  });

  it("are limited as checks are", async () => {
    const small = await Engine.load(bundle, { maxActionsPerResource: 2, maxResourcesPerRequest: 3 });
    expect(ask(small, bodyOf(6)).status).toBe(STATUS_OK);
    expect(ask(small, bodyOf(7)).status).toBe(STATUS_TOO_MANY_PAIRS);
    expect(ask(small, bodyOf(7), FORMAT_MSGPACK).status).toBe(STATUS_TOO_MANY_PAIRS);
  });
});

describe("a damaged body", () => {
  const body = {
    subject: {
      type: "user",
      id: "alice",
      properties: { level: 3, "cerbos.roles": ["user"], "cerbos.scope": "acme" },
    },
    action: { name: "write", properties: { soft: true } },
    context: { network: "office", "cerbos.includeMeta": true, "cerbos.requestId": "r" },
    evaluations: [
      { resource: DOCUMENT },
      { resource: { type: "document", id: "2", properties: { readers: ["alice"] } } },
    ],
    options: { evaluations_semantic: "execute_all" },
  };

  it("is refused when it is cut anywhere", () => {
    for (const format of [FORMAT_JSON, FORMAT_MSGPACK]) {
      const bytes = encodeBody(body, format);
      expect(engine.decide(bytes, format, format, FLAG_EVALUATIONS)).toBe(STATUS_OK);
      for (let length = 0; length < bytes.byteLength; length++) {
        expect(engine.decide(bytes.subarray(0, length), format, format, FLAG_EVALUATIONS)).not.toBe(
          STATUS_OK,
        );
      }
    }
    expect(engine.traps).toBe(0);
  });

  it("never makes the guest trap", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(FORMAT_JSON, FORMAT_MSGPACK),
        fc.array(fc.tuple(fc.nat(1000), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.constantFrom(FLAG_EVALUATION, FLAG_EVALUATIONS),
        (format, edits, flags) => {
          const bytes = Uint8Array.from(encodeBody(body, format));
          for (const [place, byte] of edits) bytes[place % bytes.byteLength] = byte;
          engine.decide(bytes, format, format, flags);
          expect(engine.traps).toBe(0);
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

/** A context that is `null` is one that is not given (docs/authzen.md). */
function merged(defaults: Evaluation, { context, ...rest }: Evaluation): Evaluation {
  const own = context === undefined || context === null ? {} : { context };
  return { ...defaults, ...rest, ...own };
}
