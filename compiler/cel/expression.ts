/**
 * The typed expression: what stage 3 makes of CEL text. Macros are kept as nodes of their own (not expanded to
 * the folds of cel-spec), because the emitter writes them as loops. Every node knows its place in the text.
 */

/** Offsets into the expression's text, in UTF-16 units; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** CEL types as far as the checker needs them (cel-spec langdef, "Values"). */
export type CelType =
  | {
      readonly kind:
        | "dyn"
        | "null"
        | "bool"
        | "int"
        | "uint"
        | "double"
        | "string"
        | "bytes"
        | "timestamp"
        | "duration";
    }
  | { readonly kind: "list"; readonly element: CelType }
  | { readonly kind: "map"; readonly key: CelType; readonly value: CelType }
  | { readonly kind: "optional"; readonly value: CelType }
  | { readonly kind: "type" }
  /** Type parameter of an overload, or a not yet known type. */
  | { readonly kind: "parameter"; readonly name: string }
  /** Named object types: `hierarchy`, `spiffeID`, `net.IP`, `request`, `principal`... */
  | { readonly kind: "object"; readonly name: string };

export type CelConstant =
  | { readonly kind: "null" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "uint"; readonly value: bigint }
  | { readonly kind: "double"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "bytes"; readonly value: Uint8Array }
  /** A type used as a value: `int`, `google.protobuf.Timestamp`. */
  | { readonly kind: "type"; readonly name: string };

/** What a request (and the engine) offers. A name that ends a path, e.g. `P.id`, becomes one of these. */
export type InputName =
  | "request"
  | "principal"
  | "principal.id"
  | "principal.roles"
  | "principal.attr"
  | "principal.policyVersion"
  | "principal.scope"
  | "resource"
  | "resource.kind"
  | "resource.id"
  | "resource.attr"
  | "resource.policyVersion"
  | "resource.scope"
  | "auxData"
  | "auxData.jwt"
  | "auxData.jwts"
  | "action"
  | "action.name"
  | "action.properties"
  | "context"
  | "runtime"
  | "runtime.effectiveDerivedRoles"
  | "globals"
  /** The instant of the request (`now()`); a timestamp. */
  | "now";

export type MacroName =
  | "all"
  | "exists"
  | "existsOne"
  | "map"
  | "filter"
  | "transformList"
  | "transformMap"
  | "transformMapEntry"
  | "sortBy";

interface Node {
  readonly span: Span;
  readonly type: CelType;
}

export type CelExpr = Node &
  (
    | { readonly kind: "literal"; readonly value: CelConstant }
    | { readonly kind: "input"; readonly input: InputName }
    /** `V.name`; resolved through CelSource.names by stage 4. */
    | { readonly kind: "variable"; readonly name: string }
    /** `C.name`. */
    | { readonly kind: "constant"; readonly name: string }
    /** `V` or `C` as a whole: a map of the names that the policy uses, without variables that fail. */
    | { readonly kind: "definitions"; readonly of: "variable" | "constant" }
    /** A macro variable or a `cel.bind` name; `name` is unique inside the expression (renamed when shadowed). */
    | { readonly kind: "local"; readonly name: string }
    /** `operand.field` on maps and dyn; with `optional`, `operand.?field`. */
    | {
        readonly kind: "select";
        readonly operand: CelExpr;
        readonly field: string;
        readonly optional: boolean;
      }
    /** `has(operand.field)`. */
    | { readonly kind: "has"; readonly operand: CelExpr; readonly field: string }
    /** `&&` and `||`, flattened: two or more arguments. */
    | { readonly kind: "and" | "or"; readonly args: readonly CelExpr[] }
    /** `condition ? then : otherwise`. */
    | {
        readonly kind: "conditional";
        readonly condition: CelExpr;
        readonly then: CelExpr;
        readonly otherwise: CelExpr;
      }
    /** Any other operator or function, already resolved to a guest function (builtins/guest-functions.ts). */
    | {
        readonly kind: "call";
        readonly function: string;
        readonly guest: string;
        readonly args: readonly CelExpr[];
      }
    /** `[a, ?b]`. */
    | {
        readonly kind: "list";
        readonly items: readonly { readonly value: CelExpr; readonly optional: boolean }[];
      }
    /** `{k: v, ?k: v}`. */
    | {
        readonly kind: "map";
        readonly entries: readonly {
          readonly key: CelExpr;
          readonly value: CelExpr;
          readonly optional: boolean;
        }[];
      }
    /**
     * A comprehension. `variables` has one or two names (two: index and item of a list, key and value of a map).
     * all, exists, existsOne: `body` is the predicate. map, transformList, transformMap: `body` is the transform and
     * `filter` the optional predicate. filter: `body` is the predicate. transformMapEntry: `body` gives a one-entry map.
     * sortBy: `body` is the sort key. In one-variable form over a map the variable is the key.
     */
    | {
        readonly kind: "macro";
        readonly macro: MacroName;
        readonly range: CelExpr;
        readonly variables: readonly string[];
        readonly filter?: CelExpr;
        readonly body: CelExpr;
      }
    /** `cel.bind(name, value, body)`; also what optMap and optFlatMap become. */
    | { readonly kind: "bind"; readonly name: string; readonly value: CelExpr; readonly body: CelExpr }
  );
