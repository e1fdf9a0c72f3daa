/** The keywords that hold for strings and for numbers. */
import type { Check, Violation } from "./check-value.ts";
import { BASE64, decodeBase64, JSON_TYPE, readJson } from "./content.ts";
import { isMultiple } from "./equality.ts";
import { goInteger, goNumber, quote } from "./go-text.ts";
import type { NumberRules, StringRules } from "./schema-node.ts";

/** Adds what is wrong with a string. */
export function checkString(check: Check, rules: StringRules, value: string, violations: Violation[]): void {
  const { minimum, maximum, pattern } = rules;
  if (minimum !== null || maximum !== null) {
    check.budget.spend(value.length / 8);
    const length = codePoints(value);
    if (minimum !== null && length < minimum) {
      const message = `length must be >= ${goInteger(minimum)}, but got ${length}`;
      violations.push(check.violation("minLength", message));
    }
    if (maximum !== null && length > maximum) {
      const message = `length must be <= ${goInteger(maximum)}, but got ${length}`;
      violations.push(check.violation("maxLength", message));
    }
  }
  if (pattern !== null) {
    check.budget.spend(1 + value.length * pattern.cost);
    if (!pattern.expression.test(value)) {
      violations.push(check.violation("pattern", `does not match pattern ${quote(pattern.text)}`));
    }
  }
  if (rules.encoding !== null || rules.mediaType !== null) checkContent(check, rules, value, violations);
}

function codePoints(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    // The second half of a pair does not count.
    if ((text.charCodeAt(at) & 0xfc00) !== 0xdc00) count++;
  }
  return count;
}

function checkContent(check: Check, rules: StringRules, value: string, violations: Violation[]): void {
  const { encoding, mediaType, content } = rules;
  const isKnown = encoding === BASE64 || mediaType === JSON_TYPE;
  if (!isKnown) return;
  check.budget.spend(value.length);
  const text = encoding === BASE64 ? decodeBase64(value) : encoding === null ? value : null;
  if (encoding === BASE64 && text === null) {
    violations.push(check.violation("contentEncoding", `value is not ${BASE64} encoded`));
  }
  if (text === null) return;
  const json = mediaType === JSON_TYPE || content !== null ? readJson(text) : undefined;
  if (mediaType === JSON_TYPE && json === undefined) {
    violations.push(check.violation("contentMediaType", `value is not of mediatype ${quote(JSON_TYPE)}`));
  }
  if (content === null) return;
  if (json === undefined) violations.push(check.violation("contentSchema", "value is not valid json"));
  else violations.push(...check.visit(content, json, "contentSchema", 0).violations);
}

/** Adds what is wrong with a number. */
export function checkNumber(check: Check, rules: NumberRules, value: number, violations: Violation[]): void {
  const compare = (
    keyword: string,
    sign: string,
    bound: number | null,
    holds: (b: number) => boolean,
  ): void => {
    if (bound === null || holds(bound)) return;
    const message = `must be ${sign} ${goNumber(bound)} but found ${goNumber(value)}`;
    violations.push(check.violation(keyword, message));
  };
  compare("minimum", ">=", rules.minimum, (bound) => value >= bound);
  compare("exclusiveMinimum", ">", rules.exclusiveMinimum, (bound) => value > bound);
  compare("maximum", "<=", rules.maximum, (bound) => value <= bound);
  compare("exclusiveMaximum", "<", rules.exclusiveMaximum, (bound) => value < bound);
  const { multipleOf } = rules;
  if (multipleOf !== null) {
    check.budget.spend(16);
    if (!isMultiple(value, multipleOf)) {
      const message = `${goNumber(value)} not multipleOf ${goNumber(multipleOf)}`;
      violations.push(check.violation("multipleOf", message));
    }
  }
}
