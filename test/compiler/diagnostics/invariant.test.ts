/** compiler/diagnostics/invariant.ts */
import { expect, it } from "vitest";
import { invariant, InvariantError, unreachable } from "../../../compiler/diagnostics/invariant.ts";

it("passes what holds and throws what does not", () => {
  expect(() => {
    invariant(1 + 1 === 2, "arithmetic");
  }).not.toThrow();
  expect(() => {
    invariant(false, "the sky is blue");
  }).toThrow(new InvariantError("invariant broken: the sky is blue"));
});

it("throws where no value should come", () => {
  expect(() => unreachable("surprise" as never)).toThrow(InvariantError);
});
