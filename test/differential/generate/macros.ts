/**
 * Macros and the other forms that are no plain calls: comprehensions, `has`, `cel.bind`, logic, `?:`, optional selection,
 * `format`, `math.greatest`, and the clock in ways that do not depend on the second. Comprehensions that give a list only
 * go over lists, since the real Cerbos visits the keys of a map in random order.
 */
import type { CelType } from "../../../compiler/cel/expression.ts";
import { BOOL, DOUBLE, DYN, INT, STRING, UINT, listOf, mapOf } from "../../../compiler/cel/types.ts";
import { attributesOf } from "./attributes.ts";
import { quoted } from "./literals.ts";
import { wholeValue } from "./whole-values.ts";
import { guarded, type Writing } from "./writing.ts";

/** A macro that gives the type, or undefined. */
export function macro(writer: Writing, type: CelType, depth: number): string | undefined {
  const { kind } = type;
  if (kind === "bool") return writer.random.chance(0.25) ? presence(writer) : quantified(writer, depth);
  if (kind === "list") return listComprehension(writer, type.element, depth);
  if (kind === "map") return mapComprehension(writer, type.key, type.value, depth);
  if (kind === "optional") return optionalForm(writer, type.value, depth);
  return bound(writer, type, depth);
}

function presence(writer: Writing): string {
  const { random } = writer;
  const name = random.pick([...attributesOf("n", "word", "map", "null", "record"), "missing"], "n");
  const owner = random.pick(["P", "R"], "R");
  return random.chance(0.4) ? `has(${owner}.attr.${name}.k)` : `has(${owner}.attr.${name})`;
}

function quantified(writer: Writing, depth: number): string {
  const { random } = writer;
  const range = writer.collectionType();
  const list = guarded(writer.write(range, depth - 1));
  const name = writer.freshName();
  if (range.kind !== "list" && range.kind !== "map") return "true";
  const element = range.kind === "list" ? range.element : range.key;
  if (random.chance(0.7)) {
    const body = writer.within([{ name, type: element }], () => writer.write(BOOL, depth - 1));
    // Over constants, Cerbos takes `all(x, true)` and `exists(x, false)` for null (docs/differences.md).
    const hidden = /^(?:true|false)$/.test(body) ? `dyn(${body})` : body;
    return `${list}.${random.pick(["all", "exists", "exists_one"], "all")}(${name}, ${hidden})`;
  }
  const second = writer.freshName();
  const names = [
    { name, type: range.kind === "list" ? INT : range.key },
    { name: second, type: range.kind === "list" ? range.element : range.value },
  ];
  const body = writer.within(names, () => writer.write(BOOL, depth - 1));
  return `${list}.${random.pick(["all", "exists", "existsOne"], "all")}(${name}, ${second}, ${body})`;
}

function listComprehension(writer: Writing, element: CelType, depth: number): string {
  const { random } = writer;
  const name = writer.freshName();
  const over = random.chance(0.4) ? element : writer.simpleType();
  const range = (type: CelType): string => guarded(writer.write(listOf(type), depth - 1, "word"));
  const source = notAMap(range(over));
  const inside = (type: CelType, names = [{ name, type: over }]): string =>
    writer.within(names, () => writer.write(type, depth - 1));
  switch (random.below(5)) {
    case 0:
      return `${notAMap(range(element))}.filter(${name}, ${writer.within([{ name, type: element }], () => writer.write(BOOL, depth - 1))})`;
    case 1:
      return `${source}.map(${name}, ${inside(BOOL)}, ${inside(element)})`;
    case 2: {
      const second = writer.freshName();
      const names = [
        { name, type: INT },
        { name: second, type: over },
      ];
      const filter = random.chance(0.4) ? `${inside(BOOL, names)}, ` : "";
      return `${source}.transformList(${name}, ${second}, ${filter}${inside(element, names)})`;
    }
    case 3: {
      const list = notAMap(range(element));
      return `${list}.sortBy(${name}, ${writer.within([{ name, type: element }], () => writer.write(random.pick([INT, STRING, DOUBLE], INT), depth - 1))})`;
    }
    default:
      return `${source}.map(${name}, ${inside(element)})`;
  }
}

/** Attributes may hold maps; a list of them in front makes a list of whatever it is, or an error. */
function notAMap(range: string): string {
  return /attr/.test(range) ? `([] + ${range})` : range;
}

function mapComprehension(writer: Writing, key: CelType, value: CelType, depth: number): string {
  const { random } = writer;
  const [first, second] = [writer.freshName(), writer.freshName()];
  const source = guarded(writer.write(mapOf(key, writer.simpleType()), depth - 1));
  const inside = (type: CelType, keyType: CelType): string =>
    writer.within(
      [
        { name: first, type: keyType },
        { name: second, type: DYN },
      ],
      () => writer.write(type, depth - 1),
    );
  if (random.chance(0.3)) {
    const list = guarded(writer.write(listOf(writer.simpleType()), depth - 1));
    return `${list}.transformMapEntry(${first}, ${second}, {${first}: ${inside(value, INT)}})`;
  }
  const filter = random.chance(0.4) ? `${inside(BOOL, key)}, ` : "";
  return `${source}.transformMap(${first}, ${second}, ${filter}${inside(value, key)})`;
}

function optionalForm(writer: Writing, value: CelType, depth: number): string {
  const { random } = writer;
  const name = writer.freshName();
  const inside = (type: CelType, over: CelType): string =>
    writer.within([{ name, type: over }], () => writer.write(type, depth - 1));
  const over = writer.simpleType();
  const source = writer.leaf({ kind: "optional", value: over });
  switch (random.below(5)) {
    case 0:
      return `${source}.optMap(${name}, ${inside(value, over)})`;
    case 1:
      return `${source}.optFlatMap(${name}, ${inside({ kind: "optional", value }, over)})`;
    case 2:
      return `${guarded(writer.write(listOf(value), depth - 1))}[?${writer.leaf(INT)}]`;
    case 3:
      return `${guarded(writer.write(mapOf(STRING, value), depth - 1))}[?${writer.leaf(STRING)}]`;
    default:
      return `optional.ofNonZeroValue(${writer.write(value, depth - 1)})`;
  }
}

function bound(writer: Writing, type: CelType, depth: number): string {
  const name = writer.freshName();
  const over = writer.simpleType();
  const value = writer.write(over, depth - 1);
  const body = writer.within([{ name, type: over }], () => writer.write(type, depth - 1));
  return `cel.bind(${name}, ${value}, ${body})`;
}

/** A form that is neither macro nor plain call, or undefined where the type has none. */
export function special(writer: Writing, type: CelType, depth: number): string | undefined {
  const { random } = writer;
  if (random.chance(0.12)) {
    const form = wholeValue(writer, type, depth);
    if (form !== undefined) return form;
  }
  if (random.chance(0.3)) {
    const [test, yes, no] = [BOOL, type, type].map((each) => writer.write(each, depth - 1));
    return `(${test} ? ${yes} : ${no})`;
  }
  if (random.chance(0.2))
    return `${writer.leaf({ kind: "optional", value: type })}.orValue(${writer.write(type, depth - 1)})`;
  const { kind } = type;
  if (kind === "bool") return random.chance(0.15) ? clock(writer) : logic(writer, depth);
  if (kind === "string") return formatted(writer, depth);
  if (kind === "int" || kind === "uint" || kind === "double") return extreme(writer, type, depth);
  if (kind === "list") return literalList(writer, type.element, depth);
  if (kind === "map") {
    return `{?${writer.write(type.key, depth - 1)}: ${writer.leaf({ kind: "optional", value: type.value })}}`;
  }
  return undefined;
}

function logic(writer: Writing, depth: number): string {
  const operator = writer.random.chance(0.5) ? "&&" : "||";
  const count = 2 + writer.random.below(2);
  return `(${Array.from({ length: count }, () => operand(writer, depth)).join(` ${operator} `)})`;
}

/** No constant that is no bool: Cerbos leaves it out where it folds constants (docs/differences.md). */
function operand(writer: Writing, depth: number): string {
  const text = writer.write(BOOL, depth - 1);
  return /^(?:dyn|id|optional)\b/.test(text) && !/attr/.test(text) ? "true" : text;
}

function clock(writer: Writing): string {
  const forms = [
    'now() > timestamp("2020-01-01T00:00:00Z")',
    "now() == now()",
    'timestamp("2020-01-01T00:00:00Z").timeSince() > duration("24h")',
    'timeSince(timestamp(R.attr.instant)) < duration("1h")',
    "now().getFullYear() < 2020",
    "(now() - now()) == duration('0s')",
  ];
  return `(${writer.random.pick(forms, "now() == now()")})`;
}

function formatted(writer: Writing, depth: number): string {
  const { random } = writer;
  const clauses: readonly (readonly [string, CelType])[] = [
    ["%s", random.pick([STRING, INT, BOOL, DOUBLE, DYN, listOf(INT), UINT], STRING)],
    ["%d", random.pick([INT, UINT, DYN], INT)],
    ["%x", random.pick([INT, STRING, UINT], INT)],
    ["%o", INT],
    ["%b", random.pick([INT, BOOL], INT)],
    ["%.2f", DOUBLE],
    ["%.3e", DOUBLE],
    ["%f", random.pick([DOUBLE, DYN], DOUBLE)],
  ];
  const used = Array.from({ length: 1 + random.below(2) }, () =>
    random.pick(clauses, ["%s", STRING] as const),
  );
  const text = quoted(used.map(([clause]) => clause).join(random.pick(["", "-", " %% "], "")));
  return `${text}.format([${used.map(([, each]) => writer.write(each, depth - 1)).join(", ")}])`;
}

function extreme(writer: Writing, type: CelType, depth: number): string {
  const { random } = writer;
  const name = random.pick(["math.greatest", "math.least"], "math.least");
  const args = Array.from({ length: 1 + random.below(3) }, () => writer.write(type, depth - 1));
  return random.chance(0.2) ? `${name}([${args.join(", ")}])` : `${name}(${args.join(", ")})`;
}

function literalList(writer: Writing, element: CelType, depth: number): string {
  const { random } = writer;
  const items = Array.from({ length: random.below(4) }, () =>
    random.chance(0.1)
      ? `?${writer.leaf({ kind: "optional", value: element })}`
      : writer.write(element, depth - 1),
  );
  return `[${items.join(", ")}]`;
}
