/** A condition, or one expression of it, that has the same result for every request. */
import { placeOf } from "../../cel/source-place.ts";
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { Match } from "../../policy/policy-set.ts";
import { constantMatch, constantSource } from "../constant-value.ts";
import { derivedRolesOf, type Review, rulesOf, sourcesOf } from "../review.ts";

export function constantCondition(review: Review): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const { condition } of rulesOf(review)) found.push(...judge(condition, review));
  for (const { condition } of derivedRolesOf(review).keys()) found.push(...judge(condition, review));
  return found;
}

function judge(match: Match | undefined, { expressions }: Review): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const source of sourcesOf(match)) {
    const value = constantSource(source, expressions);
    if (value === undefined) continue;
    const { place, length } = placeOf(source, { start: 0, end: source.text.length });
    found.push(diagnose(codeOf(value), { condition: source.text }, place, length));
  }
  // An expression that was named already explains the whole.
  if (found.length > 0 || match === undefined || match.kind === "expr") return found;
  const whole = constantMatch(match, expressions);
  return whole === undefined ? [] : [diagnose(codeOf(whole), { condition: match.kind }, match.place)];
}

function codeOf(value: boolean): "EDICT7004" | "EDICT7005" {
  return value ? "EDICT7004" : "EDICT7005";
}
