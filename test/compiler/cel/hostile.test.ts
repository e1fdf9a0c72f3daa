/** compiler/cel on hostile text: no exception, no overflow of the stack, no runaway work. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkText } from "../../../compiler/cel/checker.ts";
import { unparse } from "../../../compiler/cel/unparse.ts";
import { anyExpression } from "./random-expressions.ts";

/** Codes of the problems, or the printed expression. */
function outcome(text: string): string {
  const { expr, problems } = checkText(text);
  for (const { span } of problems) {
    expect(span.start).toBeGreaterThanOrEqual(0);
    expect(span.end).toBeGreaterThanOrEqual(span.start);
    expect(span.end).toBeLessThanOrEqual(text.length);
  }
  return expr === undefined ? problems.map(({ code }) => code).join(" ") : unparse(expr);
}

describe("nesting", () => {
  it.each([
    ["parentheses", "(", "1", ")"],
    ["lists", "[", "1", "]"],
    ["maps", "{1: ", "1", "}"],
    ["calls", "dyn(", "1", ")"],
    ["indexes", "V.a[", "1", "]"],
    ["conditionals", "V.a ? 1 : ", "1", ""],
    ["binds", "cel.bind(x, 1, ", "x", ")"],
    ["macros", "[1].exists(x, ", "true", ")"],
    ["messages", "A{b: ", "1", "}"],
  ])("of %s is bounded", (_, open, middle, close) => {
    const nested = (depth: number): string => open.repeat(depth) + middle + close.repeat(depth);
    expect(outcome(nested(60))).not.toContain("EDICT3008");
    for (const depth of [300, 5000]) expect(outcome(nested(depth))).toBe("EDICT3008");
    expect(outcome(open.repeat(5000))).toBe("EDICT3008");
  });

  it.each([
    ["fields", (count: number) => `V.a${".b".repeat(count)}`],
    ["indexes", (count: number) => `V.a${"[0]".repeat(count)}`],
    ["methods", (count: number) => `V.a${".size()".repeat(count)}`],
    ["sums", (count: number) => `1${" + 1".repeat(count)}`],
    ["products", (count: number) => `1${" * 1".repeat(count)}`],
    ["relations", (count: number) => `true${" == true".repeat(count)}`],
  ])("of a chain of %s is bounded", (_, chain) => {
    expect(outcome(chain(400))).not.toContain("EDICT3008");
    for (const count of [600, 9000]) expect(outcome(chain(count))).toBe("EDICT3008");
  });

  it("does not grow with the number of signs or of operands of `&&`", () => {
    expect(outcome(`${"!".repeat(50_001)}true`)).toBe("!true");
    expect(outcome(`V.a${" && V.a".repeat(10_000)}`)).toContain("&& V.a");
    expect(outcome(`[${"1, ".repeat(30_000)}]`)).toContain("[1, 1");
  });
});

describe("size", () => {
  it("is bounded", () => {
    expect(outcome(`"${"a".repeat(100_000)}"`)).toBe("EDICT3009");
    expect(outcome(" ".repeat(99_999))).toBe("EDICT3002");
    expect(outcome(`//${"a".repeat(90_000)}`)).toBe("EDICT3002");
    expect(outcome('"\\'.repeat(40_000))).toBe("EDICT3004");
    expect(outcome('"\\n'.repeat(30_000))).toBe("EDICT3003");
  });

  it("of types is bounded, however much they share", () => {
    const binds = Array.from({ length: 100 }, (_, i) => `cel.bind(v${i + 1}, {v${i}: v${i}}, `).join("");
    expect(outcome(`cel.bind(v0, 1, ${binds}v100 == v99${")".repeat(101)}`)).toContain("EDICT3010");
    const open = Array.from({ length: 100 }, (_, i) => `cel.bind(v${i + 1}, [{v${i}: v${i}}, {}], `).join("");
    expect(outcome(`cel.bind(v0, [], ${open}v100 + v100${")".repeat(101)}`)).toContain("EDICT3010");
  });

  it("of the list of problems is bounded", () => {
    expect(checkText(`[${"wat, ".repeat(10_000)}]`).problems).toHaveLength(20);
  });
});

describe("any text", () => {
  it("over a small alphabet gives an expression or a problem", () => {
    const alphabet = [
      "1",
      "a",
      ".",
      "(",
      ")",
      "[",
      "]",
      "{",
      "}",
      "?",
      ":",
      ",",
      "-",
      "!",
      '"',
      "'",
      "\\",
      "`",
      "\n",
      "0x",
      "&&",
      "in",
    ];
    for (const a of alphabet) {
      for (const b of alphabet) {
        for (const c of alphabet) expect(outcome(a + b + c)).not.toBe("");
      }
    }
  });

  it("of random characters gives an expression or a problem", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => outcome(text) !== ""),
      { numRuns: 2000 },
    );
  });

  it("made by damaging an expression gives an expression or a problem", () => {
    const damage = fc.record({
      text: anyExpression,
      at: fc.nat(),
      drop: fc.nat({ max: 5 }),
      insert: fc.string({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(damage, ({ text, at, drop, insert }) => {
        const start = at % (text.length + 1);
        return outcome(text.slice(0, start) + insert + text.slice(start + drop)) !== "";
      }),
      { numRuns: 2000 },
    );
  });
});
