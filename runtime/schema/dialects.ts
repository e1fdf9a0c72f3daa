/** The drafts of JSON Schema: which one an address names, how it spells ids, and where it keeps schemas inside schemas. */

/** The drafts that Cerbos's library knows, as numbers that compare. */
export type DraftVersion = 4 | 6 | 7 | 2019 | 2020;

export interface Draft {
  readonly version: DraftVersion;
  /** Address of its meta-schema. */
  readonly meta: string;
  /** Name of the property that holds a schema's id. */
  readonly id: "id" | "$id";
  readonly subschemas: readonly Position[];
  /** Names of the vocabularies it knows; a meta-schema may ask for no others. Empty before 2019. */
  readonly vocabularies: readonly string[];
}

/** A keyword whose value is a schema, a list of schemas, or an object of them. */
interface Position {
  readonly keyword: string;
  readonly self?: boolean;
  readonly items?: boolean;
  readonly members?: boolean;
}

const members = (...names: readonly string[]): Position[] =>
  names.map((keyword) => ({ keyword, members: true }));
const self = (...names: readonly string[]): Position[] => names.map((keyword) => ({ keyword, self: true }));
const list = (...names: readonly string[]): Position[] => names.map((keyword) => ({ keyword, items: true }));

const FOUR: readonly Position[] = [
  ...members("definitions", "properties", "patternProperties", "dependencies"),
  ...self("not", "additionalProperties", "additionalItems"),
  ...list("allOf", "anyOf", "oneOf"),
  { keyword: "items", self: true, items: true },
];
const SIX: readonly Position[] = [...FOUR, ...self("propertyNames", "contains")];
const SEVEN: readonly Position[] = [...SIX, ...self("if", "then", "else")];
const NINETEEN: readonly Position[] = [
  ...SEVEN,
  ...members("$defs", "dependentSchemas"),
  ...self("unevaluatedProperties", "unevaluatedItems", "contentSchema"),
];
const TWENTY: readonly Position[] = [...NINETEEN, ...list("prefixItems")];

const VOCABULARIES_2019 = ["core", "applicator", "validation", "meta-data", "format", "content"];
const VOCABULARIES_2020 = [
  "core",
  "applicator",
  "unevaluated",
  "validation",
  "meta-data",
  "format-annotation",
  "format-assertion",
  "content",
];

export const DRAFT_2020: Draft = draft(2020, "https://json-schema.org/draft/2020-12/", TWENTY);
const DRAFTS: ReadonlyMap<string, Draft> = new Map([
  ["draft/2020-12/schema", DRAFT_2020],
  ["schema", DRAFT_2020],
  ["draft/2019-09/schema", draft(2019, "https://json-schema.org/draft/2019-09/", NINETEEN)],
  ["draft-07/schema", draft(7, "http://json-schema.org/draft-07/", SEVEN)],
  ["draft-06/schema", draft(6, "http://json-schema.org/draft-06/", SIX)],
  ["draft-04/schema", draft(4, "http://json-schema.org/draft-04/", FOUR)],
]);

function draft(version: DraftVersion, base: string, subschemas: readonly Position[]): Draft {
  const names = version === 2020 ? VOCABULARIES_2020 : version === 2019 ? VOCABULARIES_2019 : [];
  return {
    version,
    meta: `${base}schema`,
    id: version === 4 ? "id" : "$id",
    subschemas,
    vocabularies: names.map((name) => `${base}vocab/${name}`),
  };
}

/** The draft that an address names, with either scheme and with or without an empty fragment. */
export function findDraft(url: string): Draft | undefined {
  const path = /^https?:\/\/json-schema\.org\/(.*?)(?:#\/?)?$/.exec(url)?.[1];
  return path === undefined ? undefined : DRAFTS.get(path);
}
