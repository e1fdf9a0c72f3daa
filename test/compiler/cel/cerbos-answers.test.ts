/**
 * compiler/cel against the real Cerbos 0.55: cerbos-answers.json holds expressions of our own and whether its compiler
 * accepts them (as conditions of a policy with the variables foo and bar and the constant cc).
 */
import { describe, expect, it } from "vitest";
import { checkText } from "../../../compiler/cel/checker.ts";
import answers from "./cerbos-answers.json" with { type: "json" };

const DEFINED = new Set(["variable foo", "variable bar", "constant cc"]);

/** Refused by us though Cerbos accepts it; each must still be refused. */
const KNOWN_DIFFERENCES: ReadonlyMap<string, string> = new Map([
  [
    "has(has(P.attr.x))",
    "cel-go takes the expanded inner macro for a selection; has() of a bool means nothing",
  ],
  ["google.protobuf.Int32Value", "fails whenever it is evaluated: it is no type of any value"],
  ['cerbos.engine.v1.Principal{id: "a"}', "messages of Cerbos's own API are no values here"],
]);

describe("what Cerbos accepts and refuses", () => {
  it.each(answers.map(([text, accepted]) => ({ text: String(text), accepted: accepted === true })))(
    "$text",
    ({ text, accepted }) => {
      const { expr, references } = checkText(text);
      const isDefined = references.every(({ kind, name }) => DEFINED.has(`${kind} ${name}`));
      if (KNOWN_DIFFERENCES.has(text)) {
        expect(expr === undefined).toBe(accepted);
      } else {
        expect(expr !== undefined && isDefined).toBe(accepted);
      }
    },
  );
});
