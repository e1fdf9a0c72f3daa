/**
 * corpus/cel_eval: conditions (each the condition of a rule that must hold or not) and registry.json (fields of the request,
 * of `runtime` and of variables), every one of them. The clock is not the corpus's: where a condition is about it, `now()` stands
 * for the recorded instant. cerbos_lib_exprs.json is in cel-eval-functions.test.ts.
 */
import { beforeAll, describe, expect, it } from "vitest";
import type { JsonValue } from "../../compiler/policy/policy-set.ts";
import type { SourceFile } from "../../compiler/load/index.ts";
import type { CheckRequest, CheckResponse } from "../differential/interpreter/request.ts";
import { CORPUS, corpusCases, NO_CORPUS } from "../support/corpus.ts";
import { programOf } from "../support/programs.ts";
import { TARGETS } from "./targets.ts";

interface ConditionCase {
  readonly now: string;
  readonly condition: JsonValue;
  readonly request: {
    readonly principal: CheckRequest["principal"];
    readonly resource: CheckRequest["resources"][number]["resource"];
  };
  readonly want: boolean;
  readonly wantError: boolean;
}
interface FieldCase {
  readonly name: string;
  readonly expr: string;
  readonly bindings: {
    readonly request?: { readonly auxData: { readonly jwt: Readonly<Record<string, JsonValue>> } };
    readonly runtime?: { readonly effectiveDerivedRoles: readonly string[] };
    readonly V?: Readonly<Record<string, JsonValue>>;
  };
  readonly want?: JsonValue;
  readonly wantCompileErr?: string;
  readonly wantEvalErr?: string;
}

function source(path: string, document: object): SourceFile {
  return { path, text: JSON.stringify({ apiVersion: "api.cerbos.dev/v1", ...document }, null, 1) };
}

/** `now()` and `timeSince()` of the case's own instant, since an engine's clock cannot be set from a policy. */
function atInstant(condition: JsonValue, now: string): JsonValue {
  const instant = `timestamp(\\"${now}\\")`;
  const text = JSON.stringify(condition)
    .replaceAll(/timestamp\(([\w.]+)\)\.timeSince\(\)/gu, `(${instant} - timestamp($1))`)
    .replaceAll("now()", instant);
  return JSON.parse(text);
}

function conditionPolicy(test: ConditionCase): SourceFile {
  const rule = {
    actions: ["ask"],
    roles: ["*"],
    effect: "EFFECT_ALLOW",
    condition: { match: atInstant(test.condition, test.now) },
  };
  const { kind, policyVersion = "default" } = test.request.resource;
  return source("condition.json", {
    resourcePolicy: { resource: kind, version: policyVersion, rules: [rule] },
  });
}

/** The scopes of a request's resource and their ancestors, each with an empty policy so that the condition's own is found. */
function scoped(test: ConditionCase): readonly SourceFile[] {
  const { scope = "", kind, policyVersion = "default" } = test.request.resource;
  const names = scope === "" ? [] : scope.split(".");
  return names.map((_, index) =>
    source(`scope-${index}.json`, {
      resourcePolicy: {
        resource: kind,
        version: policyVersion,
        scope: names.slice(0, index + 1).join("."),
        rules: [],
      },
    }),
  );
}

/** One rule whose output is the expression, with the derived roles and variables that the case binds. */
function fieldSources({ expr, bindings }: FieldCase): readonly SourceFile[] {
  const roles = bindings.runtime?.effectiveDerivedRoles ?? [];
  const local = Object.fromEntries(
    Object.entries(bindings.V ?? {}).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  const policy = {
    resourcePolicy: {
      resource: "doc",
      version: "default",
      ...(roles.length === 0 ? {} : { importDerivedRoles: ["bound"] }),
      variables: { local },
      rules: [
        {
          actions: ["ask"],
          roles: ["user"],
          ...(roles.length === 0 ? {} : { derivedRoles: roles }),
          effect: "EFFECT_ALLOW",
          output: { when: { ruleActivated: expr } },
        },
      ],
    },
  };
  const definitions = roles.map((name) => ({ name, parentRoles: ["user"] }));
  const bound = source("roles.json", { derivedRoles: { name: "bound", definitions } });
  return roles.length === 0 ? [source("policy.json", policy)] : [source("policy.json", policy), bound];
}

function fieldRequest({ bindings }: FieldCase): CheckRequest {
  const jwt = bindings.request?.auxData.jwt;
  return {
    principal: { id: "p", roles: ["user"] },
    resources: [{ actions: ["ask"], resource: { kind: "doc", id: "d" } }],
    ...(jwt === undefined ? {} : { auxData: { jwt } }),
  };
}

const CONDITIONS = corpusCases<ConditionCase>("cel_eval", "conditions");
const FIELDS = corpusCases<readonly FieldCase[]>("cel_eval")
  .filter(({ name }) => name === "registry")
  .flatMap(({ data }) => data);
/** Refused when policies are compiled; `V.bar` of nothing that defines it is, too, as in Cerbos. */
const isRefused = (test: FieldCase): boolean =>
  test.wantCompileErr !== undefined || programOf(fieldSources(test)).program === undefined;
/** In the corpus `V.bar` is a look-up of its own; in a policy set, Cerbos refuses what no variable is called. */
const UNDEFINED_VARIABLES = new Set(["has(V.bar)", "V.bar"]);

/** The names of derived roles have no order in Cerbos. */
function unordered(value: unknown): unknown {
  return Array.isArray(value) ? new Set<unknown>(value) : value;
}

const TITLE = CORPUS === undefined ? `corpus/cel_eval (${NO_CORPUS})` : "corpus/cel_eval";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  describe("fields that do not exist", () => {
    const missing = FIELDS.filter(
      ({ expr, wantCompileErr }) => wantCompileErr !== undefined || UNDEFINED_VARIABLES.has(expr),
    );
    it.each(missing)("$name does not compile", (test) => {
      expect(isRefused(test)).toBe(true);
    });
  });

  describe.each(TARGETS)("on $name", (target) => {
    describe.each(CONDITIONS)("condition $name", ({ data }) => {
      let answer: CheckResponse;
      beforeAll(async () => {
        const prepared = await target.prepare([conditionPolicy(data), ...scoped(data)]);
        const ask = await prepared.withSettings({ onError: data.wantError ? "strict" : "compatible" });
        answer = ask({
          principal: data.request.principal,
          resources: [{ actions: ["ask"], resource: data.request.resource }],
        });
      });
      it(`is ${data.want}`, () => {
        const effect = data.want && !data.wantError ? "EFFECT_ALLOW" : "EFFECT_DENY";
        expect(answer.results[0]?.actions).toEqual({ ask: effect });
      });
    });

    const present = FIELDS.filter(
      ({ expr, wantCompileErr }) => wantCompileErr === undefined && !UNDEFINED_VARIABLES.has(expr),
    );
    it.each(present)("$name", async (test) => {
      const ask = await (await target.prepare(fieldSources(test))).withSettings({});
      const output = ask(fieldRequest(test)).results[0]?.outputs?.[0];
      expect(unordered(output?.val)).toEqual(unordered(test.want));
    });
  });
});
