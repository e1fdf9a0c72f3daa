/**
 * Conditions: trees of expressions, in the three ways an error can count (DESIGN.md 4.5). Yields an outcome; what an
 * outcome means for a rule is in decide.ts.
 *
 * compatible   an expression that errors is false, so `none` of it holds
 * fail-closed  three-valued: an error spreads unless another member decides (Kleene's strong logic), in any order
 * strict       members are evaluated left to right until one decides; an error met on the way ends the condition
 */
import { NONE, type ConditionId, type ExprId, type Program } from "../../../compiler/ir/program.ts";
import { evaluate, type Inputs } from "./expressions.ts";

export type ErrorMode = "fail-closed" | "compatible" | "strict";
export type Outcome = "true" | "false" | "error";

/** What an expression that fails counts as in compatible mode; only tests say anything but false. */
export type Guess = (expr: ExprId) => boolean;

/** The outcome of a condition; NONE (no condition) is true. */
export function satisfies(
  program: Program,
  inputs: Inputs,
  id: ConditionId,
  mode: ErrorMode,
  guess: Guess,
): Outcome {
  if (id === NONE) return "true";
  const condition = program.conditions[id];
  if (condition === undefined) throw new Error(`the program has no condition ${id}`);
  switch (condition.kind) {
    case "expr":
      return leaf(program, inputs, condition.expr, mode, guess);
    case "all":
      return members(program, inputs, condition.of, mode, guess, "false");
    case "any":
      return members(program, inputs, condition.of, mode, guess, "true");
    case "none":
      return negate(members(program, inputs, condition.of, mode, guess, "true"));
  }
}

/**
 * A result that is not a bool is false in Cerbos, strict or not. Fail-closed counts it as an error (wrong type), so
 * that `R.attr.blocked` holding the text "true" cannot switch a DENY off.
 */
function leaf(program: Program, inputs: Inputs, expr: ExprId, mode: ErrorMode, guess: Guess): Outcome {
  let value = evaluate(program, inputs, expr);
  // An optional counts as what it holds, however often wrapped.
  while (value.kind === "optional" && value.value !== undefined) value = value.value;
  if (value.kind === "bool") return value.value ? "true" : "false";
  if (mode === "fail-closed") return "error";
  if (mode === "strict") return value.kind === "error" ? "error" : "false";
  return guess(expr) ? "true" : "false";
}

/** `all` is decided by a false member, `any` by a true one; otherwise an error, otherwise the opposite. */
function members(
  program: Program,
  inputs: Inputs,
  ids: readonly ConditionId[],
  mode: ErrorMode,
  guess: Guess,
  decisive: "true" | "false",
): Outcome {
  let failed = false;
  for (const id of ids) {
    const outcome = satisfies(program, inputs, id, mode, guess);
    if (outcome === decisive) return outcome;
    if (outcome !== "error") continue;
    if (mode === "strict") return "error";
    failed = true;
  }
  return failed ? "error" : negate(decisive);
}

function negate(outcome: Outcome): Outcome {
  if (outcome === "error") return "error";
  return outcome === "true" ? "false" : "true";
}
