/**
 * Conditions that are one `==` have functions of their own in the core. Each comes to what the same comparison inside a larger
 * expression comes to, which is written the ordinary way: for texts of every length around that of a vector, for values of other
 * types, for attributes that are missing, and in every way of counting errors. The two are compiled apart: of a comparison that
 * occurs twice in a bundle, the compiler makes one shared function.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import type { Engine, Format } from "../../../runtime/index.ts";
import { timesEffort } from "../../support/effort.ts";
import { ask, engineOf } from "../../support/engines.ts";

const EQUALITIES = {
  id_right: "R.attr.a == P.id",
  id_left: "P.id == R.attr.a",
  literal: 'R.attr.a == "sixteen bytes ok"',
  empty: 'R.attr.a == ""',
  number: "R.attr.a == 2.0",
  list: "R.attr.a == [1.0, 2.0]",
  attribute: "R.attr.a == P.attr.a",
  of_principal: "P.attr.a == R.attr.a",
  both: "R.attr.a == R.attr.b",
  neither: "R.id == P.id",
} as const;

/** Texts that mostly differ in one byte or in length from another one. */
const text = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    "sixteen bytes ok",
    "sixteen bytes ko",
    "seventeen bytes!!",
    "é",
    "\u0000",
    "\u{1f600}",
  ),
  fc.tuple(fc.nat(70), fc.constantFrom("x", "y")).map(([length, last]) => "x".repeat(length) + last),
);
const value = fc.oneof(
  { arbitrary: text, weight: 6 },
  { arbitrary: fc.constantFrom(2, 2.5, true, null, [1, 2], [], { a: 1 }), weight: 2 },
);
const attributes = fc.record({ a: value, b: value }, { requiredKeys: [] });
const request = fc
  .record({
    id: text.filter((one) => one !== ""),
    same: fc.boolean(),
    resource: attributes,
    principal: attributes,
  })
  .map(({ id, same, resource, principal }) => ({
    principal: { id, roles: ["user"], attr: principal },
    resources: [
      {
        actions: Object.keys(EQUALITIES),
        resource: { kind: "doc", id: same ? id : "other", attr: same ? { ...resource, a: id } : resource },
      },
    ],
  }));

/** A policy with one rule per comparison, each spelled by `condition`. */
function sources(condition: (expr: string) => string): { path: string; text: string }[] {
  const rules = Object.entries(EQUALITIES).map(([name, expr]) => ({
    actions: [name],
    effect: "EFFECT_ALLOW",
    roles: ["user"],
    condition: { match: { expr: condition(expr) } },
  }));
  const policy = {
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: { resource: "doc", version: "default", rules },
  };
  return [{ path: "doc.json", text: JSON.stringify(policy) }];
}

/** What `engine` answers to each action of a request. */
function effects(engine: Engine, body: unknown, format: Format): Record<string, string> {
  const answer = ask(engine, body, format);
  if ("failure" in answer) throw new Error(answer.failure);
  return { ...answer.response.results[0]?.actions };
}

/** Condition errors of one action on a document without attributes. */
function errors(engine: Engine, name: string): number {
  ask(
    engine,
    {
      principal: { id: "alice", roles: ["user"] },
      resources: [{ actions: [name], resource: { kind: "doc", id: "1", attr: {} } }],
    },
    "json",
  );
  return engine.partFacts().conditionErrors;
}

describe.each(["compatible", "fail-closed", "strict"] as const)(
  "a condition that is one ==, %s",
  (onError) => {
    let alone: Engine;
    let inside: Engine;
    beforeAll(async () => {
      alone = await engineOf(
        sources((expr) => expr),
        { onError },
      );
      inside = await engineOf(
        sources((expr) => `[${expr}][0]`),
        { onError },
      );
    });

    it.each(["json", "msgpack"] as const)("comes to what it is worth elsewhere (%s)", (format) => {
      const seen = new Set<string>();
      fc.assert(
        fc.property(request, (body) => {
          const answers = effects(alone, body, format);
          expect(answers).toEqual(effects(inside, body, format));
          for (const [name, effect] of Object.entries(answers)) seen.add(`${name} ${effect}`);
        }),
        { numRuns: timesEffort(1500) },
      );
      // Every comparison has held, and has not.
      expect(seen.size).toBe(2 * Object.keys(EQUALITIES).length);
    });

    it("counts as many errors", () => {
      for (const name of Object.keys(EQUALITIES)) expect(errors(alone, name)).toBe(errors(inside, name));
      expect(errors(alone, "id_right")).toBe(1);
      expect(errors(alone, "neither")).toBe(0);
    });
  },
);
