/** The keywords that hold for objects and for arrays. What is unevaluated afterwards is looked at in check-value.ts. */
import { MAX_ERRORS } from "./budget.ts";
import type { Check, Outcome, Violation } from "./check-value.ts";
import { firstRepeat } from "./equality.ts";
import { FORMATS } from "./formats.ts";
import { goInteger, pointerToken, quote } from "./go-text.ts";
import type { ArrayRules, ObjectRules } from "./schema-node.ts";

type Members = Readonly<Record<string, unknown>>;

/** Adds what is wrong with an object to `outcome`. */
export function checkObject(
  check: Check,
  rules: ObjectRules,
  value: Members,
  depth: number,
  outcome: Outcome,
): void {
  const { violations } = outcome;
  const names = Object.keys(value);
  check.budget.spend((names.length + rules.required.length + rules.properties.size) / 4);
  const { minimum, maximum, required } = rules;
  const counted = (bound: number): string =>
    `${goInteger(bound)} properties allowed, but found ${names.length} properties`;
  if (minimum !== null && names.length < minimum) {
    violations.push(check.violation("minProperties", `minimum ${counted(minimum)}`));
  }
  if (maximum !== null && names.length > maximum) {
    violations.push(check.violation("maxProperties", `maximum ${counted(maximum)}`));
  }
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  if (missing.length > 0) {
    const message = `missing properties: ${missing.map(quote).join(", ")}`;
    violations.push(check.violation("required", message));
  }
  checkMembers(check, rules, value, names, outcome);
  if (violations.length < MAX_ERRORS) checkDependencies(check, rules, value, depth, outcome);
}

function checkMembers(
  check: Check,
  rules: ObjectRules,
  value: Members,
  names: readonly string[],
  outcome: Outcome,
): void {
  const { violations } = outcome;
  const isFull = (): boolean => violations.length >= MAX_ERRORS;
  for (const [name, schema] of rules.properties) {
    if (isFull()) return;
    if (!Object.hasOwn(value, name)) continue;
    outcome.names?.delete(name);
    check.inner(schema, value[name], `properties/${pointerToken(name)}`, name, violations);
  }
  for (const name of rules.names === null ? [] : names) {
    if (isFull()) return;
    if (rules.names !== null) check.inner(rules.names, name, "propertyNames", name, violations);
  }
  for (const name of rules.namesAreRegex ? names : []) {
    if (FORMATS.get("regex")?.(name) === true) continue;
    violations.push(check.violation("", `patternProperty ${quote(name)} is not valid regex`));
  }
  const matched = new Set<string>();
  for (const [pattern, schema] of rules.patterns) {
    for (const name of names) {
      if (isFull()) return;
      check.budget.spend(1 + name.length * pattern.cost);
      if (!pattern.expression.test(name)) continue;
      matched.add(name);
      outcome.names?.delete(name);
      const step = `patternProperties/${pointerToken(pattern.text)}`;
      check.inner(schema, value[name], step, name, violations);
    }
  }
  const { additional } = rules;
  if (additional === null) return;
  outcome.names = null;
  if (additional === true) return;
  const others = names.filter((name) => !rules.properties.has(name) && !matched.has(name));
  if (additional !== false) {
    for (const name of others) {
      if (isFull()) return;
      check.inner(additional, value[name], "additionalProperties", name, violations);
    }
  } else if (others.length > 0) {
    const message = `additionalProperties ${others.slice(0, MAX_ERRORS).map(quote).join(", ")} not allowed`;
    violations.push(check.violation("additionalProperties", message));
  }
}

function checkDependencies(
  check: Check,
  rules: ObjectRules,
  value: Members,
  depth: number,
  outcome: Outcome,
): void {
  const { violations } = outcome;
  const names = (keyword: string, from: string, required: readonly string[]): void => {
    check.budget.spend(required.length / 4);
    for (const [index, name] of required.entries()) {
      if (Object.hasOwn(value, name)) continue;
      const message = `property ${quote(name)} is required, if ${quote(from)} property exists`;
      violations.push(check.violation(`${keyword}/${pointerToken(from)}/${index}`, message));
    }
  };
  for (const [name, rule] of rules.dependencies) {
    if (!Object.hasOwn(value, name)) continue;
    if (isNames(rule)) names("dependencies", name, rule);
    else violations.push(...check.same(rule, value, `dependencies/${pointerToken(name)}`, depth, outcome));
  }
  for (const [name, required] of rules.dependentRequired) {
    if (Object.hasOwn(value, name)) names("dependentRequired", name, required);
  }
  for (const [name, schema] of rules.dependentSchemas) {
    if (!Object.hasOwn(value, name)) continue;
    const step = `dependentSchemas/${pointerToken(name)}`;
    violations.push(...check.same(schema, value, step, depth, outcome));
  }
}

function isNames(rule: unknown): rule is readonly string[] {
  return Array.isArray(rule);
}

/** Adds what is wrong with an array to `outcome`. */
export function checkArray(
  check: Check,
  rules: ArrayRules,
  value: readonly unknown[],
  outcome: Outcome,
): void {
  const { violations } = outcome;
  const { minimum, maximum, prefix, rest } = rules;
  if (minimum !== null && value.length < minimum) {
    const message = `minimum ${goInteger(minimum)} items required, but found ${value.length} items`;
    violations.push(check.violation("minItems", message));
  }
  if (maximum !== null && value.length > maximum) {
    const message = `maximum ${goInteger(maximum)} items required, but found ${value.length} items`;
    violations.push(check.violation("maxItems", message));
  }
  const repeat = rules.unique ? firstRepeat(value, check.budget) : null;
  if (repeat !== null) {
    const message = `items at index ${repeat[0]} and ${repeat[1]} are equal`;
    violations.push(check.violation("uniqueItems", message));
  }
  for (const [index, item] of (rest === null ? value.slice(0, prefix.length) : value).entries()) {
    if (violations.length >= MAX_ERRORS) return;
    const schema = prefix[index] ?? rest;
    if (schema === null) break;
    outcome.indexes?.delete(index);
    const step = index < prefix.length ? `${rules.prefixKeyword}/${index}` : rules.restKeyword;
    check.inner(schema, item, step, String(index), violations);
  }
  if (rules.additional === true) outcome.indexes = null;
  if (rules.additional === false && value.length > prefix.length) {
    const message = `only ${prefix.length} items are allowed, but found ${value.length} items`;
    violations.push(check.violation("additionalItems", message));
  }
  checkContains(check, rules, value, outcome);
}

function checkContains(check: Check, rules: ArrayRules, value: readonly unknown[], outcome: Outcome): void {
  const { contains, minContains, maxContains } = rules;
  if (contains === null) return;
  const causes: Violation[] = [];
  let matched = 0;
  for (const [index, item] of value.entries()) {
    const found: Violation[] = [];
    if (check.inner(contains, item, "contains", String(index), found)) {
      matched++;
      if (rules.containsEvaluates) outcome.indexes?.delete(index);
    } else if (causes.length < MAX_ERRORS) causes.push(...found);
  }
  if (matched < minContains) {
    const message = `valid must be >= ${goInteger(minContains)}, but got ${matched}`;
    const own = [check.violation("minContains", message)];
    outcome.violations.push(...(causes.length > 0 ? causes : own));
  }
  if (maxContains !== null && matched > maxContains) {
    const message = `valid must be <= ${goInteger(maxContains)}, but got ${matched}`;
    outcome.violations.push(check.violation("maxContains", message));
  }
}
