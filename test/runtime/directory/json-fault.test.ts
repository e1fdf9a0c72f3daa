/** Where a text stops being JSON, against `JSON.parse`: a text is refused if and only if it has a fault before its end. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonFault } from "../../../runtime/directory/json-fault.ts";

describe("a fault in JSON", () => {
  it.each([
    ["nonsense", 0],
    ['{"a" 1}', 5],
    ['{"a":1,}', 7],
    ["[1,]", 3],
    ["[1 2]", 3],
    ['{"a":01}', 5],
    ['{"a":tru}', 5],
    ['["a\nb"]', 1],
    ["[1}", 2],
    ["{} {}", 3],
    ['{"a":', 5],
  ])("in %j is at %i", (text, position) => {
    expect(jsonFault(text)).toBe(position);
  });

  it("is found in no valid text and in every other", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      "1",
      "-",
      ".5",
      "true",
      " ",
      "\\",
      "e",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = pieces.join("");
        let isValid = true;
        try {
          JSON.parse(text);
        } catch {
          isValid = false;
        }
        const fault = jsonFault(text);
        if (isValid) expect(fault).toBe(text.length);
        // What stands before the fault can still become JSON, or the fault is where the text ends too early.
        else expect(fault).toBeLessThanOrEqual(text.length);
        if (fault < text.length) expect(isValid).toBe(false);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(jsonFault(text)).toBe(text.length);
      }),
    );
  });
});
