/**
 * Shortlists come to what all rows come to. A request with metadata is decided by rows, the same one without by shortlists: their
 * effects are compared over random policies, with far more names than there are slots, so that slots are taken over all the time.
 */
import { describe, expect, it } from "vitest";
import type { SourceFile } from "../../../compiler/index.ts";
import type { Engine } from "../../../runtime/index.ts";
import { Random } from "../../differential/random.ts";
import { timesEffort } from "../../support/effort.ts";
import { ask, engineOf } from "../../support/engines.ts";

const KINDS = ["album", "report"] as const;
const SCOPES = ["", "acme", "acme.hr", "acme.hr.uk"] as const;
const ROLES = ["user", "editor", "manager", "auditor", "guest", "owner", "admin"] as const;
const ACTIONS = Array.from({ length: 60 }, (_, index) => `${["view", "edit", "share"][index % 3]}:${index}`);
const PATTERNS = ["view:*", "edit:*", "*:1*", "*"] as const;
const CONDITIONS = [
  "R.attr.open == true",
  "R.attr.owner == P.id",
  "R.attr.level > 2.0",
  '"known" in runtime.effectiveDerivedRoles',
] as const;
const DERIVED = [
  { name: "known", parentRoles: ["user", "guest"] },
  { name: "owning", parentRoles: ["user", "owner"], condition: { match: { expr: CONDITIONS[1] } } },
  { name: "trusted", parentRoles: ["*"], condition: { match: { expr: CONDITIONS[2] } } },
] as const;

function some<T>(random: Random, items: readonly T[], most: number): T[] {
  const rest = [...items];
  return Array.from(
    { length: 1 + random.below(most) },
    () => rest.splice(random.below(rest.length), 1)[0] as T,
  );
}

function rule(random: Random, more: string): unknown {
  const derived = random.chance(0.4);
  return {
    actions: random.chance(0.3) ? some(random, PATTERNS, 2) : some(random, ACTIONS, 12),
    effect: random.chance(0.3) ? "EFFECT_DENY" : "EFFECT_ALLOW",
    ...(derived
      ? {
          derivedRoles: some(
            random,
            DERIVED.map(({ name }) => name),
            2,
          ),
        }
      : { roles: some(random, [...ROLES, more], 3) }),
    ...(random.chance(0.02) && { output: { when: { ruleActivated: "R.id" } } }),
    ...(random.chance(0.5) && { condition: { match: { expr: random.pick(CONDITIONS, CONDITIONS[0]) } } }),
  };
}

/** `more` is a role that rules may be about, too. */
function sources(random: Random, more: string): readonly SourceFile[] {
  const withConsent = random.chance(0.5);
  const policies = KINDS.flatMap((resource) =>
    SCOPES.map((scope) => ({
      apiVersion: "api.cerbos.dev/v1",
      resourcePolicy: {
        resource,
        version: "default",
        ...(scope !== "" && { scope }),
        ...(scope === "acme" &&
          withConsent && { scopePermissions: "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS" }),
        importDerivedRoles: ["theirs"],
        rules: Array.from({ length: 2 + random.below(12) }, () => rule(random, more)),
      },
    })),
  );
  const principal = {
    apiVersion: "api.cerbos.dev/v1",
    principalPolicy: {
      principal: "bob",
      version: "default",
      rules: [{ resource: "album", actions: [{ action: "view:*", effect: "EFFECT_DENY" }] }],
    },
  };
  const definitions = {
    apiVersion: "api.cerbos.dev/v1",
    derivedRoles: { name: "theirs", definitions: DERIVED },
  };
  return [...policies, principal, definitions].map((policy, index) => ({
    path: `policy_${index}.json`,
    text: JSON.stringify(policy),
  }));
}

const MANY_ROLES = Array.from({ length: 16 }, (_, index) => `other_${index}`);

function roles(random: Random): readonly string[] {
  const few = some(random, [...ROLES, "stranger", "stray"], 6);
  return random.chance(0.05) ? [...few, ...MANY_ROLES] : few;
}

function about(random: Random): Readonly<Record<string, unknown>> {
  return {
    kind: random.pick([...KINDS, "unheard"], "album"),
    ...(random.chance(0.7) && { scope: random.pick(SCOPES, "") }),
  };
}

function request(random: Random): Readonly<Record<string, unknown>> {
  const actions = some(random, [...ACTIONS, "nobody:knows", "view:unheard"], 8);
  // What neighbours share is read once, and their shortlists are looked up once.
  const shared = about(random);
  return {
    requestId: "request",
    principal: {
      id: random.pick(["alice", "bob"], "bob"),
      roles: roles(random),
    },
    resources: Array.from({ length: 1 + random.below(6) }, (_, index) => ({
      actions: random.chance(0.7) ? actions : some(random, ACTIONS, 8),
      resource: {
        ...(random.chance(0.6) ? shared : about(random)),
        id: `${index}`,
        attr: {
          ...(random.chance(0.8) && { open: random.chance(0.5) }),
          ...(random.chance(0.8) && { owner: random.pick(["alice", "bob"], "bob") }),
          ...(random.chance(0.8) && { level: random.below(5) }),
        },
      },
    })),
  };
}

function effects(engine: Engine, body: unknown, format: "json" | "msgpack"): unknown {
  const answer = ask(engine, body, format);
  if ("failure" in answer) throw new Error(answer.failure);
  return answer.response.results.map(({ actions }) => actions);
}

describe.each(["compatible", "fail-closed"] as const)("shortlists, %s", (onError) => {
  it.each([1, 2, 3])("come to what all rows come to (policies %i)", async (seed) => {
    const random = new Random(seed);
    // Of roles that are meant by globs, the text counts as well.
    const engine = await engineOf(sources(random, seed === 3 ? "stran*" : "*"), { onError });
    const seen = new Set<string>();
    for (let round = 0; round < timesEffort(3000); round++) {
      const body = request(random);
      const format = random.chance(0.5) ? "json" : "msgpack";
      const short = effects(engine, body, format);
      expect(short).toEqual(effects(engine, { ...body, includeMeta: true }, format));
      seen.add(JSON.stringify(short).includes("ALLOW") ? "allows" : "denies");
    }
    expect(seen.size).toBe(2);
  });
});

describe("a shortlist that is there already", () => {
  it("takes the same fuel as one that has to be made", async () => {
    const random = new Random(4);
    const policies = sources(random, "*");
    const used = await engineOf(policies);
    const bodies = Array.from({ length: 40 }, () => request(random));
    for (const body of bodies) ask(used, body, "json");
    for (const body of bodies.slice(0, 10)) {
      const fresh = await engineOf(policies);
      ask(fresh, body, "json");
      ask(used, body, "json");
      expect(used.partFacts().fuelUsed).toBe(fresh.partFacts().fuelUsed);
    }
  });
});

function nameOf(index: number): string {
  return `a${String(index).padStart(5, "0")}`;
}

describe("actions of one resource whose shortlists share a slot", () => {
  // Slots are found by the numbers of names, one after the other here: those 4,096 apart share one.
  const SLOTS = 4096;
  const names = Array.from({ length: 2 * SLOTS + 200 }, (_, index) => nameOf(index));
  // Some are denied, and some left to the rows because of their output.
  const of = (kind: number): readonly string[] => names.filter((_, index) => (index >> 4) % 3 === kind);
  const policy = {
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "album",
      version: "default",
      rules: [
        { actions: names, effect: "EFFECT_ALLOW", roles: ["user"] },
        {
          actions: of(1),
          effect: "EFFECT_DENY",
          roles: ["user"],
          condition: { match: { expr: CONDITIONS[0] } },
        },
        {
          actions: of(2),
          effect: "EFFECT_DENY",
          roles: ["user"],
          output: { when: { ruleActivated: "R.id" } },
        },
      ],
    },
  };

  it("come to what all rows come to", async () => {
    const random = new Random(5);
    const engine = await engineOf([{ path: "p.json", text: JSON.stringify(policy) }]);
    const lists = Array.from({ length: 150 }, () => {
      const first = random.below(200);
      const alike = [first, first + SLOTS, first + 2 * SLOTS].map((index) => nameOf(index % names.length));
      return some(random, [...alike, nameOf(first + 1), nameOf(first + 30 + SLOTS)], 5);
    });
    for (let round = 0; round < timesEffort(300); round++) {
      const chosen = Array.from({ length: 1 + random.below(4) }, () => random.pick(lists, lists[0] ?? []));
      const body = {
        principal: { id: "alice", roles: ["user"] },
        resources: chosen.map((actions, index) => ({
          actions,
          resource: { kind: "album", id: `${index}`, attr: { open: random.chance(0.5) } },
        })),
      };
      const format = random.chance(0.5) ? "json" : "msgpack";
      expect(effects(engine, body, format)).toEqual(effects(engine, { ...body, includeMeta: true }, format));
    }
  });
});
