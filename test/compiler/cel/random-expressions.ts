/** Random CEL text for property tests: mostly well-formed, often well-typed. */
import * as fc from "fast-check";

const ATOMS = [
  "1",
  "2u",
  "1.5",
  '"a"',
  "b'x'",
  "true",
  "null",
  "[]",
  "{}",
  "[1]",
  "['a', 1]",
  "{'a': 1}",
  "P.attr.x",
  "R.attr.y",
  "P.id",
  "P.roles",
  "V.a",
  "C.b",
  "G.c",
  "now()",
  "duration('1s')",
  "optional.of(1)",
  "P.attr.?x",
  "hierarchy('a.b')",
  "int",
  "x",
  "y",
  "-1",
  "-0.0",
  "request",
  "runtime.effectiveDerivedRoles",
];
const INFIX = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", "in", "&&", "||"];
const METHODS = [
  "size",
  "sort",
  "reverse",
  "first",
  "value",
  "hasValue",
  "getHours",
  "trim",
  "timeSince",
  "flatten",
];
const METHODS_OF_ONE = ["contains", "split", "orValue", "except", "isSubset", "join", "indexOf"];
const FUNCTIONS = [
  "size",
  "int",
  "string",
  "dyn",
  "type",
  "optional.of",
  "math.abs",
  "math.greatest",
  "timestamp",
  "timeSince",
];
const MACROS = ["all", "exists", "exists_one", "map", "filter", "sortBy", "optMap", "optFlatMap"];
const MACROS_OF_TWO = ["all", "exists", "existsOne", "transformList", "transformMap", "transformMapEntry"];

function one(words: readonly string[]): fc.Arbitrary<string> {
  return fc.constantFrom(...words);
}

const { expr } = fc.letrec<{ expr: string }>((tie) => {
  const e = tie("expr");
  return {
    expr: fc.oneof(
      { maxDepth: 4, depthSize: "small", withCrossShrink: true },
      one(ATOMS),
      fc.tuple(e, one(INFIX), e).map(([a, op, b]) => `(${a} ${op} ${b})`),
      fc.tuple(e, e, e).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc.tuple(one(["!", "-"]), e).map(([sign, a]) => `${sign}(${a})`),
      fc.array(e, { maxLength: 3 }).map((items) => `[${items.join(", ")}]`),
      fc
        .array(fc.tuple(e, e), { maxLength: 2 })
        .map((items) => `{${items.map(([k, v]) => `${k}: ${v}`).join(", ")}}`),
      fc.tuple(e, one(METHODS)).map(([a, name]) => `${a}.${name}()`),
      fc.tuple(e, one(METHODS_OF_ONE), e).map(([a, name, b]) => `${a}.${name}(${b})`),
      fc.tuple(one(FUNCTIONS), e).map(([name, a]) => `${name}(${a})`),
      fc.tuple(e, one(["", "?"]), e).map(([a, mark, b]) => `${a}[${mark}${b}]`),
      fc.tuple(e, one([".", ".?"]), one(["a", "`b-c`"])).map((parts) => parts.join("")),
      fc.tuple(e, one(MACROS), one(["x", "y"]), e).map(([a, name, v, b]) => `${a}.${name}(${v}, ${b})`),
      fc.tuple(e, one(MACROS_OF_TWO), e).map(([a, name, b]) => `${a}.${name}(x, y, ${b})`),
      fc.tuple(one(["x", "y"]), e, e).map(([v, a, b]) => `cel.bind(${v}, ${a}, ${b})`),
      e.map((a) => `has(${a}.b)`),
    ),
  };
});

/** CEL text. */
export const anyExpression = expr;
