/**
 * The names every expression sees (COMPAT.md 7.1): `request` and its abbreviations, `runtime`, `globals`, and the types
 * that can be written as values. Variables and constants come from the policy and are not here.
 */
import type { CelType, InputName } from "./expression.ts";
import { DYN, STRING, listOf, mapOf, objectType } from "./types.ts";

export interface Field {
  /** The spelling that the rest of the compiler uses. */
  readonly name: string;
  readonly type: CelType;
  /** What the field is when selected from the object's own input. */
  readonly input?: InputName;
}

const REQUEST = objectType("cerbos.engine.v1.Request");
const PRINCIPAL = objectType("cerbos.engine.v1.Request.Principal");
const RESOURCE = objectType("cerbos.engine.v1.Request.Resource");
const AUX_DATA = objectType("cerbos.engine.v1.AuxData");
const JWT = objectType("cerbos.engine.v1.AuxData.JWT");
/** What an AuthZEN request says of its action; Cerbos has nothing like it. */
const ACTION = objectType("edict.Request.Action");
const RUNTIME = objectType("cerbos.engine.v1.Runtime");
/** An object with every field, all of them dyn: `globals`, and variables and constants as a whole. */
export const VARIABLES = objectType("cerbos.Variables");

const ANY_MAP = mapOf(STRING, DYN);

/** Names of inputs. */
export const INPUTS: ReadonlyMap<string, { readonly input: InputName; readonly type: CelType }> = new Map<
  string,
  { readonly input: InputName; readonly type: CelType }
>([
  ["request", { input: "request", type: REQUEST }],
  ["P", { input: "principal", type: PRINCIPAL }],
  ["R", { input: "resource", type: RESOURCE }],
  ["runtime", { input: "runtime", type: RUNTIME }],
  ["globals", { input: "globals", type: VARIABLES }],
  ["G", { input: "globals", type: VARIABLES }],
]);

/** Names whose fields are the policy's variables or constants. */
export const DEFINITIONS: ReadonlyMap<string, "variable" | "constant"> = new Map<
  string,
  "variable" | "constant"
>([
  ["variables", "variable"],
  ["V", "variable"],
  ["constants", "constant"],
  ["C", "constant"],
]);

/** Types that can be written as values, with the name that `type(x)` gives. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "int",
  "uint",
  "string",
  "list",
  "map",
  "null_type",
  "type",
  "optional_type",
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "cerbos.lib.hierarchy",
  "cerbos.lib.spiffeID",
  "cerbos.lib.spiffeTrustDomain",
  "cerbos.lib.spiffeMatcher",
  "net.IP",
  "net.CIDR",
  "cerbos.engine.v1.Request",
  "cerbos.engine.v1.Request.Principal",
  "cerbos.engine.v1.Request.Resource",
  "cerbos.engine.v1.AuxData",
  "cerbos.engine.v1.Runtime",
]);

/** First parts of the names of messages. */
export const MESSAGE_PACKAGES: ReadonlySet<string> = new Set(["google", "cerbos"]);

const FIELDS: ReadonlyMap<string, readonly Field[]> = new Map<string, readonly Field[]>([
  [
    "cerbos.engine.v1.Request",
    [
      { name: "principal", type: PRINCIPAL, input: "principal" },
      { name: "resource", type: RESOURCE, input: "resource" },
      { name: "auxData", type: AUX_DATA, input: "auxData" },
      { name: "action", type: ACTION, input: "action" },
      { name: "context", type: ANY_MAP, input: "context" },
    ],
  ],
  [
    "cerbos.engine.v1.Request.Principal",
    [
      { name: "id", type: STRING, input: "principal.id" },
      { name: "roles", type: listOf(STRING), input: "principal.roles" },
      { name: "attr", type: ANY_MAP, input: "principal.attr" },
      { name: "policyVersion", type: STRING, input: "principal.policyVersion" },
      { name: "scope", type: STRING, input: "principal.scope" },
    ],
  ],
  [
    "cerbos.engine.v1.Request.Resource",
    [
      { name: "kind", type: STRING, input: "resource.kind" },
      { name: "id", type: STRING, input: "resource.id" },
      { name: "attr", type: ANY_MAP, input: "resource.attr" },
      { name: "policyVersion", type: STRING, input: "resource.policyVersion" },
      { name: "scope", type: STRING, input: "resource.scope" },
    ],
  ],
  [
    "cerbos.engine.v1.AuxData",
    [
      { name: "jwt", type: ANY_MAP, input: "auxData.jwt" },
      { name: "jwts", type: mapOf(STRING, JWT), input: "auxData.jwts" },
    ],
  ],
  [
    "edict.Request.Action",
    [
      { name: "name", type: STRING, input: "action.name" },
      { name: "properties", type: ANY_MAP, input: "action.properties" },
    ],
  ],
  ["cerbos.engine.v1.AuxData.JWT", [{ name: "claims", type: ANY_MAP }]],
  [
    "cerbos.engine.v1.Runtime",
    [{ name: "effectiveDerivedRoles", type: listOf(STRING), input: "runtime.effectiveDerivedRoles" }],
  ],
]);

/** Fields of an object type by camelCase name; none for the types of function results such as hierarchies. */
export function fieldsOf(object: string): readonly Field[] {
  return FIELDS.get(object) ?? [];
}

/** The field of an object under its camelCase or snake_case name. */
export function fieldOf(object: string, written: string): Field | undefined {
  if (VARIABLES.kind === "object" && object === VARIABLES.name) return { name: written, type: DYN };
  return fieldsOf(object).find(({ name }) => name === written || snakeCase(name) === written);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
