/** Recognises attributes of the request in typed expressions. */
import type { CelExpr } from "../cel/expression.ts";

/** Whose attribute: of the principal or of the resource. */
export type Subject = "P" | "R";

export interface Attribute {
  readonly subject: Subject;
  readonly name: string;
}

/** The attribute that a node reads: `R.attr.name`, or `P.attr["name"]`; not the optional forms, which cannot fail. */
export function attributeOf(node: CelExpr): Attribute | undefined {
  if (node.kind === "select" && !node.optional) return attribute(node.operand, node.field);
  if (node.kind !== "call" || node.function !== "_[_]") return undefined;
  const [operand, key] = node.args;
  if (operand === undefined || key?.kind !== "literal" || key.value.kind !== "string") return undefined;
  return attribute(operand, key.value.value);
}

/** The attribute whose presence a node tests: `has(R.attr.name)` or `"name" in R.attr`. */
export function testedAttribute(node: CelExpr): Attribute | undefined {
  if (node.kind === "has") return attribute(node.operand, node.field);
  if (node.kind !== "call" || node.function !== "@in") return undefined;
  const [key, operand] = node.args;
  if (operand === undefined || key?.kind !== "literal" || key.value.kind !== "string") return undefined;
  return attribute(operand, key.value.value);
}

function attribute(operand: CelExpr, name: string): Attribute | undefined {
  if (operand.kind !== "input") return undefined;
  if (operand.input === "principal.attr") return { subject: "P", name };
  return operand.input === "resource.attr" ? { subject: "R", name } : undefined;
}
