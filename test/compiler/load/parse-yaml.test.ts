/** compiler/load/parse-yaml.ts, with the conversion and the syntax errors behind it */
import { describe, expect, it } from "vitest";
import { LineIndex } from "../../../compiler/load/line-index.ts";
import type { Node } from "../../../compiler/load/node.ts";
import { parseYaml } from "../../../compiler/load/parse-yaml.ts";

/** A tree as plain values; repeated keys would be lost, but there are none in a tree. */
function plain(node: Node | undefined): unknown {
  switch (node?.kind) {
    case "scalar":
      return node.value;
    case "list":
      return node.items.map(plain);
    case "map":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, plain(value)]));
    case undefined:
      return undefined;
  }
}

function parse(text: string): unknown {
  const parsed = parseYaml(text);
  expect(parsed.problems).toEqual([]);
  expect(parsed.roots).toHaveLength(1);
  return plain(parsed.roots[0]);
}

/** Problems as `EDICT1101 line:column $.path`. */
function problems(text: string): string[] {
  const lines = new LineIndex(text);
  return parseYaml(text).problems.map(({ code, offset, path }) => {
    const { line, column } = lines.position(offset);
    return `${code} ${line}:${column} ${path}`;
  });
}

describe("values", () => {
  it("end a block scalar without a line break where the file does", () => {
    expect(parse("a: >\n  x\n  y")).toEqual({ a: "x y" });
    expect(parse("a: |\n  x\n")).toEqual({ a: "x\n" });
    expect(parse("a: |-\n  x\n")).toEqual({ a: "x" });
    expect(parse("a: |+\n  x\n\n")).toEqual({ a: "x\n\n" });
  });

  it("read JSON with tabs, escapes and a byte order mark", () => {
    expect(parse('\ufeff{\n\t"a": [\n\t\t1,\n\t\t"x\\/y\\u0041"\n\t]\n}\n')).toEqual({ a: [1, "x/yA"] });
  });

  it("tell keys that are strings from others", () => {
    const { roots } = parseYaml("'1': a\n1: b\ntrue: c\n");
    const keys =
      roots[0]?.kind === "map" ? roots[0].entries.map(({ key, keyIsString }) => [key, keyIsString]) : [];
    // The second `1` has the same text, so it counts as a repetition.
    expect(keys).toEqual([
      ["1", true],
      ["true", false],
    ]);
  });
});

describe("flow collections closed too far left", () => {
  it("are read like any other", () => {
    expect(parse("a:\n  b: [\n    {c: 1,\n},\n    2\n]\nd: 3\n")).toEqual({ a: { b: [{ c: 1 }, 2] }, d: 3 });
  });

  it("keep the places of what follows", () => {
    expect(problems("a: [\n  1,\n]\n\nx: 1\nx: 2\n")).toEqual(["EDICT1106 6:1 $.x"]);
  });

  it("are still errors when they are not closed at all", () => {
    expect(problems("a: [1, 2\nb: c\n")).toEqual(["EDICT1101 2:1 $"]);
  });
});

describe("aliases and merges", () => {
  it("share values, across nested use", () => {
    expect(parse("a: &x [1]\nb: {c: *x}\n")).toEqual({ a: [1], b: { c: [1] } });
  });

  it("merge maps below the keys that a map has itself, wherever `<<` stands", () => {
    expect(parse("b: &b {x: 1, y: 2}\nc: {x: 3, <<: *b}\nd: {<<: *b, y: 4}\n")).toEqual({
      b: { x: 1, y: 2 },
      c: { x: 3, y: 2 },
      d: { x: 1, y: 4 },
    });
  });

  it("merge lists of maps, the first winning, and merges in merges", () => {
    const text = "a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: &c {<<: [*a, *b]}\nd: {<<: *c, z: 3}\n";
    expect(parse(text)).toMatchObject({ c: { x: 1, y: 2 }, d: { x: 1, y: 2, z: 3 } });
  });

  it("do not merge deeply, nor where `<<` is quoted", () => {
    expect(parse("a: &a {m: {x: 1}}\nb: {<<: *a, m: {y: 2}}\n")).toMatchObject({ b: { m: { y: 2 } } });
    expect(parse('a: {"<<": 1}\n')).toEqual({ a: { "<<": 1 } });
  });

  it("are refused when unknown, defined twice, inside their own value, or not maps in a merge", () => {
    expect(problems("a: *x\n")).toEqual(["EDICT1107 1:4 $.a"]);
    expect(problems("a: &x 1\nb: &x 2\n")).toEqual(["EDICT1108 2:4 $.b"]);
    expect(problems("a: &x {b: *x}\n")).toEqual(["EDICT1114 1:11 $.a.b"]);
    expect(problems("a: &x 1\nb: {<<: *x}\n")).toEqual(["EDICT1112 1:7 $.b.<<"]);
  });
});

describe("problems in the tree", () => {
  it("are all reported, with their paths", () => {
    expect(problems("a: {b: 1, b: 2}\nc:\n  - {d: *x}\n  - ? [k]\n    : v\ne: {f:1}\n")).toEqual([
      "EDICT1106 1:11 $.a.b",
      "EDICT1107 3:9 $.c[0].d",
      "EDICT1111 4:7 $.c[1]",
      "EDICT1113 6:5 $.e.f:1",
    ]);
  });
});

describe("tags", () => {
  it("are refused, so that a negated expression without quotes is never read as its rest", () => {
    expect(problems("expr: !has(R.attr.a) && true\n")).toEqual(["EDICT1115 1:25 $.expr"]);
    expect(problems("- !has(R.attr.a)\n- !!binary aGk=\n- ! x\n")).toEqual([
      "EDICT1115 1:17 $[0]",
      "EDICT1115 2:12 $[1]",
      "EDICT1115 3:5 $[2]",
    ]);
  });

  it("of the core schema change nothing", () => {
    expect(parse("[!!str a, !!int 1, !!float 1, !!bool true, !!null ~, !!map {}, !!seq []]\n")).toEqual([
      "a",
      1,
      1,
      true,
      null,
      {},
      [],
    ]);
  });
});

describe("syntax errors", () => {
  it.each([
    ["a: 1\nb: 'x\n", ["EDICT1102 2:4 $"]],
    ['"x: y\n', ["EDICT1102 1:1 $"]],
    ['- "a" in b\n- "c"\n- \'d\' == e\n', ["EDICT1103 1:3 $", "EDICT1103 3:3 $"]],
    ["a:\n  b! c\n  d: e\n", ["EDICT1101 2:3 $"]],
    ["a: b: c\n", ["EDICT1101 1:4 $"]],
    ["a:\n\tb: c\n", ["EDICT1101 2:1 $"]],
    ["a: @x\nb: `y`\n", ["EDICT1101 1:4 $", "EDICT1101 2:4 $"]],
    ['a: "\\q"\n', ["EDICT1101 1:5 $"]],
  ])("are placed where the mistake is: %j", (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});

const repeat = (text: string, count: number): string => text.repeat(count);

const nest = (inner: string): string => repeat("[", 60) + inner + repeat("]", 60);

describe("hostile input", () => {
  it.each([
    ["deep flow", repeat("[", 20_000), "EDICT1110"],
    ["deep closed flow", repeat("[", 300) + repeat("]", 300), "EDICT1110"],
    ["deep block", `${repeat("- ", 300)}x`, "EDICT1110"],
    ["deeper block", `${repeat("- ", 20_000)}x`, "EDICT1110"],
    ["quotes", repeat('"', 20_001), "EDICT1103"],
    ["bangs", repeat("!", 50_000), "EDICT1101"],
  ])("%s is a problem, not a crash", (_, text, code) => {
    const found = parseYaml(text).problems;
    expect(found.map((problem) => problem.code)).toContain(code);
    expect(found.length).toBeLessThanOrEqual(50);
  });

  it("cannot unfold a few aliases into millions of values", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let n = 1; n < 10; n++) {
      lines.push(
        `a${n}: &a${n} [${Array(10)
          .fill(`*a${n - 1}`)
          .join(", ")}]`,
      );
    }
    expect(parseYaml(lines.join("\n")).problems.map(({ code }) => code)).toEqual(["EDICT1109"]);
  });

  it("cannot nest deeply by aliases of aliases", () => {
    const text = `a: &a ${nest("x")}\nb: &b ${nest("*a")}\n`;
    expect(parseYaml(text).problems.map(({ code }) => code)).toEqual(["EDICT1110"]);
  });

  it("reports a bounded number of problems", () => {
    const text = `a: {${Array.from({ length: 500 }, (_, n) => `k${n}: *x`).join(", ")}}`;
    expect(parseYaml(text).problems).toHaveLength(50);
  });
});

const contentOf = (text: string): string => {
  const [root] = parseYaml(text).roots;
  const node = root?.kind === "map" ? root.entries[0]?.value : undefined;
  return text.slice(node?.kind === "scalar" ? node.contentOffset : 0).split("\n")[0] ?? "";
};

describe("places of content", () => {
  it.each([
    ["plain", "a: x == 1\n", "x == 1"],
    ["double-quoted", 'a: "x == 1"\n', 'x == 1"'],
    ["single-quoted", "a: 'x == 1'\n", "x == 1'"],
    ["literal", "a: |-\n    x == 1\n", "x == 1"],
    ["folded after a comment and blank lines", "a: > # why\n\n\n    x == 1\n", "x == 1"],
    ["block with spaces of its own", "a: |2\n      x\n", "    x"],
    ["with CRLF", "a: |-\r\n    x\r\n", "x\r"],
  ])("%s: the first character of the text", (_, text, expected) => {
    expect(contentOf(text)).toBe(expected);
  });
});
