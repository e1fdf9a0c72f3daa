/**
 * Policies of our own, one per family of CEL functions: ten actions, each under a condition of its own that is true, so that a
 * request for all ten evaluates ten conditions. `@N@` is the number of the action and keeps the conditions apart.
 */
import type { SourceText } from "../load/loadtest-set.ts";

export interface Family {
  readonly name: string;
  readonly expression: string;
}

// oxfmt-ignore
export const FAMILIES: readonly Family[] = [
  { name: "comparison of strings",  expression: 'R.attr.owner == P.id && R.id != "x@N@"' },
  { name: "comparison of numbers",  expression: "R.attr.amount > @N@ && R.attr.amount <= 100@N@" },
  { name: "logic and ternary",      expression: '(R.attr.open || P.id == "x@N@") && (R.attr.open ? true : false)' },
  { name: "arithmetic",             expression: "R.attr.amount * 2.0 + @N@.0 > 10.0 - R.attr.amount" },
  { name: "strings",                expression: 'R.attr.name.startsWith("rec") && R.attr.name.contains("o") && R.attr.name.size() > @N@ - 10' },
  { name: "extended strings",       expression: 'R.attr.name.upperAscii().indexOf("O") > 0 && "a,b,@N@".split(",").size() == 3' },
  { name: "regular expressions",    expression: 'R.attr.name.matches("^rec[a-z]+-[0-9]{3,1@N@}$")' },
  { name: "membership in a list",   expression: '"eu@N@" in R.attr.regions || "eu" in R.attr.regions' },
  { name: "sets and lists",         expression: 'hasIntersection(R.attr.regions, ["x@N@", "eu"]) && R.attr.regions.isSubset(["eu", "us", "ap", "y@N@"])' },
  { name: "macros",                 expression: 'R.attr.regions.exists(r, r == "ap") && R.attr.regions.all(r, r != "x@N@")' },
  { name: "macros making lists",    expression: 'R.attr.regions.filter(r, r != "x@N@").map(r, r + "@N@").size() == 3' },
  { name: "maps",                   expression: 'has(R.attr.tags.team) && R.attr.tags["team"] == "core" && !("x@N@" in R.attr.tags)' },
  { name: "time",                   expression: 'timestamp(R.attr.created) < timestamp("2030-01-1@N@T00:00:00Z") && timestamp(R.attr.created).getFullYear() == 2024' },
  { name: "durations",              expression: 'duration("1h@N@m") < duration("25h") && timestamp(R.attr.created) + duration("1h") > timestamp(R.attr.created)' },
  { name: "IP ranges",              expression: 'P.attr.address.inIPAddrRange("10.2@N@.0.0/16") || P.attr.address.inIPAddrRange("10.0.0.0/8")' },
  { name: "hierarchies",            expression: 'hierarchy("a.b").ancestorOf(hierarchy("a.b.c@N@")) && hierarchy(R.attr.path).size() == 3' },
  { name: "conversions",            expression: 'int(R.attr.digits) > @N@ && string(@N@) == "@N@" && double("1.5") > 1.0' },
];

export const ACTIONS = 10;

/** Kind of the resource that a family's policy is for. */
export function kindOf(index: number): string {
  return `family_${index}`;
}

/** Kind whose ten actions are allowed without conditions: what a request costs apart from them. */
export const PLAIN_KIND = "plain";
/** Kind whose rule writes outputs. */
export const OUTPUT_KIND = "output";

function policy(kind: string, rules: readonly string[]): SourceText {
  const head = `apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: ${kind}\n  version: default\n  rules:\n`;
  return { path: `${kind}.yaml`, text: head + rules.join("") };
}

function rule(action: string, rest: string): string {
  return `    - actions: ["${action}"]\n      effect: EFFECT_ALLOW\n      roles: ["user"]\n${rest}`;
}

/** One policy per family, one without conditions, one with outputs. */
export function familyPolicies(): SourceText[] {
  const numbers = Array.from({ length: ACTIONS }, (_, index) => index);
  const families = FAMILIES.map(({ expression }, index) =>
    policy(
      kindOf(index),
      numbers.map((number) => {
        const text = JSON.stringify(expression.replaceAll("@N@", String(number)));
        return rule(`a${number}`, `      condition:\n        match:\n          expr: ${text}\n`);
      }),
    ),
  );
  const plain = policy(PLAIN_KIND, [rule("*", "")]);
  const output = policy(OUTPUT_KIND, [
    rule("*", '      output:\n        when:\n          ruleActivated: \'{"id": R.id, "owner": P.id}\'\n'),
  ]);
  return [...families, plain, output];
}
