/** compiler/cel/index.ts, set-checker.ts, variables.ts and source-place.ts: expressions of whole policy sets. */
import { describe, expect, it } from "vitest";
import { check } from "../../../compiler/cel/index.ts";
import { checkExpression } from "../../../compiler/cel/set-checker.ts";
import { celCodes } from "../../../compiler/diagnostics/cel-codes.ts";
import type { Place } from "../../../compiler/diagnostics/diagnostic.ts";
import { load } from "../../../compiler/load/index.ts";
import { resolve } from "../../../compiler/policy/index.ts";
import type { CelSource, JsonValue, Names, PolicySet } from "../../../compiler/policy/policy-set.ts";
import { CORPUS, NO_CORPUS, corpusCases } from "../../support/corpus.ts";

const PLACE: Place = { file: "a.yaml", line: 10, column: 15, path: "$.a" };

const NO_NAMES: Names = { variables: new Map(), constants: new Map() };

function source(text: string, names: Names = NO_NAMES, place: Place = PLACE): CelSource {
  return { text, names, place };
}

/** Names of a policy: variables by text, each on a line of its own; constants by name. */
function namesOf(variables: Readonly<Record<string, string>>, constants: readonly string[] = []): Names {
  const map = new Map<string, CelSource>();
  const made: Names = {
    variables: map,
    constants: new Map(constants.map((name): [string, JsonValue] => [name, 1])),
  };
  for (const [index, [name, text]] of Object.entries(variables).entries()) {
    map.set(name, source(text, made, { file: "a.yaml", line: index + 1, column: 8, path: `$.v.${name}` }));
  }
  return made;
}

/** Code, place and message of every problem. */
function problems(text: string, inForce: Names = NO_NAMES): string[] {
  return checkExpression(source(text, inForce)).diagnostics.map(
    ({ code, place, message }) => `${code} ${place.line}:${place.column} ${message}`,
  );
}

/** The checked set of policy files. */
function checkFiles(files: Readonly<Record<string, string>>): {
  set: PolicySet;
  checked: ReturnType<typeof check>;
} {
  const { set } = resolve(load(Object.entries(files).map(([path, text]) => ({ path, text }))));
  return { set, checked: check(set) };
}

/** Variables `v0` to `v19999`, each the next one's value; the last one is `last`. */
function chain(last: string): Names {
  const entries = Array.from(
    { length: 20_000 },
    (_, i) => [`v${i}`, i === 19_999 ? last : `V.v${i + 1}`] as const,
  );
  return namesOf(Object.fromEntries(entries));
}

describe("names of the policy", () => {
  it("must be defined", () => {
    expect(problems("V.a + V.b + C.c + C.d + V.b", namesOf({ a: "1" }, ["c"]))).toEqual([
      "EDICT3023 10:21 undefined variable `b`",
      "EDICT3024 10:33 undefined constant `d`",
    ]);
  });

  it("must be defined where a variable uses them, whether or not that variable is used", () => {
    expect(problems("true", namesOf({ a: "V.x / variables.y", b: "C.z", c: "wat" }))).toEqual([
      "EDICT3025 1:8 undefined variable `x` referenced in variable `a`",
      "EDICT3025 1:14 undefined variable `y` referenced in variable `a`",
      "EDICT3026 2:8 undefined constant `z` referenced in variable `b`",
      "EDICT3020 3:8 unknown name `wat`",
    ]);
  });

  it("may use each other in any order and more than once", () => {
    expect(problems("V.a", namesOf({ a: "V.b + V.c", b: "V.c + V.d", c: "V.d", d: "1" }))).toEqual([]);
  });

  it("are all there as `V` and `C`, but not inside a variable", () => {
    expect(problems("V == C", namesOf({ a: "1" }, ["c"]))).toEqual([]);
    expect(problems("V.a", namesOf({ a: "size(dyn(V))", b: "variables.?a", c: "C" }, ["c"]))).toEqual([
      "EDICT3034 1:17 `V` is not supported yet",
      "EDICT3034 2:8 `variables` is not supported yet",
    ]);
  });

  it("must not need their own values", () => {
    const cyclic = namesOf({
      a: "variables.a",
      b: "V.c",
      c: "V.b",
      d: "V.e + V.f",
      e: "V.g",
      f: "2 * V.g",
      g: "V.d",
      h: "V.d",
    });
    expect(problems("true", cyclic)).toEqual([
      "EDICT3027 1:8 variable `a` references itself",
      "EDICT3028 2:8 variables `b` (a.yaml:2:8) and `c` (a.yaml:3:8) form a cycle",
      "EDICT3028 4:8 variables `d` (a.yaml:4:8), `e` (a.yaml:5:8), `f` (a.yaml:6:8) and `g` (a.yaml:7:8) form a cycle",
    ]);
  });

  it("are followed along chains of any length", () => {
    expect(problems("V.v0", chain("1"))).toEqual([]);
    expect(problems("V.v0", chain("V.v19998"))).toEqual([
      expect.stringContaining("`v19998` (a.yaml:19999:8) and `v19999`"),
    ]);
  });
});

/** Line, column and length of what is underlined, for a text that begins at 10:15. */
function underlined(text: string): string[] {
  return checkExpression(source(text)).diagnostics.map(
    ({ place, length }) => `${place.line}:${place.column}+${length}`,
  );
}

describe("places", () => {
  it("are those of the problem inside the text", () => {
    expect(underlined("true && wat")).toEqual(["10:23+3"]);
    expect(underlined("true &&\n  wat &&\n\nwot")).toEqual(["11:17+3", "13:15+3"]);
    expect(underlined("\nwat")).toEqual(["11:15+3"]);
    expect(underlined("[1,\n2")).toEqual(["11:16+1"]);
    expect(underlined("'a' == [\n1]\n")).toEqual(["10:19+2"]);
  });

  it("underline within one line", () => {
    expect(underlined("duration('''x\ny''')")).toEqual(["10:24+4"]);
  });
});

/** A resource policy with one variable and, among other expressions, `expr`. */
function policy(resource: string, expr: string): string {
  return `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${resource}
  version: default
  variables:
    local:
      owner: R.attr.owner
  rules:
    - actions: [a]
      roles: [u]
      effect: EFFECT_ALLOW
      condition:
        match:
          all:
            of:
              - expr: ${expr}
              - none: { of: [{ expr: 'true' }] }
      output:
        when:
          ruleActivated: '"x"'
          conditionNotMet: V.owner
`;
}

describe("a policy set", () => {
  it("has an expression for every source, variables included", () => {
    const { checked } = checkFiles({ "a.yaml": policy("a", "V.owner == P.id") });
    expect(checked.diagnostics).toEqual([]);
    expect([...checked.expressions.keys()].map(({ text }) => text).sort()).toEqual([
      '"x"',
      "R.attr.owner",
      "V.owner",
      "V.owner == P.id",
      "true",
    ]);
  });

  it("shares one expression among equal texts", () => {
    const { checked } = checkFiles({
      "a.yaml": policy("a", "V.owner == P.id"),
      "b.yaml": policy("b", "V.owner == P.id"),
    });
    const shared = [...checked.expressions]
      .filter(([{ text }]) => text === "V.owner == P.id")
      .map(([, expr]) => expr);
    expect(shared).toHaveLength(2);
    expect(new Set(shared).size).toBe(1);
  });

  it("reports the problems of all files, in the order of places, each once", () => {
    const { checked } = checkFiles({
      "b.yaml": policy("b", "V.nobody == 1"),
      "a.yaml": policy("a", "wat && P.wat"),
    });
    expect(checked.diagnostics.map(({ code, place }) => `${code} ${place.file} ${place.path}`)).toEqual([
      "EDICT3020 a.yaml $.resourcePolicy.rules[0].condition.match.all.of[0].expr",
      "EDICT3021 a.yaml $.resourcePolicy.rules[0].condition.match.all.of[0].expr",
      "EDICT3023 b.yaml $.resourcePolicy.rules[0].condition.match.all.of[0].expr",
    ]);
  });

  it("gives no expression to a source with problems", () => {
    const { checked } = checkFiles({ "a.yaml": policy("a", "1 +") });
    expect([...checked.expressions.keys()].map(({ text }) => text)).not.toContain("1 +");
  });
});

interface CompileCase {
  readonly files: Readonly<Record<string, string>>;
  readonly wantErrors: readonly {
    readonly file: string;
    readonly error: string;
    readonly description: string;
    readonly position?: { readonly path?: string };
  }[];
}

/** Upstream's kinds of errors that are this stage's, and our codes for them. */
const KINDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["invalid expression", Object.keys(celCodes)],
  ["undefined variable", ["EDICT3023", "EDICT3025"]],
  ["undefined constant", ["EDICT3024", "EDICT3026"]],
  ["cyclical variable definitions", ["EDICT3027", "EDICT3028"]],
]);

describe.skipIf(CORPUS === undefined)("the compile cases of Cerbos", () => {
  it.each(corpusCases<CompileCase>("compile", "cases").map(({ name, data }) => ({ name, data })))(
    "$name: the errors in expressions are found, and no others",
    ({ data }) => {
      const { diagnostics } = checkFiles(data.files).checked;
      const wanted = data.wantErrors.filter(({ error }) => KINDS.has(error));
      for (const { error, file, position } of wanted) {
        const found = diagnostics.filter(
          ({ code, place }) =>
            KINDS.get(error)?.includes(code) && place.file === file && place.path === position?.path,
        );
        expect({ error, file, position, found: found.length > 0 }).toEqual({
          error,
          file,
          position,
          found: true,
        });
      }
      expect(diagnostics).toHaveLength(wanted.length);
    },
  );
});

describe.skipIf(CORPUS !== undefined)("the compile cases of Cerbos", () => {
  it.skip(NO_CORPUS, () => {});
});

/** One text for every code. */
const EXAMPLES: Readonly<Record<keyof typeof celCodes, string>> = {
  EDICT3001: "1 )",
  EDICT3002: "1 +",
  EDICT3003: "1 # 2",
  EDICT3004: '"a',
  EDICT3005: String.raw`"\d"`,
  EDICT3006: "9223372036854775808",
  EDICT3007: "package",
  EDICT3008: "[".repeat(300),
  EDICT3009: " ".repeat(100_001),
  EDICT3010: `cel.bind(a, 1, ${"cel.bind(a, {a: a}, ".repeat(40)}a${")".repeat(41)}`,
  EDICT3011: "'\udc00'",
  EDICT3020: "wat",
  EDICT3021: "P.wat",
  EDICT3022: "P.id.wat",
  EDICT3023: "V.wat",
  EDICT3024: "C.wat",
  EDICT3025: "V.usesWat",
  EDICT3026: "V.usesWat",
  EDICT3027: "V.self",
  EDICT3028: "V.a",
  EDICT3030: "wat()",
  EDICT3031: "size(1)",
  EDICT3032: "1 + 'a'",
  EDICT3034: "google.protobuf.Any{}",
  EDICT3035: "1 && true",
  EDICT3036: "1.all(x, true)",
  EDICT3040: "[1].all(1, true)",
  EDICT3041: "has(P)",
  EDICT3042: "[1].all(x, x, true)",
  EDICT3043: "[1].all(__result__, true)",
  EDICT3044: "math.least('a')",
  EDICT3045: "{}.sortBy(x, x)",
  EDICT3050: "duration('1y')",
  EDICT3051: "timestamp('now')",
  EDICT3052: "ip('10.0.0.256') == ip(P.id)",
  EDICT3053: "'%q'.format([1])",
  EDICT3054: "cidr('10.0.0.0/33') == cidr(P.id)",
  EDICT3055: "'a'.matches('(')",
};

describe("every code", () => {
  const inForce = namesOf({ usesWat: "V.wat || C.wat", self: "V.self", a: "V.b", b: "V.a" });

  it.each(Object.entries(EXAMPLES))("%s is reported", (code, text) => {
    expect(checkExpression(source(text, inForce)).diagnostics.map((diagnostic) => diagnostic.code)).toContain(
      code,
    );
  });
});
