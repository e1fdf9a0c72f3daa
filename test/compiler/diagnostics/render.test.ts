/** compiler/diagnostics/render.ts */
import { describe, expect, it } from "vitest";
import { diagnose } from "../../../compiler/diagnostics/codes.ts";
import type { Diagnostic } from "../../../compiler/diagnostics/diagnostic.ts";
import { render, renderOne, summary, toJson } from "../../../compiler/diagnostics/render.ts";

const unknownField = (line: number, column: number, length = 3, file = "a.yaml"): Diagnostic =>
  diagnose(
    "EDICT2001",
    { field: "foo", advice: "did you mean `food`?" },
    { file, line, column, path: "$.x.foo" },
    length,
  );

describe("text", () => {
  it("shows the place, the line underlined, the path and the help", () => {
    const text = "x:\n  foo: bar\n";
    expect(renderOne(unknownField(2, 3), text)).toBe(
      [
        "a.yaml:2:3: error EDICT2001: unknown field `foo`",
        "  2 |   foo: bar",
        "    |   ^^^",
        "  at $.x.foo",
        "  help: did you mean `food`?",
      ].join("\n"),
    );
  });

  it("does without the line where the file is not known or the line is empty", () => {
    const first = "a.yaml:2:3: error EDICT2001: unknown field `foo`";
    expect(renderOne(unknownField(2, 3), undefined).split("\n").slice(0, 2)).toEqual([first, "  at $.x.foo"]);
    expect(renderOne(unknownField(9, 3), "x:\n").split("\n")).toHaveLength(3);
    expect(renderOne(unknownField(1, 1), "\n").split("\n")).toHaveLength(3);
  });

  it("never underlines past the end of the line", () => {
    expect(renderOne(unknownField(1, 1, 500), "foo: x\r\n").split("\n")[2]).toBe("    | ^^^^^^");
  });

  it("keeps the caret below its character after tabs and control characters", () => {
    const [, line, carets] = renderOne(unknownField(1, 4), "\t\u001b foo\n").split("\n");
    expect(line).toBe("  1 |  \u00b7 foo");
    expect(carets?.indexOf("^")).toBe(line?.indexOf("foo"));
  });

  it("cuts a long line around the place", () => {
    const text = `${"a".repeat(500)}foo${"b".repeat(500)}\n`;
    const [, line = "", carets = ""] = renderOne(unknownField(1, 501), text).split("\n");
    expect(line.length).toBeLessThan(140);
    expect(line.slice(carets.indexOf("^"))).toMatch(/^foo/);
  });

  it("lists all diagnostics, then counts them", () => {
    const warning = diagnose("EDICT2108", {}, { file: "b.yaml", line: 1, column: 1, path: "$" });
    const text = render([unknownField(1, 1), warning], [{ path: "a.yaml", text: "foo: 1\n" }]);
    expect(text.split("\n\n")).toHaveLength(3);
    expect(text.endsWith("\n\n1 error, 1 warning\n")).toBe(true);
    expect(render([], [])).toBe("");
  });
});

it("counts in words", () => {
  const warning = diagnose("EDICT2108", {}, { file: "b.yaml", line: 1, column: 1, path: "$" });
  expect(summary([unknownField(1, 1), unknownField(1, 1)])).toBe("2 errors");
  expect(summary([warning])).toBe("1 warning");
  expect(summary([])).toBe("0 errors");
});

it("has a flat JSON form", () => {
  expect(toJson(unknownField(2, 3))).toEqual({
    code: "EDICT2001",
    severity: "error",
    message: "unknown field `foo`",
    help: "did you mean `food`?",
    file: "a.yaml",
    line: 2,
    column: 3,
    length: 3,
    path: "$.x.foo",
  });
});
