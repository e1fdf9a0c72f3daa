/** Macro variables and `cel.bind` names in force at one place of an expression, innermost first. */
import type { CelType } from "./expression.ts";

export interface Local {
  /** As written. */
  readonly name: string;
  /** Unique inside the expression. */
  readonly unique: string;
  readonly type: CelType;
}

/** A linked list: adding a local leaves the enclosing scope as it was. */
export interface Scope {
  readonly local: Local;
  readonly parent: Scope | undefined;
}

/** The innermost local of that name. */
export function findLocal(scope: Scope | undefined, name: string): Local | undefined {
  let current = scope;
  while (current !== undefined && current.local.name !== name) current = current.parent;
  return current?.local;
}
