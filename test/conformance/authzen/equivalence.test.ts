/**
 * Properties of evaluations that hold for every request, against `edict serve`: a batch answers what single evaluations answer, item by item;
 * an early exit is the beginning of the whole answer; the directory's properties count as if the request had them; AuthZEN and Cerbos's API decide
 * alike; JSON and msgpack say the same.
 */
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory, writeFiles } from "../../runtime/support/daemon.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon, type Daemon } from "../../support/daemon.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
    - actions: [read]
      effect: EFFECT_ALLOW
      roles: [user, editor]
      condition:
        match:
          expr: R.attr.owner == P.id || R.attr.status == "public"
    - actions: [read]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: has(P.attr.blocked) && P.attr.blocked
    - actions: [write]
      effect: EFFECT_ALLOW
      roles: [editor]
      condition:
        match:
          expr: R.attr.owner == P.id || P.attr.level > 3
    - actions: [move]
      effect: EFFECT_ALLOW
      roles: [user, editor]
      condition:
        match:
          expr: request.context.zone == R.attr.zone
    - actions: [delete]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition:
        match:
          expr: request.action.properties.soft == true && request.action.name == "delete"
`;

const RUNS = 60;

type Properties = Readonly<Record<string, unknown>>;
interface Decision {
  readonly decision: boolean;
  readonly context?: { readonly error?: { readonly status: number; readonly message: string } };
}
interface Item {
  readonly subject?: unknown;
  readonly action?: unknown;
  readonly resource?: unknown;
  readonly context?: unknown;
}

const PEOPLE = ["alice", "bob", "zoë"];

/** Few ids and many properties, so that items have the same ids and different properties. */
const ROLES: readonly unknown[] = ["editor", ["editor"], ["viewer", "user"]];
const subjectProperties = fc.record(
  {
    "cerbos.roles": fc.constantFrom(...ROLES),
    blocked: fc.constantFrom<unknown>(true, false, "yes", null),
    level: fc.constantFrom<unknown>(1, 4, 3.5, "4"),
    deep: fc.constant({ a: [{ b: null }] }),
  },
  { requiredKeys: [] },
);
const resourceProperties = fc.record(
  {
    owner: fc.constantFrom<unknown>(...PEOPLE, 1),
    status: fc.constantFrom<unknown>("public", "private"),
    zone: fc.constantFrom<unknown>("office", "home", 12),
  },
  { requiredKeys: [] },
);

const subject = fc.record(
  { type: fc.constantFrom("user", "editor"), id: fc.constantFrom(...PEOPLE), properties: subjectProperties },
  { requiredKeys: ["type", "id"] },
);
const resource = fc.record(
  {
    type: fc.constantFrom("document", "unknown"),
    id: fc.constantFrom("1", "2"),
    properties: resourceProperties,
  },
  { requiredKeys: ["type", "id"] },
);
const action = fc.record(
  {
    name: fc.constantFrom("read", "write", "move", "delete"),
    properties: fc.record({ soft: fc.constantFrom<unknown>(true, false, "true") }, { requiredKeys: [] }),
  },
  { requiredKeys: ["name"] },
);
const context = fc.record(
  { zone: fc.constantFrom<unknown>("office", "home", 12), time: fc.constant("2026-11-21T12:00:00Z") },
  { requiredKeys: [] },
);

/**
 * Entities of the directory: subjects of a type of their own, since the rules do not ask for types where there are roles, and resources with ids of
 * their own, since the rules do not ask for those.
 */
const STORED = {
  subjects: [
    { id: "alice", properties: { "cerbos.roles": ["editor"], level: 4, blocked: false } },
    { id: "bob", properties: { "cerbos.roles": ["user"], blocked: true } },
    { id: "zoë", properties: { "cerbos.roles": "user", deep: { a: [1.5, null, "x"] } } },
  ].map(({ id, properties }) => ({ kind: "subject", type: "employee", id, properties })),
  resources: [
    { id: "stored-1", properties: { owner: "alice", status: "private", zone: "office" } },
    { id: "stored-2", properties: { owner: "bob", status: "public", zone: 12 } },
    { id: "stored-3", properties: {} },
  ].map(({ id, properties }) => ({ kind: "resource", type: "document", id, properties })),
};

/** What makes no sense where Cerbos's own properties stand. */
const NONSENSE = {
  subjects: [
    { id: "no-role", properties: { "cerbos.roles": [] } },
    { id: "number-role", properties: { "cerbos.roles": 7 } },
    { id: "subject-scope", properties: { "cerbos.roles": "editor", "cerbos.scope": "a b" } },
    { id: "subject-version", properties: { "cerbos.roles": "editor", "cerbos.policyVersion": [] } },
  ].map(({ id, properties }) => ({ kind: "subject", type: "employee", id, properties })),
  resources: [
    { id: "resource-scope", properties: { status: "public", "cerbos.scope": 1 } },
    { id: "resource-version", properties: { status: "public", "cerbos.policyVersion": 5 } },
  ].map(({ id, properties }) => ({ kind: "resource", type: "document", id, properties })),
};

/** What an item may have in place of an entity: something else than the policies' authors thought of, or nothing that can be read. */
const brokenEntity = fc.constantFrom<unknown>(
  "alice",
  1,
  [],
  {},
  { type: "user" },
  { id: "1" },
  { name: "" },
);

const rarely = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

const item = fc.record(
  {
    subject: rarely(subject, brokenEntity),
    action: rarely(action, brokenEntity),
    resource: rarely(resource, brokenEntity),
    context: fc.oneof(
      { weight: 12, arbitrary: context },
      { weight: 1, arbitrary: fc.constantFrom<unknown>("x", 1, []) },
    ),
  },
  { requiredKeys: [] },
);
const defaults = fc.record({ subject, action, resource, context }, { requiredKeys: [] });
const batch = fc.record({ defaults, evaluations: fc.array(item, { minLength: 1, maxLength: 6 }) });

/** The members of a record that are not undefined: fast-check leaves others out, spreading must not bring them back. */
function merged(top: Item, one: Item): Item {
  return { ...top, ...one };
}

/** May this subject of the directory read this resource of the directory? */
function byIdentifier(id: string, resourceId: string): Item {
  return {
    subject: { type: "employee", id },
    action: { name: "read" },
    resource: { type: "document", id: resourceId },
  };
}

const NO_ANSWERS = { permits: 0, denials: 0, errors: 0 };

function decisionsOf(answers: readonly Decision[]): readonly boolean[] {
  return answers.map(({ decision }) => decision);
}

describe.skipIf(!DAEMON_IS_BUILT)(DAEMON_IS_BUILT ? "evaluations" : `evaluations (${BUILD_DAEMON})`, () => {
  let daemon: Daemon;
  let home: Awaited<ReturnType<typeof temporaryDirectory>>;
  beforeAll(async () => {
    home = await temporaryDirectory();
    await writeFiles(home.path, {
      "policies/document.yaml": POLICY,
      "entities.json": JSON.stringify([STORED, NONSENSE].flatMap((one) => Object.values(one).flat())),
    });
    const [policies, entities] = [join(home.path, "policies"), join(home.path, "entities.json")];
    daemon = await startDaemon(["--policies", policies, "--directory", entities]);
  });
  afterAll(async () => {
    await daemon?.stop();
    await home?.remove();
  });

  /** The answer to a batch, the same in JSON and in msgpack. */
  async function askBatch(body: object): Promise<readonly Decision[]> {
    const [inJson, inMsgpack] = await Promise.all([
      daemon.post("/access/v1/evaluations", body, "json"),
      daemon.post("/access/v1/evaluations", body, "msgpack"),
    ]);
    expect(inJson.status, JSON.stringify(inJson.body)).toBe(200);
    expect(inMsgpack).toEqual(inJson);
    return (inJson.body as { readonly evaluations: readonly Decision[] }).evaluations;
  }

  /** The answer to one item of a batch must be that to a single evaluation; gives what it is. */
  async function compareWithSingle(
    one: Item,
    answer: Decision | undefined,
  ): Promise<keyof typeof NO_ANSWERS> {
    const { status, body } = await daemon.post("/access/v1/evaluation", one);
    if (status !== 200) {
      expect(status).toBe(400);
      expect(answer).toMatchObject({ decision: false, context: { error: { status: 400 } } });
      return "errors";
    }
    expect(answer).toEqual(body);
    return answer?.decision === true ? "permits" : "denials";
  }

  it("answer a batch as one by one", async () => {
    const seen = { ...NO_ANSWERS };
    await fc.assert(
      fc.asyncProperty(batch, async ({ defaults: top, evaluations }) => {
        const answers = await askBatch({ ...top, evaluations });
        expect(answers).toHaveLength(evaluations.length);
        for (const [index, one] of evaluations.entries()) {
          seen[await compareWithSingle(merged(top, one), answers[index])] += 1;
        }
      }),
      { numRuns: RUNS },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5);
  });

  it.each([
    ["deny_on_first_deny", false],
    ["permit_on_first_permit", true],
  ])("end after the deciding item: %s", async (semantic, ending) => {
    await fc.assert(
      fc.asyncProperty(batch, async ({ defaults: top, evaluations }) => {
        const all = await askBatch({ ...top, evaluations });
        const answers = await askBatch({
          ...top,
          evaluations,
          options: { evaluations_semantic: semantic },
        });
        const last = all.findIndex(({ decision }) => decision === ending);
        expect(decisionsOf(answers)).toEqual(
          decisionsOf(all.slice(0, last < 0 ? evaluations.length : last + 1)),
        );
      }),
      { numRuns: RUNS },
    );
  });

  it.each([[[{}]], [[{}, {}]], [[1, null]]])(
    "deny %j, which names nobody, item by item",
    async (evaluations) => {
      for (const one of await askBatch({ evaluations })) {
        expect(one).toMatchObject({ decision: false, context: { error: { status: 400 } } });
      }
    },
  );

  it("never permit by stored properties that make no sense", async () => {
    const questions = [
      ...NONSENSE.subjects.map(({ id }) => byIdentifier(id, "stored-2")),
      ...NONSENSE.resources.map(({ id }) => byIdentifier("zoë", id)),
    ];
    const answers = await askBatch({ evaluations: questions });
    expect(decisionsOf(answers)).not.toContain(true);
    for (const [index, one] of questions.entries()) await compareWithSingle(one, answers[index]);
    // The same questions about entities that make sense.
    expect(decisionsOf(await askBatch({ evaluations: [byIdentifier("zoë", "stored-2")] }))).toEqual([true]);
  });

  it("know what the directory stores, and believe the request first", async () => {
    const items = fc.array(
      fc.record({
        who: fc.constantFrom(...STORED.subjects),
        what: fc.constantFrom(...STORED.resources),
        subjectSays: fc.option(subjectProperties, { nil: undefined }),
        resourceSays: fc.option(resourceProperties, { nil: undefined }),
        action,
        context,
      }),
      { minLength: 1, maxLength: 6 },
    );
    let permits = 0;
    await fc.assert(
      fc.asyncProperty(items, async (given) => {
        const identified = given.map(({ who, what, subjectSays, resourceSays, ...rest }) => ({
          subject: { type: who.type, id: who.id, properties: subjectSays ?? null },
          resource: { type: what.type, id: what.id, properties: resourceSays ?? null },
          ...rest,
        }));
        const spelledOut = given.map(({ who, what, subjectSays, resourceSays, ...rest }) => ({
          subject: { type: "user", id: who.id, properties: { ...who.properties, ...subjectSays } },
          resource: { type: "document", id: "1", properties: { ...what.properties, ...resourceSays } },
          ...rest,
        }));
        const answers = await askBatch({ evaluations: identified });
        expect(answers).toEqual(await askBatch({ evaluations: spelledOut }));
        permits += answers.filter(({ decision }) => decision).length;
      }),
      { numRuns: RUNS * 2 },
    );
    expect(permits).toBeGreaterThan(20);
  });

  it("decide as checks do", async () => {
    const roles = fc.array(fc.constantFrom("user", "editor", "viewer"), { minLength: 1, maxLength: 2 });
    const name = fc.constantFrom("read", "write");
    await fc.assert(
      fc.asyncProperty(subject, roles, resource, name, async (who, given, what, does) => {
        const attr: Properties = { ...who.properties, "cerbos.roles": [...new Set(given)] };
        const { body: evaluation } = await daemon.post("/access/v1/evaluation", {
          subject: { ...who, properties: attr },
          action: { name: does },
          resource: what,
        });
        const { body: check } = await daemon.check({
          principal: { id: who.id, roles: attr["cerbos.roles"], attr },
          resources: [
            { actions: [does], resource: { kind: what.type, id: what.id, attr: what.properties ?? {} } },
          ],
        });
        const [result] = (check as { readonly results: readonly { actions: Record<string, string> }[] })
          .results;
        expect(evaluation).toEqual({ decision: result?.actions[does] === "EFFECT_ALLOW" });
      }),
      { numRuns: RUNS * 2 },
    );
  });
});
