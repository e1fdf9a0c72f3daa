/** compiler/cel/lexer.ts, text-literals.ts, number-literals.ts and parser.ts: text to syntax tree. */
import { describe, expect, it } from "vitest";
import { parse } from "../../../compiler/cel/parser.ts";
import { parsedText } from "./syntax-text.ts";

describe("precedence", () => {
  it.each([
    ["1 + 2 * 3", "_+_(1, _*_(2, 3))"],
    ["(1 + 2) * 3", "_*_(_+_(1, 2), 3)"],
    ["1 - 2 - 3", "_-_(_-_(1, 2), 3)"],
    ["8 / 4 % 2 * 3", "_*_(_%_(_/_(8, 4), 2), 3)"],
    ["1 < 2 == true", "_==_(_<_(1, 2), true)"],
    ["a in b in c", "@in(@in(a, b), c)"],
    ["a + 1 in b", "@in(_+_(a, 1), b)"],
    ["a || b && c || d", "or(a, and(b, c), d)"],
    ["(a || b) || c", "or(or(a, b), c)"],
    ["a ? b : c ? d : e", "_?_:_(a, b, _?_:_(c, d, e))"],
    ["a || b ? c && d : e", "_?_:_(or(a, b), and(c, d), e)"],
    ["a ? b ? c : d : e", "EDICT3001"],
    ["!a.b && !c", "and(!_(a.b), !_(c))"],
    ["-a.b + c", "_+_(-_(a.b), c)"],
    ["!!a", "a"],
    ["!!!a", "!_(a)"],
    ["--a", "a"],
    ["---a", "-_(a)"],
    ["!-1", "!_(-1)"],
    ["-!a", "EDICT3001"],
    ["!-a", "EDICT3001"],
    ["1 - -1", "_-_(1, -1)"],
    ["1 -1", "_-_(1, 1)"],
    ["1--1", "_-_(1, -1)"],
    ["-1.f()", "-1.f()"],
    ["-a.f()", "-_(a.f())"],
  ])("%s", (text, tree) => {
    expect(parsedText(text)).toBe(tree);
  });
});

describe("members", () => {
  it.each([
    ["a.b.c", "a.b.c"],
    ["a . b\n.c", "a.b.c"],
    [".a.b", ".a.b"],
    ["a.b(1, c).d", "a.b(1, c).d"],
    ["f()", "f()"],
    [".f(1)", "f(1)"],
    ["a[0][b]", "_[_](_[_](a, 0), b)"],
    ["a.?b.?c", "a.?b.?c"],
    ["a[?b]", "_[?_](a, b)"],
    ["a.`b-c/d.e f`", "a.b-c/d.e f"],
    ["a.?`b-c`", "a.?b-c"],
    ["a.`in`", "a.in"],
    ["a.if.for", "a.if.for"],
    ["true.b", "true.b"],
    ["a.in", "EDICT3001"],
    ["a.true", "EDICT3001"],
    ["a.", "EDICT3002"],
    ["a..b", "EDICT3001"],
    ["a.b(", "EDICT3002"],
    ["a.b(1,)", "EDICT3001"],
    ["a.?b(1)", "EDICT3001"],
    ["a[]", "EDICT3001"],
    ["a[1, 2]", "EDICT3001"],
    ["a.``", "EDICT3003"],
    ["a.`b$c`", "EDICT3003"],
    ["`a`", "EDICT3001"],
    ["a?.b", "EDICT3002"],
  ])("%s", (text, tree) => {
    expect(parsedText(text)).toBe(tree);
  });
});

describe("aggregates", () => {
  it.each([
    ["[]", "[]"],
    ["[1, ?a, [2]]", "[1, ?a, [2]]"],
    ["[1,]", "[1]"],
    ["[,]", "[]"],
    ["[,1]", "EDICT3001"],
    ["[1,,]", "EDICT3001"],
    ["{}", "{}"],
    ["{,}", "{}"],
    ["{1: a, ?'b': c,}", '{1: a, ?"b": c}'],
    ["{1: 2 3: 4}", "EDICT3001"],
    ["{1}", "EDICT3001"],
    ["a.b.C{d: 1, ?e: f, `g-h`: 2}", "a.b.C{d: 1, ?e: f, g-h: 2}"],
    [".a.B{}", "a.B{}"],
    ["A{,}", "A{}"],
    ["(A){}", "EDICT3001"],
    ["f(){}", "EDICT3001"],
    ["A{1: 2}", "EDICT3001"],
    ["A{in: 2}", "EDICT3001"],
  ])("%s", (text, tree) => {
    expect(parsedText(text)).toBe(tree);
  });
});

describe("numbers", () => {
  it.each([
    ["0", "0"],
    ["00012", "12"],
    ["-0", "0"],
    ["0x1F", "31"],
    ["-0x80", "-128"],
    ["9223372036854775807", "9223372036854775807"],
    ["9223372036854775808", "EDICT3006"],
    ["- 9223372036854775808", "-9223372036854775808"],
    ["-9223372036854775809", "EDICT3006"],
    ["0x7FFFFFFFFFFFFFFF", "9223372036854775807"],
    ["0x8000000000000000", "EDICT3006"],
    ["18446744073709551615u", "18446744073709551615u"],
    ["0xFFFFFFFFFFFFFFFFU", "18446744073709551615u"],
    ["18446744073709551616u", "EDICT3006"],
    [`${"0".repeat(5000)}7`, "7"],
    ["9".repeat(90_000), "EDICT3006"],
    ["1.5", "1.5d"],
    [".5e1", "5d"],
    ["1E-2", "0.01d"],
    ["-0.0", "-0d"],
    ["1e400", "EDICT3006"],
    ["1e-400", "0d"],
    ["-1u", "-_(1u)"],
    ["1.", "EDICT3002"],
    ["1.e5", "1.e5"],
    ["1.0.0", "EDICT3001"],
    ["1e", "EDICT3001"],
    ["0x", "EDICT3001"],
    ["1.5u", "EDICT3001"],
    ["1a", "EDICT3001"],
  ])("%.40s", (text, tree) => {
    expect(parsedText(text)).toBe(tree);
  });
});

describe("strings and bytes", () => {
  it.each([
    [String.raw`"a\x41\u00e9\U0001F600\101"`, '"aAé😀A"'],
    [String.raw`'\a\b\f\n\r\t\v\\\?\"\'\`'`, JSON.stringify("\u0007\b\f\n\r\t\v\\?\"'`")],
    [String.raw`"\xff\377"`, '"ÿÿ"'],
    [String.raw`b"\xff\377é"`, "b[255 255 195 169]"],
    [String.raw`r"\d\"`, String.raw`"\\d\\"`],
    [String.raw`bR'\x41'`, "b[92 120 52 49]"],
    ["'''a'b''c\nd'''", String.raw`"a'b''c\nd"`],
    ['"""a\r\nb\rc"""', String.raw`"a\nb\nc"`],
    ['r"""a\\"""', String.raw`"a\\"`],
    ['"" + ""', '_+_("", "")'],
    ["'' ''", "EDICT3001"],
    ["rb''", "EDICT3001"],
    ['"a\nb"', "EDICT3004"],
    ['"a', "EDICT3004"],
    ['"""a"', "EDICT3004"],
    ['"a\\"', "EDICT3004"],
    [String.raw`"\z"`, "EDICT3005"],
    [String.raw`"\12"`, "EDICT3005"],
    [String.raw`"\400"`, "EDICT3005"],
    [String.raw`"\x4"`, "EDICT3005"],
    [String.raw`"\ud800"`, "EDICT3005"],
    [String.raw`"\U00110000"`, "EDICT3005"],
    [String.raw`b"\u0041"`, "EDICT3005"],
    ['"\ud800"', "EDICT3011"],
  ])("%s", (text, tree) => {
    expect(parsedText(text)).toBe(tree);
  });
});

describe("words, space and comments", () => {
  it.each([
    ["// first\n a // last", "a"],
    ["\t\n\f\r a", "a"],
    ["a // b\n+ c", "_+_(a, c)"],
    ["", "EDICT3002"],
    ["  // nothing", "EDICT3002"],
    ["\u00a0a", "EDICT3003"],
    ["é", "EDICT3003"],
    ["a & b", "EDICT3003"],
    ["a = b", "EDICT3003"],
    ["a;", "EDICT3003"],
    ["in", "EDICT3001"],
    ["if", "EDICT3007"],
    ["package(1)", "EDICT3007"],
    ["nulls", "nulls"],
    ["_a1", "_a1"],
  ])("%j", (text, tree) => {
    expect(parsedText(text)).toBe(tree);
  });
});

it("gives every node the span of its text", () => {
  const parsed = parse(" a.b + f(1, [2]) ");
  expect(parsed).toMatchObject({
    ok: true,
    syntax: {
      span: { start: 1, end: 16 },
      nameSpan: { start: 5, end: 6 },
      args: [
        { span: { start: 1, end: 4 } },
        { span: { start: 7, end: 16 }, args: [{}, { span: { start: 12, end: 15 } }] },
      ],
    },
  });
});

it("says where and what the problem is", () => {
  expect(parse("a + )")).toEqual({
    ok: false,
    problem: { code: "EDICT3001", params: { found: ")", expected: "a value" }, span: { start: 4, end: 5 } },
  });
  expect(parse("[1")).toEqual({
    ok: false,
    problem: { code: "EDICT3002", params: { expected: "`]`" }, span: { start: 2, end: 2 } },
  });
});
