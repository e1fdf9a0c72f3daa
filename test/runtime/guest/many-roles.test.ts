/**
 * A request may name a hundred thousand roles, each of which is looked at in every scope, whether a policy says anything there or
 * not. That work is paid for like any other: it ends in a denial, not in a thread that is held.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { FLAG_DENY_ALL, FORMAT_JSON, STATUS_FUEL, STATUS_OK } from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import { compilePolicies } from "../support/bundles.ts";

const SCOPES = ["", "a", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e"];

const ACTIONS = Array.from({ length: 50 }, (_, index) => `action-${index}`);

/** A policy that decides nothing that is asked here, and one per scope that speaks of another kind. */
const POLICIES = Object.fromEntries(
  [...SCOPES.map((scope) => ["other", scope] as const), ["thing", ""] as const].map(([kind, scope]) => [
    `${kind}-${scope}.yaml`,
    `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${kind}
  version: default
  scope: "${scope}"
  rules:
    - actions: [never asked]
      effect: EFFECT_ALLOW
      roles: [nobody]
`,
  ]),
);

/** Units of the budget for one role in one scope: what it takes in time, beside one for a turn of a loop. */
const PER_ROLE = 4;

let engine: Engine;

beforeAll(async () => {
  engine = await Engine.load(await compilePolicies(POLICIES));
});

function bodyOf(roles: number, scope: string): Uint8Array {
  const names = Array.from({ length: roles }, (_, index) => `r${index}`);
  const resource = { kind: "thing", id: "1", scope };
  return new TextEncoder().encode(
    JSON.stringify({ principal: { id: "p", roles: names }, resources: [{ actions: ACTIONS, resource }] }),
  );
}

function fuelFor(roles: number, scope: string): number {
  expect(engine.decide(bodyOf(roles, scope), FORMAT_JSON, FORMAT_JSON, 0)).toBe(STATUS_OK);
  return engine.partFacts().fuelUsed;
}

describe("a request with many roles", () => {
  it("pays for every role in every scope for every action", () => {
    const perScope = (fuelFor(1000, SCOPES[5] ?? "") - fuelFor(1000, "")) / 5;
    expect(perScope).toBeGreaterThanOrEqual(PER_ROLE * 1000 * ACTIONS.length);
    expect(fuelFor(2000, "") - fuelFor(1000, "")).toBeGreaterThanOrEqual(PER_ROLE * 1000 * ACTIONS.length);
  });

  it("is denied whole when that comes to more than the budget", () => {
    const body = bodyOf(100_000, SCOPES[5] ?? "");
    expect(engine.decide(body, FORMAT_JSON, FORMAT_JSON, 0)).toBe(STATUS_FUEL);
    expect(engine.decide(body, FORMAT_JSON, FORMAT_JSON, FLAG_DENY_ALL)).toBe(STATUS_OK);
    const [result] = JSON.parse(Buffer.from(engine.output()).toString()).results;
    expect(new Set(Object.values(result.actions))).toEqual(new Set(["EFFECT_DENY"]));
    // The next request has a budget of its own.
    expect(engine.decide(bodyOf(10, ""), FORMAT_JSON, FORMAT_JSON, 0)).toBe(STATUS_OK);
  });
});
