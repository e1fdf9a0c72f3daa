/**
 * The decision program: rule tables plus one hash-consed graph of expressions and conditions shared by all policies.
 * Plain data, independent of how it is executed: `emit/` turns it into AssemblyScript and an image, and
 * `test/differential/interpreter/` evaluates it directly as the reference.
 */
import type { CelConstant, InputName, MacroName } from "../cel/expression.ts";
import type { GuestFunction } from "../cel/builtins/guest-functions.ts";
import type { Effect, JsonValue } from "../policy/policy-set.ts";
import type { Place } from "../diagnostics/diagnostic.ts";

/** Index into Program.expressions. Operands always have smaller ids than their users. */
export type ExprId = number;
/** Index into Program.conditions; members of a tree have smaller ids than the tree. */
export type ConditionId = number;
/** No condition (always true) or no output. */
export const NONE = -1;

/**
 * One expression. Evaluation yields a CEL value or an error value; everything except `and`, `or`, `conditional`, `has`
 * and the predicates of `all` and `exists` is strict: an operand's error is the result.
 */
export type Expr =
  | { readonly op: "literal"; readonly value: CelConstant }
  /** A constant from the policy (`C.x`): any JSON value, numbers as doubles. */
  | { readonly op: "json"; readonly value: JsonValue }
  | { readonly op: "input"; readonly input: InputName }
  /** A top-level attribute (`P.attr.x`, `R.attr.x`): its value, or the error `no such key`. */
  | { readonly op: "attribute"; readonly slot: number }
  /** `has(R.attr.x)`: whether the request has the attribute (null counts as present). */
  | { readonly op: "hasAttribute"; readonly slot: number }
  /** A variable of an enclosing `macro` or `bind`, by binding depth: 0 is the outermost binder of the expression. */
  | { readonly op: "local"; readonly depth: number }
  | { readonly op: "select"; readonly operand: ExprId; readonly field: string }
  | { readonly op: "optionalSelect"; readonly operand: ExprId; readonly field: string }
  | { readonly op: "has"; readonly operand: ExprId; readonly field: string }
  | { readonly op: "and" | "or"; readonly args: readonly ExprId[] }
  | {
      readonly op: "conditional";
      readonly condition: ExprId;
      readonly then: ExprId;
      readonly otherwise: ExprId;
    }
  | { readonly op: "call"; readonly guest: GuestFunction; readonly args: readonly ExprId[] }
  | { readonly op: "list"; readonly items: readonly { readonly value: ExprId; readonly optional: boolean }[] }
  | {
      readonly op: "map";
      readonly entries: readonly {
        readonly key: ExprId;
        readonly value: ExprId;
        readonly optional: boolean;
      }[];
    }
  /** Binds `variables` (1 or 2) locals at depth, depth+1. */
  | {
      readonly op: "macro";
      readonly macro: MacroName;
      readonly range: ExprId;
      readonly depth: number;
      readonly variables: 1 | 2;
      readonly filter: ExprId;
      readonly body: ExprId;
    }
  | { readonly op: "bind"; readonly depth: number; readonly value: ExprId; readonly body: ExprId };

/** A condition: an expression that must be the bool true, or a tree of conditions. */
export type Condition =
  | { readonly kind: "expr"; readonly expr: ExprId; readonly text: string; readonly place: Place }
  | { readonly kind: "all" | "any" | "none"; readonly of: readonly ConditionId[]; readonly place: Place };

/** One attribute that some policy reads; its index is the slot. */
export interface Attribute {
  readonly root: "principal" | "resource";
  readonly key: string;
}

/** One expression of a condition as its policy wrote it: equal conditions are one node, their places are not. */
export interface Leaf {
  readonly text: string;
  readonly place: Place;
}

/** Identity of a rule, for explanations. Its index is the rule id of rows. */
export interface RuleInfo {
  readonly policyKey: string;
  readonly name: string;
  readonly place: Place;
  /** Leaves of the rule's condition, in the order of the tree. */
  readonly leaves: readonly Leaf[];
}

export interface OutputIds {
  readonly activated: ExprId;
  readonly notMet: ExprId;
}

export interface DerivedRoleInfo {
  readonly name: string;
  readonly origin: string;
  readonly parentRoles: readonly string[];
  readonly condition: ConditionId;
  readonly place: Place;
  readonly leaves: readonly Leaf[];
}

/** One row per (rule, way to match a role): either plain roles or one derived role. */
export interface ResourceRow {
  readonly rule: number;
  readonly effect: Effect;
  /** Names or globs. */
  readonly actions: readonly string[];
  /** Names or globs; empty when `derivedRole` is given. */
  readonly roles: readonly string[];
  /** Index into Program.derivedRoles, or NONE. */
  readonly derivedRole: number;
  readonly condition: ConditionId;
  readonly outputs: OutputIds;
}

/** What the rules of a resource or a principal policy come to. */
interface Block<Row> {
  readonly key: string;
  readonly version: string;
  readonly scope: string;
  /** Id of the first of its rules; the others follow. */
  readonly firstRule: number;
  /** The same object for blocks whose rows are equal but for the ids of rules. */
  readonly shape: object;
  /** Expressions of outputs, each once, in the order of rows. */
  readonly outputs: readonly ExprId[];
  /** How many rows and rules there are, without making rows. */
  readonly rowCount: number;
  readonly ruleCount: number;
  /** Condition of a row, without making rows. */
  conditionOf(row: number): ConditionId;
  readonly rows: readonly Row[];
}

export interface ResourceBlock extends Block<ResourceRow> {
  readonly resource: string;
  readonly requireParentalConsent: boolean;
  /** Derived roles referenced by the rules (indices), each once. */
  readonly derivedRoles: readonly number[];
  /** Index into `Program.schemaSets` of the schemas of the root of its scope chain, -1 for none. */
  readonly schemaSet: number;
}

export interface PrincipalRow {
  readonly rule: number;
  readonly effect: Effect;
  /** Name or glob of the sanitised kind. */
  readonly resource: string;
  readonly action: string;
  readonly condition: ConditionId;
  readonly outputs: OutputIds;
}

export interface PrincipalBlock extends Block<PrincipalRow> {
  readonly principal: string;
  readonly requireParentalConsent: boolean;
}

export interface RoleRow {
  readonly rule: number;
  readonly resource: string;
  readonly allowActions: readonly string[];
  readonly condition: ConditionId;
  readonly outputs: OutputIds;
}

export interface RoleBlock extends Block<RoleRow> {
  readonly role: string;
  readonly parentRoles: readonly string[];
}

/** One of the two schemas of a policy. */
export interface SchemaUse {
  readonly ref: string;
  /** Globs: the schema is ignored when every requested action matches one of them. */
  readonly ignoreActions: readonly string[];
}

/** The schemas that a policy attaches to requests. */
export interface SchemaSet {
  readonly principal?: SchemaUse;
  readonly resource?: SchemaUse;
}

export interface Program {
  readonly expressions: readonly Expr[];
  readonly conditions: readonly Condition[];
  readonly attributes: readonly Attribute[];
  readonly derivedRoles: readonly DerivedRoleInfo[];
  readonly resources: readonly ResourceBlock[];
  readonly principals: readonly PrincipalBlock[];
  readonly roles: readonly RoleBlock[];
  readonly rules: readonly RuleInfo[];
  /** Each different set once. */
  readonly schemaSets: readonly SchemaSet[];
}
