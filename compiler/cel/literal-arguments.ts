/**
 * Arguments written as literals that can only fail when the request comes: durations, timestamps, the texts of `ip()` and
 * `cidr()`, format strings, patterns of `matches`. The same ones that Cerbos refuses when compiling; the addresses of other functions are not among them.
 */
import { isAddress, isRange } from "./addresses.ts";
import type { CallStyle } from "./builtins/overload.ts";
import type { CheckContext } from "./check-context.ts";
import type { CelExpr } from "./expression.ts";
import { formatProblem } from "./format-clauses.ts";
import { isDuration, isTimestamp, isTimestampSeconds } from "./instants.ts";
import { patternProblem } from "./patterns.ts";

/** Reports what is wrong with the literal arguments of a call that is otherwise well-typed. */
export function checkLiteralArguments(
  context: CheckContext,
  name: string,
  style: CallStyle,
  args: readonly CelExpr[],
): void {
  const [first, second] = args;
  // Cerbos looks at `text.matches(pattern)` only; `matches(text, pattern)` fails when it is evaluated.
  if (
    name === "matches" &&
    style === "member" &&
    second?.kind === "literal" &&
    second.value.kind === "string"
  ) {
    const reason = patternProblem(second.value.value);
    if (reason !== undefined) context.report("EDICT3055", { reason }, second.span);
  }
  if (first?.kind !== "literal") return;
  const { value } = first;
  if (name === "duration" && value.kind === "null") {
    context.report("EDICT3050", { text: "null" }, first.span);
  } else if (name === "timestamp" && value.kind === "null") {
    context.report("EDICT3051", { text: "null" }, first.span);
  } else if (name === "duration" && value.kind === "string" && !isDuration(value.value)) {
    context.report("EDICT3050", { text: value.value }, first.span);
  } else if (name === "timestamp" && value.kind === "string" && !isTimestamp(value.value)) {
    context.report("EDICT3051", { text: value.value }, first.span);
  } else if (name === "timestamp" && value.kind === "int" && !isTimestampSeconds(value.value)) {
    context.report("EDICT3051", { text: String(value.value) }, first.span);
  } else if (name === "ip" && value.kind === "string" && !isAddress(value.value)) {
    context.report("EDICT3052", { text: value.value }, first.span);
  } else if (name === "cidr" && value.kind === "string" && !isRange(value.value)) {
    context.report("EDICT3054", { text: value.value }, first.span);
  } else if (name === "format" && value.kind === "string" && second?.kind === "list") {
    const types = second.items.map((item) => context.types.substitute(item.value.type, true));
    const reason = formatProblem(value.value, types);
    if (reason !== undefined) context.report("EDICT3053", { reason }, first.span);
  }
}
