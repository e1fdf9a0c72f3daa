/**
 * What searches find is what evaluations permit: for questions of all kinds, the three searches of `edict serve`, page by page, against one evaluation
 * for every candidate. Entities, questions and page sizes are generated; the policies use every way in which a decision can depend on an entity.
 */
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryDirectory, writeFiles } from "../../runtime/support/daemon.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT, startDaemon, type Daemon } from "../../support/daemon.ts";
import type { Entity } from "./interop/directory-file.ts";

const POLICIES = {
  "document.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  importDerivedRoles: [people]
  rules:
    - {actions: [read], effect: EFFECT_ALLOW, roles: [user, editor], condition: {match: {expr: R.attr.status == "public"}}}
    - {actions: [read, write], effect: EFFECT_ALLOW, derivedRoles: [owner]}
    - {actions: [read], effect: EFFECT_DENY, roles: ["*"], condition: {match: {expr: has(P.attr.blocked) && P.attr.blocked}}}
    - {actions: [write], effect: EFFECT_ALLOW, roles: [editor], condition: {match: {expr: P.attr.level > R.attr.level}}}
    - {actions: [move], effect: EFFECT_ALLOW, roles: [user], condition: {match: {expr: request.context.zone == R.attr.zone}}}
    - {actions: [share], effect: EFFECT_ALLOW, roles: ["*"], condition: {match: {expr: "R.attr.groups.exists(g, g in P.attr.groups)"}}}
    - {actions: ["log:*"], effect: EFFECT_ALLOW, roles: ["*"]}
`,
  "document_acme.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  scope: acme
  rules:
    - {actions: [write], effect: EFFECT_DENY, roles: ["*"], condition: {match: {expr: R.attr.status == "private"}}}
    - {actions: [archive], effect: EFFECT_ALLOW, roles: [user, editor]}
`,
  "document_v2.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: v2
  rules:
    - {actions: [read, restore], effect: EFFECT_ALLOW, roles: [editor], condition: {match: {expr: R.id != "d1"}}}
`,
  "people.yaml": `apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: people
  definitions:
    - {name: owner, parentRoles: [user, editor], condition: {match: {expr: R.attr.owner == P.id}}}
`,
  "s1.yaml": `apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: s1
  version: default
  rules:
    - resource: document
      actions:
        - {action: purge, effect: EFFECT_ALLOW, condition: {match: {expr: R.attr.zone == "home"}}}
        - {action: write, effect: EFFECT_DENY}
`,
  "auditor.yaml": `apiVersion: api.cerbos.dev/v1
rolePolicy:
  role: auditor
  version: default
  parentRoles: [user]
  rules:
    - {resource: document, allowActions: [read, move]}
`,
};

const ACTIONS = ["read", "write", "move", "share", "archive", "restore", "purge"];
const SUBJECTS = 40;
const RESOURCES = 60;
const RUNS = 40;

const GROUPS = fc.subarray(["a", "b", "c", "d"]);
/** Every property may be absent. */
const ALL_OPTIONAL = { requiredKeys: [] };

const subjectProperties = fc.record(
  {
    "cerbos.roles": fc.constantFrom<unknown>("editor", ["user"], ["user", "editor"], ["auditor"], "viewer"),
    blocked: fc.constantFrom<unknown>(true, false, "yes"),
    level: fc.constantFrom<unknown>(1, 4, 2.5, "4"),
    groups: GROUPS,
  },
  ALL_OPTIONAL,
);
const resourceProperties = fc.record(
  {
    owner: fc.nat(SUBJECTS - 1).map((index) => `s${index}`),
    status: fc.constantFrom("public", "private"),
    level: fc.constantFrom<unknown>(0, 2, 3, null),
    zone: fc.constantFrom<unknown>("office", "home", 12),
    groups: GROUPS,
  },
  ALL_OPTIONAL,
);
/** One of the values, but mostly none. */
function mostly(values: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.constantFrom(...values, ...Array.from({ length: 2 * values.length }, () => undefined));
}

/** Which policies speak about a resource; the last of each are stored by mistake. */
const storedProperties = fc
  .tuple(
    resourceProperties,
    mostly(["acme", "acme", "acme.uk", "nowhere", 7]),
    mostly(["v2", "v2", "v2", "none", []]),
  )
  .map(([properties, scope, version]) =>
    Object.assign(
      {},
      properties,
      scope === undefined ? {} : { "cerbos.scope": scope },
      version === undefined ? {} : { "cerbos.policyVersion": version },
    ),
  );

/** The same entities in every run. */
function entities(
  kind: Entity["kind"],
  type: string,
  properties: fc.Arbitrary<Readonly<Record<string, unknown>>>,
  count: number,
): readonly Entity[] {
  const letter = kind === "subject" ? "s" : "d";
  return fc
    .sample(properties, { numRuns: count, seed: 10 })
    .map((one, index) => ({ kind, type, id: `${letter}${index}`, properties: one }));
}

const USERS = entities("subject", "user", subjectProperties, SUBJECTS);
const DOCUMENTS = entities("resource", "document", storedProperties, RESOURCES);
const OTHERS: readonly Entity[] = [
  { kind: "subject", type: "service", id: "s1", properties: { "cerbos.roles": "editor", level: 9 } },
  { kind: "resource", type: "folder", id: "d1", properties: { status: "public" } },
];

interface Named {
  readonly type: string;
  readonly id: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** An entity as a question names it: one that the directory has, sometimes with properties, or a stranger with some. */
function named(
  known: readonly Entity[],
  properties: fc.Arbitrary<Readonly<Record<string, unknown>>>,
): fc.Arbitrary<Named> {
  const [{ type }] = known as readonly [Entity];
  const without = fc.constantFrom(...known).map(({ id }) => ({ type, id }));
  const saying = fc
    .tuple(fc.constantFrom(...known.map(({ id }) => id), "stranger"), properties)
    .map(([id, said]) => ({ type, id, properties: { ...said, said: true } }));
  return fc.oneof({ weight: 3, arbitrary: without }, { weight: 1, arbitrary: saying });
}

const question = fc.record({
  subject: named(USERS, subjectProperties),
  resource: named(DOCUMENTS, resourceProperties),
  action: fc.constantFrom(...ACTIONS).map((name) => ({ name })),
  context: fc.record({ zone: fc.constantFrom<unknown>("office", "home", 12) }),
  limit: fc.integer({ min: 1, max: 70 }),
  format: fc.constantFrom("json" as const, "msgpack" as const),
});

type Searched = "subject" | "resource" | "action";
interface Page {
  readonly page: { readonly next_token: string; readonly count: number };
  readonly results: readonly { readonly id?: string; readonly name?: string }[];
}

describe.skipIf(!DAEMON_IS_BUILT)(DAEMON_IS_BUILT ? "searches" : `searches (${BUILD_DAEMON})`, () => {
  let daemon: Daemon;
  let home: Awaited<ReturnType<typeof temporaryDirectory>>;
  beforeAll(async () => {
    home = await temporaryDirectory();
    const policies = Object.entries(POLICIES).map(([name, text]) => [`policies/${name}`, text]);
    const stored = JSON.stringify([...USERS, ...OTHERS, ...DOCUMENTS]);
    await writeFiles(home.path, { ...Object.fromEntries(policies), "entities.json": stored });
    const files = [join(home.path, "policies"), join(home.path, "entities.json")] as const;
    daemon = await startDaemon(["--policies", files[0], "--directory", files[1]]);
  });
  afterAll(async () => {
    await daemon?.stop();
    await home?.remove();
  });

  /** Ids or names on all pages, in order. */
  async function find(
    searched: Searched,
    body: object,
    limit: number,
    format: "json" | "msgpack",
  ): Promise<readonly string[]> {
    const found: string[] = [];
    let token = "";
    for (let pages = 0; pages <= SUBJECTS + RESOURCES; pages += 1) {
      const page = token === "" ? { limit } : { limit, token };
      const { status, body: answer } = await daemon.post(
        `/access/v1/search/${searched}`,
        { ...body, page },
        format,
      );
      expect(status, JSON.stringify(answer)).toBe(200);
      const { page: next, results } = answer as Page;
      expect(next.count).toBe(results.length);
      expect(results.length).toBeLessThanOrEqual(limit);
      found.push(...results.map(({ id, name }) => id ?? name ?? ""));
      if (next.next_token === "") return found;
      token = next.next_token;
    }
    throw new Error("the pages do not end");
  }

  /** Those of the candidates for which an evaluation is true. */
  async function permitted<T>(
    candidates: readonly T[],
    asked: object,
    part: (one: T) => object,
  ): Promise<readonly T[]> {
    const { status, body } = await daemon.post("/access/v1/evaluations", {
      ...asked,
      evaluations: candidates.map(part),
    });
    expect(status, JSON.stringify(body)).toBe(200);
    const { evaluations } = body as { readonly evaluations: readonly { readonly decision: boolean }[] };
    return candidates.filter((_, index) => evaluations[index]?.decision === true);
  }

  it("find the subjects that may", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(question, async ({ resource, action, context, limit, format }) => {
        const rest = { resource, action, context };
        const results = await find("subject", { ...rest, subject: { type: "user" } }, limit, format);
        const expected = await permitted(USERS, rest, ({ type, id }) => ({ subject: { type, id } }));
        expect(results).toEqual(expected.map(({ id }) => id));
        found += results.length;
      }),
      { numRuns: RUNS },
    );
    expect(found).toBeGreaterThan(RUNS);
  });

  it("find the resources that are allowed", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(question, async ({ subject, action, context, limit, format }) => {
        const rest = { subject, action, context };
        const results = await find("resource", { ...rest, resource: { type: "document" } }, limit, format);
        const expected = await permitted(DOCUMENTS, rest, ({ type, id }) => ({ resource: { type, id } }));
        expect(results).toEqual(expected.map(({ id }) => id));
        found += results.length;
      }),
      { numRuns: RUNS },
    );
    expect(found).toBeGreaterThan(RUNS);
  });

  it("find the actions that are allowed", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(question, async ({ subject, resource, context, limit, format }) => {
        const rest = { subject, resource, context };
        const results = await find("action", rest, limit, format);
        const expected = await permitted(ACTIONS, rest, (name) => ({ action: { name } }));
        expect([...results].sort()).toEqual([...expected].sort());
        found += results.length;
      }),
      { numRuns: RUNS * 2 },
    );
    expect(found).toBeGreaterThan(RUNS / 2);
  });
});
