/** Globs: what they parse to, and what they match. The same table runs in the guest (test/assembly/decide/glob.test.ts). */
import { describe, expect, test } from "vitest";
import { globMatches, isGlob, MAX_ALTERNATIVES, parseGlob } from "../../../compiler/ir/glob.ts";
import { GLOB_CASES } from "../../support/glob-cases.ts";

describe("globs", () => {
  test.each(GLOB_CASES)("$pattern on $text is $want", ({ pattern, text, want }) => {
    const sequences = parseGlob(pattern);
    expect(sequences).toBeDefined();
    expect(globMatches(sequences ?? [], text)).toBe(want);
  });

  test.each(["[", "[]", "[a", "{a", "{a,b", "a\\", "[z-a]", "x}y{"])(
    "refuses the malformed pattern %s",
    (pattern) => {
      expect(parseGlob(pattern)).toBeUndefined();
    },
  );

  test("refuses alternatives that multiply beyond the limit", () => {
    const wide = "{a,b}".repeat(Math.log2(MAX_ALTERNATIVES) + 1);
    expect(parseGlob(wide)).toBeUndefined();
    expect(parseGlob("{a,b}".repeat(Math.log2(MAX_ALTERNATIVES)))).toHaveLength(MAX_ALTERNATIVES);
  });

  test("only a star makes a table key a glob", () => {
    expect([isGlob("view:*"), isGlob("a?"), isGlob("[ab]"), isGlob("{a,b}")]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
