/** Names expressions that later stages cannot compile yet, instead of ever giving a wrong answer. */
import type { CelExpr, MacroName } from "../../cel/expression.ts";
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { CelSource } from "../../policy/policy-set.ts";
import { childrenOf } from "../expression-children.ts";

/** Macros that have no loop in generated code yet. */
const UNSUPPORTED_MACROS: ReadonlySet<MacroName> = new Set<MacroName>(["sortBy"]);

/** Reports unsupported macros, once per expression. */
export function checkSupported(expressions: ReadonlyMap<CelSource, CelExpr>): Diagnostic[] {
  const verdicts = new Map<CelExpr, string | undefined>();
  const diagnostics: Diagnostic[] = [];
  for (const [source, expr] of expressions) {
    if (!verdicts.has(expr)) verdicts.set(expr, unsupported(expr));
    const name = verdicts.get(expr);
    if (name !== undefined) diagnostics.push(diagnose("EDICT4002", { name }, source.place));
  }
  return diagnostics;
}

function unsupported(expr: CelExpr): string | undefined {
  const stack: CelExpr[] = [expr];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.kind === "macro" && UNSUPPORTED_MACROS.has(node.macro)) return node.macro;
    stack.push(...childrenOf(node));
  }
  return undefined;
}
