/** Prints a decision program as text for people and golden files; nothing parses it back. */
import { NONE, type Expr, type Program } from "./program.ts";

/** The whole program: attributes, expressions, conditions, then the policies with their rows. */
export function printProgram(program: Program): string {
  return [
    ...program.attributes.map(
      (attribute, slot) => `attribute ${slot} ${attribute.root}.attr.${attribute.key}`,
    ),
    ...program.expressions.map((expression, id) => `expression ${id} ${printExpression(expression)}`),
    ...program.conditions.map((condition, id) =>
      condition.kind === "expr"
        ? `condition ${id} expression ${condition.expr}  # ${condition.text.replaceAll(/\s+/gu, " ")}`
        : `condition ${id} ${condition.kind} of ${condition.of.join(" ")}`,
    ),
    ...program.derivedRoles.map(
      (role, id) =>
        `derived role ${id} ${role.name} parents ${role.parentRoles.join(" ")}${when(role.condition)}`,
    ),
    ...program.resources.flatMap((block) => [
      `policy ${block.key}${block.requireParentalConsent ? " requires parental consent" : ""}`,
      ...block.rows.map((row) => {
        const who =
          row.derivedRole === NONE ? `roles ${row.roles.join(" ")}` : `derived role ${row.derivedRole}`;
        return `  ${row.effect} ${row.actions.join(" ")} for ${who}${when(row.condition)}  # ${nameOf(program, row.rule)}`;
      }),
    ]),
    ...program.principals.flatMap((block) => [
      `policy ${block.key}${block.requireParentalConsent ? " requires parental consent" : ""}`,
      ...block.rows.map(
        (row) =>
          `  ${row.effect} ${row.action} on ${row.resource}${when(row.condition)}  # ${nameOf(program, row.rule)}`,
      ),
    ]),
    ...program.roles.flatMap((block) => [
      `policy ${block.key}${block.parentRoles.length > 0 ? ` parents ${block.parentRoles.join(" ")}` : ""}`,
      ...block.rows.map(
        (row) =>
          `  only ${row.allowActions.join(" ")} on ${row.resource}${when(row.condition)}  # ${nameOf(program, row.rule)}`,
      ),
    ]),
    "",
  ].join("\n");
}

function when(condition: number): string {
  return condition === NONE ? "" : ` when condition ${condition}`;
}

function nameOf(program: Program, rule: number): string {
  const info = program.rules[rule];
  return info === undefined ? "" : `${info.name} ${info.place.file}:${info.place.line}`;
}

function printExpression(expression: Expr): string {
  switch (expression.op) {
    case "literal":
      return `literal ${expression.value.kind} ${"value" in expression.value ? String(expression.value.value) : ""}`.trimEnd();
    case "json":
      return `constant ${JSON.stringify(expression.value)}`;
    case "input":
      return `input ${expression.input}`;
    case "attribute":
    case "hasAttribute":
      return `${expression.op} ${expression.slot}`;
    case "local":
      return `local ${expression.depth}`;
    case "select":
    case "optionalSelect":
    case "has":
      return `${expression.op} ${expression.operand} ${JSON.stringify(expression.field)}`;
    case "and":
    case "or":
      return `${expression.op} ${expression.args.join(" ")}`;
    case "conditional":
      return `if ${expression.condition} then ${expression.then} else ${expression.otherwise}`;
    case "call":
      return `call ${expression.guest} ${expression.args.join(" ")}`.trimEnd();
    case "list":
      return `list ${expression.items.map((item) => (item.optional ? "?" : "") + String(item.value)).join(" ")}`.trimEnd();
    case "map":
      return `map ${expression.entries.map((entry) => `${entry.optional ? "?" : ""}${entry.key}:${entry.value}`).join(" ")}`.trimEnd();
    case "macro": {
      const filter = expression.filter === NONE ? "" : ` where ${expression.filter}`;
      return `${expression.macro} over ${expression.range} binds ${expression.variables} at ${expression.depth}${filter} do ${expression.body}`;
    }
    case "bind":
      return `bind ${expression.depth} to ${expression.value} in ${expression.body}`;
  }
}
