/** What the parts of the expression generator share: the names in scope and what a writer of expressions can do. */
import type { CelType } from "../../../compiler/cel/expression.ts";
import type { Random } from "../random.ts";
import type { TextPool } from "./texts.ts";

/** A name that an expression may use, with its type. */
export interface Name {
  readonly name: string;
  readonly type: CelType;
}

export interface Names {
  /** Variables and constants of the policy. */
  readonly definitions: readonly Name[];
  /** Whether `runtime` may be read: only in the rules of resource policies. */
  readonly runtime: boolean;
}

/** Writes expressions of a wanted type; expressions.ts is the one. */
export interface Writing {
  readonly random: Random;
  readonly names: Names;
  /** An expression nested at most `depth` deep that can stand anywhere a primary can. */
  write(type: CelType, depth: number, pool?: TextPool): string;
  /** A literal, a name, or something from the request. */
  leaf(type: CelType, pool?: TextPool): string;
  simpleType(): CelType;
  keyType(): CelType;
  collectionType(): CelType;
  /** A name that no other macro variable has. */
  freshName(): string;
  /** Writes with more names in scope. */
  within<T>(names: readonly Name[], write: () => T): T;
}

/** A negative number as a receiver or operand needs parentheses. */
export function guarded(text: string): string {
  return /^[-!]/.test(text) || / \? | && | \|\| /.test(text) ? `(${text})` : text;
}
