/** A compiled schema: what one JSON object (or boolean) asks of a value, with references already followed. */
import type { RE2JS } from "@bufbuild/re2";
import type { FormatTest } from "./formats.ts";

/** A regular expression with what one character of a text costs. */
export interface Pattern {
  readonly text: string;
  readonly expression: RE2JS;
  readonly cost: number;
}

/** Schemas may refer to themselves: nodes exist before the compiler fills them. */
export class SchemaNode {
  /** Address with fragment, as messages name it. */
  readonly location: string;
  /** Whether `$recursiveRef` may rebind to it; 2019. */
  recursiveAnchor = false;
  dynamicAnchor = "";
  /** Schemas at or below this one that have a `$dynamicAnchor`. */
  dynamicAnchors: readonly SchemaNode[] = [];
  /** Of a meta-schema: the vocabularies it asks for; null: all of the draft. */
  vocabularies: readonly string[] | null = null;
  /** Of a document with a meta-schema of its own: the vocabularies of that one; null: all of the draft. */
  dialect: readonly string[] | null = null;

  always: boolean | null = null;
  ref: SchemaNode | null = null;
  recursiveRef: SchemaNode | null = null;
  dynamicRef: SchemaNode | null = null;
  /** Name to look for in the dynamic scope; empty when `$dynamicRef` is a plain reference. */
  dynamicRefAnchor = "";

  types: readonly string[] = [];
  constant: { readonly key: string; readonly message: string } | null = null;
  /** Canonical texts of the allowed values. */
  enumeration: { readonly keys: ReadonlySet<string>; readonly message: string } | null = null;
  format: { readonly name: string; readonly test: FormatTest } | null = null;

  not: SchemaNode | null = null;
  allOf: readonly SchemaNode[] = [];
  anyOf: readonly SchemaNode[] = [];
  oneOf: readonly SchemaNode[] = [];
  condition: SchemaNode | null = null;
  then: SchemaNode | null = null;
  otherwise: SchemaNode | null = null;

  objects: ObjectRules | null = null;
  arrays: ArrayRules | null = null;
  strings: StringRules | null = null;
  numbers: NumberRules | null = null;

  constructor(location: string) {
    this.location = location;
  }
}

export interface ObjectRules {
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly required: readonly string[];
  readonly properties: ReadonlyMap<string, SchemaNode>;
  readonly names: SchemaNode | null;
  /** Draft 4 and 6 meta-schemas: names must be regular expressions. */
  readonly namesAreRegex: boolean;
  readonly patterns: readonly (readonly [Pattern, SchemaNode])[];
  readonly additional: boolean | SchemaNode | null;
  readonly dependencies: readonly (readonly [string, SchemaNode | readonly string[]])[];
  readonly dependentRequired: readonly (readonly [string, readonly string[]])[];
  readonly dependentSchemas: readonly (readonly [string, SchemaNode])[];
  readonly unevaluated: SchemaNode | null;
}

export interface ArrayRules {
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly unique: boolean;
  /** Schemas of the first items; `items` as a list before 2020, `prefixItems` since. */
  readonly prefix: readonly SchemaNode[];
  /** Name of the keyword that holds `prefix`, for places. */
  readonly prefixKeyword: string;
  /** Schema of the items after `prefix`. */
  readonly rest: SchemaNode | null;
  readonly restKeyword: string;
  /** Before 2020: `additionalItems` as a boolean. */
  readonly additional: boolean | null;
  readonly contains: SchemaNode | null;
  readonly minContains: number;
  readonly maxContains: number | null;
  /** Whether what `contains` accepts counts as evaluated; 2020. */
  readonly containsEvaluates: boolean;
  readonly unevaluated: SchemaNode | null;
}

export interface StringRules {
  readonly minimum: number | null;
  readonly maximum: number | null;
  readonly pattern: Pattern | null;
  readonly encoding: string | null;
  readonly mediaType: string | null;
  readonly content: SchemaNode | null;
}

export interface NumberRules {
  readonly minimum: number | null;
  readonly exclusiveMinimum: number | null;
  readonly maximum: number | null;
  readonly exclusiveMaximum: number | null;
  readonly multipleOf: number | null;
}
