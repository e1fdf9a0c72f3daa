/** A request decided in parts is answered as one decided whole, byte for byte; what cannot be divided is decided whole. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { TokenVerifier } from "../../../runtime/aux-data/token-verifier.ts";
import type { Engine } from "../../../runtime/index.ts";
import { BUILD_CORE, bundleOf, CORE_IS_BUILT, loadEngine } from "../../support/engines.ts";
import { auxDataOptions, inlineKeys, type SigningKey, signingKey, signToken } from "../../support/tokens.ts";
import {
  BATCH_POLICIES,
  type Encoding,
  encodeRequest,
  formatOf,
  INSTANT,
  LocalWorkers,
  shown,
  undivided,
} from "./support.ts";

/** Texts that look like the places where requests are cut. */
const text = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom(
    '},{"actions":["view"]}',
    '"resource":{',
    'a"b\\c',
    "é€😀",
    "\u0082\u00a7actions",
    '}],"principal":{}',
    "resources",
  ),
);
const name = fc.string({ minLength: 1, maxLength: 6 });
const scalar = fc.oneof(fc.boolean(), fc.integer(), fc.double({ noNaN: true }), text, fc.constant(null));
/** Entries inside of attributes, which a careless cut would take for entries. */
const fakeEntry = fc.record({
  actions: fc.array(name, { maxLength: 2 }),
  resource: fc.record({ kind: name, id: name }),
});
const attributes = fc.record(
  {
    public: fc.boolean(),
    owner: fc.constantFrom("alice", "bob"),
    level: fc.integer({ min: 0, max: 9 }),
    tags: fc.array(text, { maxLength: 3 }),
    entries: fc.array(fakeEntry, { maxLength: 3 }),
    nested: fc.dictionary(name, scalar, { maxKeys: 3 }),
  },
  { requiredKeys: [] },
);
const ACTIONS = ["view", "edit", "delete", "share:publicly", "ü"];
const entry = fc.record({
  actions: fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1, maxLength: 4 }),
  resource: fc.record(
    {
      kind: fc.constantFrom("doc", "other"),
      id: text.filter((id) => id !== ""),
      attr: attributes,
      scope: fc.constant(""),
    },
    { requiredKeys: ["kind", "id"] },
  ),
});
/** Entries that break a rule or a type, rarely. */
const brokenEntry: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  { actions: [], resource: { kind: "doc", id: "1" } },
  { actions: ["view", "view"], resource: { kind: "doc", id: "1" } },
  { actions: ["view"], resource: { kind: "doc", id: "" } },
  { actions: ["view"], resource: { kind: "doc", id: "1", policyVersion: "a b" } },
  { actions: ["view"], resource: { kind: 1, id: "1" } },
  { actions: ["view"], resource: { kind: "doc", id: "1" }, more: 1 },
  { actions: Array.from({ length: 9 }, (_, index) => `a${index}`), resource: { kind: "doc", id: "1" } },
  null,
  [],
  {},
);
const fields = fc.record({
  requestId: fc.option(text, { nil: undefined }),
  includeMeta: fc.option(fc.boolean(), { nil: undefined }),
  principal: fc.record({
    id: fc.constant("alice"),
    roles: fc.constant(["user"]),
    attr: fc.dictionary(
      fc.constantFrom("team", "x", "resources"),
      fc.oneof(scalar, fc.array(fakeEntry, { maxLength: 2 })),
    ),
  }),
  resources: fc.array(entry, { minLength: 1, maxLength: 30, size: "max" }),
  requestContext: fc.option(fc.constant({ annotations: { a: "b" } }), { nil: undefined }),
});
const encoding: fc.Arbitrary<Encoding> = fc.constantFrom("json", "indented", "msgpack");

/** The fields in some order, with the entries of `broken` put in. */
function requestOf(
  given: Readonly<Record<string, unknown>>,
  order: readonly number[],
  broken: readonly (readonly [number, unknown])[],
): unknown {
  const resources = [...(given["resources"] as readonly unknown[])];
  for (const [place, item] of broken) resources.splice(place % (resources.length + 1), 0, item);
  const entries = Object.entries({ ...given, resources }).filter(([, value]) => value !== undefined);
  const sorted = entries.map((item, index) => [order[index] ?? 0, item] as const).sort(([a], [b]) => a - b);
  return Object.fromEntries(sorted.map(([, item]) => item));
}

const entries = (count: number, attr: object = {}): object[] =>
  Array.from({ length: count }, (_, index) => ({
    actions: ["view", "edit"],
    resource: { kind: "doc", id: `${index}`, attr: { public: index % 3 === 0, level: index % 5, ...attr } },
  }));
const request = (count: number, more: object = {}, attr: object = {}): object => ({
  requestId: "r",
  principal: { id: "alice", roles: ["user"], attr: { team: "x" } },
  resources: entries(count, attr),
  ...more,
});

const both: readonly Encoding[] = ["json", "indented", "msgpack"];
const order = fc.array(fc.nat(9), { minLength: 5, maxLength: 5 });
const TITLE = CORE_IS_BUILT ? "a divided request" : `a divided request (${BUILD_CORE})`;

describe.skipIf(!CORE_IS_BUILT)(TITLE, () => {
  let key: SigningKey;
  let engine: Engine;
  let workers: LocalWorkers;
  beforeAll(async () => {
    key = await signingKey("ES256", "k");
    engine = await loadEngine(await bundleOf(BATCH_POLICIES), {
      maxActionsPerResource: 8,
      maxResourcesPerRequest: 45,
      maxPairsPerRequest: 100,
      clock: () => INSTANT,
      tokens: await TokenVerifier.start(auxDataOptions(inlineKeys(key.jwk))),
    });
    workers = new LocalWorkers(engine);
  });

  it("is answered as one that is not divided, refusals included", async () => {
    let divided = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fields,
        order,
        fc.oneof(
          { weight: 3, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.tuple(fc.tuple(fc.nat(40), brokenEntry)) },
        ),
        encoding,
        fc.boolean(),
        fc.integer({ min: 2, max: 5 }),
        async (given, places, broken, how, outputJson, parts) => {
          const bytes = encodeRequest(requestOf(given, places, broken), how);
          const input = formatOf(how);
          const output = outputJson ? FORMAT_JSON : input;
          const answer = await workers.decide(bytes, input, output, parts);
          const pieces = answer.kind === "decided" ? answer.pieces.length : 0;
          if (pieces > 1) divided++;
          if (answer.kind === "refused") refused++;
          expect(shown(answer, output)).toEqual(undivided(engine, bytes, input, output));
        },
      ),
      { numRuns: 600 },
    );
    expect(divided).toBeGreaterThan(60);
    expect(refused).toBeGreaterThan(30);
  }, 240_000);

  it("is answered as one that is not divided when bytes of it are damaged", async () => {
    await fc.assert(
      fc.asyncProperty(
        fields,
        order,
        encoding,
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
        fc.option(fc.nat(), { nil: undefined }),
        async (given, places, how, changes, length) => {
          const whole = encodeRequest(requestOf(given, places, []), how);
          for (const [place, byte] of changes) whole[place % whole.length] = byte;
          const bytes = length === undefined ? whole : whole.subarray(0, length % whole.length);
          const input = formatOf(how);
          const answer = await workers.decide(bytes, input, input, 3);
          expect(shown(answer, input)).toEqual(undivided(engine, bytes, input, input));
        },
      ),
      { numRuns: 600 },
    );
    expect(workers.failures).toEqual([]);
  }, 240_000);

  it.each(both)("is in as many parts as it may be (%s)", async (how) => {
    const bytes = encodeRequest(request(40), how);
    for (const more of [{}, { includeMeta: true }, { auxData: {}, includeMeta: false }]) {
      const longer = encodeRequest(request(40, more), how);
      const answer = await workers.decide(longer, formatOf(how), formatOf(how), 4);
      expect(answer.kind === "decided" && answer.pieces.length).toBe(4);
    }
    expect(workers.results.map(({ kind }) => kind)).toEqual(["decided", "decided", "decided", "decided"]);
    expect(new Set(workers.tasks.map(({ now }) => now))).toEqual(new Set([INSTANT]));
    expect(bytes.byteLength).toBeGreaterThan(1000);
  });

  it.each(both)("sees the claims of its tokens in every part (%s)", async (how) => {
    const token = await signToken(key, { level: 3 });
    const bytes = encodeRequest(request(40, { auxData: { jwt: { token } } }), how);
    const format = formatOf(how);
    for (const parts of [4, 1]) {
      const answer = await workers.decide(bytes, format, format, parts);
      const claims = new TextEncoder().encode('{"jwt":{"level":3}}');
      expect(answer.kind === "decided" && answer.pieces.length).toBe(parts);
      expect(shown(answer, format)).toEqual(undivided(engine, bytes, format, format, claims));
    }
    const bad = encodeRequest(request(40, { auxData: { jwt: { token: "a.b.c" } } }), how);
    await expect(workers.decide(bad, format, format, 4)).rejects.toThrow("invalid auxData");
  });

  it.each([
    ["resources", 46, "number of resources in batch (46) exceeds configured limit (45)"],
    ["pairs", 45, "number of resource and action pairs in batch (135) exceeds configured limit (100)"],
  ])("keeps the limit of %s that holds for all parts together", async (_, count, message) => {
    const asked = request(count) as { resources: { actions: string[] }[] };
    if (count === 45) for (const { actions } of asked.resources) actions.push("delete");
    for (const how of ["json", "msgpack"] as const) {
      const format = formatOf(how);
      const answer = await workers.decide(encodeRequest(asked, how), format, format, 4);
      expect(answer).toMatchObject({ kind: "refused", reply: { status: "400 Bad Request" } });
      expect(JSON.stringify(answer)).toContain(message);
      expect(workers.results.slice(0, 4).map(({ kind }) => kind)).toEqual(Array(4).fill("decided"));
    }
  });

  it("is denied whole when its conditions use up the budget, in one part or in all together", async () => {
    const asked = request(40, {}, { tags: Array.from({ length: 100 }, (_, index) => `tag ${index}`) }) as {
      resources: { actions: string[] }[];
    };
    for (const one of asked.resources) one.actions = ["ponder"];
    const answer = await workers.decide(encodeRequest(asked, "json"), FORMAT_JSON, FORMAT_JSON, 2);
    expect(answer).toMatchObject({ kind: "decided", denied: true });
    const response = answer.kind === "decided" ? Buffer.concat(answer.pieces).toString() : "";
    expect(response.match(/EFFECT_DENY/g)).toHaveLength(40);
    expect(response).not.toContain("EFFECT_ALLOW");
  });

  it("has 503 for its answer when a worker is lost, and no part of a decision", async () => {
    for (const lost of [0, 2]) {
      workers.before = (_, index) => {
        if (index === lost) throw new Error("the worker is gone");
      };
      const answer = await workers.decide(encodeRequest(request(40), "json"), FORMAT_JSON, FORMAT_JSON, 4);
      expect(answer).toMatchObject({
        kind: "refused",
        reply: { status: "503 Service Unavailable", retryAfter: 1 },
      });
    }
    workers.before = () => undefined;
  });

  it("is divided for a msgpack answer only when the request says how many entries it has", async () => {
    const answer = await workers.decide(encodeRequest(request(40), "json"), FORMAT_JSON, FORMAT_MSGPACK, 4);
    expect(answer.kind === "decided" && answer.pieces.length).toBe(1);
  });
});
