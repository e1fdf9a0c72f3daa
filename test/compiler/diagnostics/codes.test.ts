/** compiler/diagnostics/codes.ts and the tables it merges */
import { describe, expect, it } from "vitest";
import { bundleCodes } from "../../../compiler/diagnostics/bundle-codes.ts";
import { celCodes } from "../../../compiler/diagnostics/cel-codes.ts";
import type { CodeEntry } from "../../../compiler/diagnostics/code-table.ts";
import { codes, compareDiagnostics, diagnose } from "../../../compiler/diagnostics/codes.ts";
import { emitCodes } from "../../../compiler/diagnostics/emit-codes.ts";
import { InvariantError } from "../../../compiler/diagnostics/invariant.ts";
import { irCodes } from "../../../compiler/diagnostics/ir-codes.ts";
import { lintCodes } from "../../../compiler/diagnostics/lint-codes.ts";
import { loadCodes } from "../../../compiler/diagnostics/load-codes.ts";
import { policyCodes } from "../../../compiler/diagnostics/policy-codes.ts";

const entries = Object.entries<CodeEntry>(codes);
const PLACE = { file: "a.yaml", line: 1, column: 1, path: "$" };

describe("the tables", () => {
  const tables = [loadCodes, policyCodes, celCodes, irCodes, emitCodes, bundleCodes, lintCodes].map((table) =>
    Object.keys(table),
  );

  it("hold each code once, in the table of its stage", () => {
    expect(tables.flat().sort()).toEqual(Object.keys(codes).sort());
    for (const [index, keys] of tables.entries()) {
      expect(keys.filter((code) => !new RegExp(`^EDICT${index + 1}\\d{3}$`).test(code))).toEqual([]);
    }
  });

  it.each(entries)(
    "%s: the message is one lower-case line without a final period",
    (_, { message, help }) => {
      for (const text of [message, help]) {
        expect(text).not.toMatch(/\n|\.$|^\s|\s$|^$/);
        expect(text).toMatch(/^[a-z`{]|^CEL\b/);
        expect((text.match(/`/g) ?? []).length % 2).toBe(0);
      }
    },
  );
});

describe("diagnose", () => {
  it("fills parameters into message and help", () => {
    const { message, help } = diagnose("EDICT2001", { field: "foo", advice: "did you mean `food`?" }, PLACE);
    expect([message, help]).toEqual(["unknown field `foo`", "did you mean `food`?"]);
  });

  it("is an error unless the table says otherwise, and underlines one character unless told", () => {
    expect(diagnose("EDICT2106", {}, PLACE)).toMatchObject({ severity: "error", length: 1 });
    expect(diagnose("EDICT2108", {}, PLACE, 4)).toMatchObject({ severity: "warning", length: 4 });
  });

  it("keeps user text on one line, short and free of control characters", () => {
    const { message } = diagnose(
      "EDICT2001",
      { field: `a\n\u001b[31m${"x".repeat(500)}`, advice: "" },
      PLACE,
    );
    expect(message).toMatch(/^unknown field `a\\n\\u001b\[31mx+…`$/);
    expect(message.length).toBeLessThan(200);
  });

  it("refuses to make a message with a parameter missing: that is our bug", () => {
    expect(() => diagnose("EDICT2001", {}, PLACE)).toThrow(InvariantError);
  });
});

const at = (file: string, line: number, column: number) =>
  diagnose("EDICT2106", {}, { file, line, column, path: "$" });

it("orders diagnostics by place, then code", () => {
  const sorted = [at("a", 1, 2), at("a", 2, 1), at("a", 10, 1), at("b", 1, 1)];
  expect(sorted.toReversed().sort(compareDiagnostics)).toEqual(sorted);
});
