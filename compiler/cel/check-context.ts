/**
 * What the parts of the checker share while one expression is checked: type variables, problems, the nodes made so
 * far, names of locals and the variables and constants met. Knows nothing of the language itself.
 */
import { INPUTS, DEFINITIONS } from "./environment.ts";
import type { CelExpr, CelType, Span } from "./expression.ts";
import { MAX_PROBLEMS } from "./limits.ts";
import type { CelCode, Problem } from "./problem.ts";
import type { Scope } from "./scope.ts";
import type { Syntax } from "./syntax.ts";
import { TypeVariables } from "./type-variables.ts";
import { DYN, typeText } from "./types.ts";

/** A use of `V.name` or `C.name`. */
export interface Reference {
  readonly kind: "variable" | "constant";
  readonly name: string;
  readonly span: Span;
}

/** An expression without what every node has. */
export type Bare<Node> = Node extends unknown ? Omit<Node, "span" | "type"> : never;

/** Checks one node and everything below it; the parts of the checker reach each other through this. */
export type CheckNode = (context: CheckContext, scope: Scope | undefined, syntax: Syntax) => CelExpr;

export class CheckContext {
  readonly #checkNode: CheckNode;
  readonly types = new TypeVariables();
  readonly problems: Problem[] = [];
  readonly references: Reference[] = [];
  /** Uses of all variables together. */
  readonly wholes: { readonly name: string; readonly span: Span }[] = [];
  /** Whether all variables, or all constants, are used together. */
  usesWholes = false;
  readonly #nodes: CelExpr[] = [];
  /** Names that a local may not get, because the printed expression would mean something else. */
  readonly #taken = new Set<string>([...INPUTS.keys(), ...DEFINITIONS.keys()]);
  /** Number that the next local of a name gets, where the name itself is taken. */
  readonly #numbers = new Map<string, number>();

  constructor(checkNode: CheckNode) {
    this.#checkNode = checkNode;
  }

  check(scope: Scope | undefined, syntax: Syntax): CelExpr {
    return this.#checkNode(this, scope, syntax);
  }

  /** Makes a node; its type becomes final in `finish`. */
  node(span: Span, type: CelType, fields: Bare<CelExpr>): CelExpr {
    const node: CelExpr = { ...fields, span, type };
    this.#nodes.push(node);
    return node;
  }

  /** What stands where a problem was found: a value that fits everywhere. */
  placeholder(span: Span): CelExpr {
    return this.node(span, DYN, { kind: "literal", value: { kind: "null" } });
  }

  report(code: CelCode, params: Problem["params"], span: Span): void {
    if (this.problems.length < MAX_PROBLEMS) this.problems.push({ code, params, span });
  }

  /** Reports that `expr` is not of the type expected, unless it is. */
  expectType(expr: CelExpr, expected: CelType): void {
    if (this.types.assign(expr.type, expected)) return;
    const found = typeText(this.types.substitute(expr.type, true));
    this.report("EDICT3035", { expected: typeText(expected), found }, expr.span);
  }

  reference(kind: Reference["kind"], name: string, span: Span): void {
    this.references.push({ kind, name, span });
  }

  /** `scope` with a new local. The local gets the written name, or one like it where that is taken. */
  declare(
    scope: Scope | undefined,
    name: string,
    type: CelType,
  ): { readonly scope: Scope | undefined; readonly unique: string } {
    let unique = name;
    while (this.#taken.has(unique)) {
      const number = this.#numbers.get(name) ?? 2;
      this.#numbers.set(name, number + 1);
      unique = `${name}_${number}`;
    }
    this.#taken.add(unique);
    return { scope: { local: { name, unique, type }, parent: scope }, unique };
  }

  /** Makes every type final: what is still open is dyn. */
  finish(expr: CelExpr): void {
    for (const node of this.#nodes) Object.assign(node, { type: this.types.substitute(node.type, true) });
    if (this.types.exhausted) this.report("EDICT3010", {}, expr.span);
  }
}

/** `condition ? then : otherwise`. */
export function conditional(
  context: CheckContext,
  span: Span,
  type: CelType,
  [condition, then, otherwise]: readonly [condition: CelExpr, then: CelExpr, otherwise: CelExpr],
): CelExpr {
  return context.node(span, type, { kind: "conditional", condition, then, otherwise });
}
