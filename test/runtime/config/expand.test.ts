/** Environment variables in configuration values. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expand } from "../../../runtime/config/expand.ts";

const ENVIRONMENT = { NAME: "value", EMPTY: "", NESTED: "${NAME}" };

describe("expand", () => {
  it.each([
    ["plain", "plain"],
    ["${NAME}", "value"],
    ["a-${NAME}-b${NAME}", "a-value-bvalue"],
    ["${MISSING:fallback}", "fallback"],
    ["${MISSING:}", ""],
    ["${MISSING:a:b}", "a:b"],
    ["${EMPTY:fallback}", ""],
    ["$$", "$"],
    ["$${NAME}", "${NAME}"],
    ["$NAME", "$NAME"],
    ["5$", "5$"],
    ["${NESTED}", "${NAME}"],
  ])("turns %s into %s", (text, value) => {
    expect(expand(text, ENVIRONMENT)).toEqual({ value });
  });

  it.each([
    ["${MISSING}", "environment variable `MISSING` is not set"],
    ["${}", "environment variable `` is not set"],
    ["${toString}", "environment variable `toString` is not set"],
    ["x ${NAME", "`${NAME` has no closing brace"],
  ])("refuses %s", (text, problem) => {
    expect(expand(text, ENVIRONMENT)).toEqual({ problem });
  });

  it("leaves text without dollar signs alone and never loops", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", " ", "{", "}", ":", "a", "b") }), (text) => {
        const result = expand(text, { a: "1", b: "2" });
        return text.includes("$") || ("value" in result && result.value === text);
      }),
      { numRuns: 2000 },
    );
  });
});
