/**
 * The checked policy set: what stage 2 hands to the later stages. Names are resolved (imports, derived roles,
 * scope chains), every list is in source order, every CEL text still unparsed. Plain data, no methods.
 */
import type { Place } from "../diagnostics/diagnostic.ts";

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue };

export type Effect = "allow" | "deny";

/** One CEL expression as written. Stage 3 keys its results by this object's identity. */
export interface CelSource {
  readonly text: string;
  /** Place of the first character of the expression. */
  readonly place: Place;
  /** The names in force where it stands. */
  readonly names: Names;
}

/** Variables and constants visible to the expressions of one policy (local, imported and top-level, merged). */
export interface Names {
  readonly variables: ReadonlyMap<string, CelSource>;
  /** Constant values; numbers are doubles. */
  readonly constants: ReadonlyMap<string, JsonValue>;
}

/** A `condition.match` tree as written. */
export type Match =
  | { readonly kind: "expr"; readonly expr: CelSource }
  | { readonly kind: "all" | "any" | "none"; readonly of: readonly Match[]; readonly place: Place };

export interface Outputs {
  readonly ruleActivated?: CelSource;
  readonly conditionNotMet?: CelSource;
}

export interface DerivedRole {
  readonly name: string;
  /** Name of the derivedRoles policy that defines it. */
  readonly origin: string;
  /** Role names or globs. */
  readonly parentRoles: readonly string[];
  readonly condition?: Match;
  /** Names of the policy that defines it, so that its variables are checked even when no condition uses them. */
  readonly names?: Names;
  readonly place: Place;
}

export interface ResourceRule {
  /** Given name, or `rule-001` and so on. */
  readonly name: string;
  readonly effect: Effect;
  readonly actions: readonly string[];
  readonly roles: readonly string[];
  /** Resolved through the policy's imports. */
  readonly derivedRoles: readonly DerivedRole[];
  readonly condition?: Match;
  readonly outputs: Outputs;
  readonly place: Place;
}

export type ScopePermissions = "override-parent" | "require-parental-consent";

export interface SchemaReference {
  readonly ref: string;
  readonly ignoreActions: readonly string[];
  readonly place: Place;
}

interface PolicyBase {
  /** Policy key as shown in `matchedPolicy`, e.g. `resource.leave_request.vdefault/acme.hr`. */
  readonly key: string;
  readonly version: string;
  /** Without a leading dot; "" is the root. */
  readonly scope: string;
  readonly scopePermissions: ScopePermissions;
  readonly annotations: ReadonlyMap<string, string>;
  /** Names in force in the policy, so that its variables are checked even when no rule uses them. */
  readonly names?: Names;
  readonly place: Place;
}

export interface ResourcePolicy extends PolicyBase {
  /** Sanitised resource kind (COMPAT.md section 3). */
  readonly resource: string;
  readonly rules: readonly ResourceRule[];
  readonly principalSchema?: SchemaReference;
  readonly resourceSchema?: SchemaReference;
}

export interface PrincipalRule {
  /** Given name, or `<resource as written>_rule-001`. */
  readonly name: string;
  readonly action: string;
  readonly effect: Effect;
  readonly condition?: Match;
  readonly outputs: Outputs;
  readonly place: Place;
}

export interface PrincipalPolicy extends PolicyBase {
  /** Principal id as written. */
  readonly principal: string;
  readonly resources: readonly {
    /** Kind or glob as written. */
    readonly resource: string;
    readonly rules: readonly PrincipalRule[];
  }[];
}

export interface RolePolicyRule {
  /** Kind or glob as written. */
  readonly resource: string;
  /** Always globs. */
  readonly allowActions: readonly string[];
  /** "" when unnamed. */
  readonly name: string;
  readonly condition?: Match;
  readonly outputs: Outputs;
  readonly place: Place;
}

export interface RolePolicy extends PolicyBase {
  readonly role: string;
  readonly parentRoles: readonly string[];
  readonly rules: readonly RolePolicyRule[];
}

/** Everything that decides, sorted by policy key so that the order of files never matters. */
export interface PolicySet {
  readonly resourcePolicies: readonly ResourcePolicy[];
  readonly principalPolicies: readonly PrincipalPolicy[];
  readonly rolePolicies: readonly RolePolicy[];
  /** JSON schemas under `_schemas/`: id (path relative to `_schemas`) to document. */
  readonly schemas: ReadonlyMap<string, JsonValue>;
}
