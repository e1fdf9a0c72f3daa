/** Codes of the policy stage, EDICT2xxx: fields and semantic rules. A code is never used twice, nor for another meaning. */
import type { CodeTable } from "./code-table.ts";

export const policyCodes = {
  // Fields: shape
  EDICT2001: { message: "unknown field `{field}`", help: "{advice}" },
  EDICT2002: { message: "expected {expected}, got {found}", help: "{advice}" },
  EDICT2003: {
    message: "field `{field}` is given twice, in two spellings",
    help: "remove one of `{field}` and `{other}`",
  },
  EDICT2004: {
    message: "`{field}` and `{other}` exclude each other",
    help: "keep one of the two",
  },
  EDICT2005: { message: "unknown value `{value}`", help: "use one of {values}" },
  // Fields: values
  EDICT2011: { message: "`{field}` is required", help: "add `{field}`" },
  EDICT2012: { message: "`{value}` is not a valid {what}", help: "{advice}" },
  EDICT2013: { message: "`{field}` needs at least one entry", help: "add an entry" },
  EDICT2014: { message: "`{value}` is listed twice", help: "remove one of the two" },
  EDICT2015: { message: "entry must not be empty", help: "remove the entry or give it a value" },
  EDICT2016: {
    message: "policy has no kind",
    help: "add one of {fields}",
  },
  EDICT2017: { message: "`{field}` needs one of {fields}", help: "add one of them" },
  // Rules of one policy
  EDICT2101: {
    message: "rule `{rule}` names no roles and no derived roles, so it matches nobody",
    help: "add `roles` or `derivedRoles`",
  },
  EDICT2102: {
    message: "rule name `{name}` is used twice, first on line {line}",
    help: "rename one of the two rules",
  },
  EDICT2103: {
    message: "resource `{resource}` has two entries, the first on line {line}",
    help: "move the actions into one entry",
  },
  EDICT2104: {
    message: "derived role `{name}` is defined twice, first on line {line}",
    help: "rename or remove one of the two definitions",
  },
  EDICT2105: {
    message: "`variables` at the top level is not allowed in {kind}",
    help: "move the definitions into the policy's own `definitions`",
  },
  EDICT2106: {
    message: "`condition.script` is no longer supported",
    help: "write the condition in CEL, under `condition.match`",
  },
  EDICT2107: {
    message: "output has no expression",
    help: "add `when.ruleActivated` or `when.conditionNotMet`, or remove the output",
  },
  EDICT2108: {
    message: "role policy has no version; `default` is assumed",
    help: "add `version: default`",
    severity: "warning",
  },
  EDICT2109: {
    message: "a role policy cannot have `{value}`",
    help: "remove `scopePermissions`: a role policy only restricts",
  },
  // Variables and constants
  EDICT2201: {
    message: "`{name}` is not a valid {kind} name",
    help: "use letters, digits and `_`, starting with a letter or `_`",
  },
  EDICT2202: { message: "`{name}` is a reserved word and cannot name a {kind}", help: "choose another name" },
  EDICT2203: {
    message: "variable `{name}` has several definitions: {places}",
    help: "rename or remove all but one",
  },
  EDICT2204: {
    message: "constant `{name}` has several definitions: {places}",
    help: "rename or remove all but one",
  },
  // Rules of the whole set
  EDICT2301: {
    message: "policy `{key}` is already defined in {other}",
    help: "remove one of the two, or give one another version or scope",
  },
  EDICT2302: {
    message: "cannot find {kind} `{name}`, imported by {key}",
    help: "add a policy that defines it (and is not disabled), or remove the import",
  },
  EDICT2303: {
    message: "policy `{missing}` is missing; {key} needs every scope above it to have a policy",
    help: "add a policy for the missing scope; it may have no rules",
  },
  EDICT2304: {
    message: "policies in {scope} disagree about scopePermissions: {own} here, {other} in {file}",
    help: "scopePermissions belongs to the scope: give all its policies the same value",
  },
  EDICT2305: {
    message: "derived role `{name}` is not defined in any import",
    help: "import the policy that defines it with `importDerivedRoles`, or correct the name",
  },
  EDICT2306: {
    message: "derived role `{name}` is ambiguous: it is defined in the imports {imports}",
    help: "rename one of the definitions, or drop one of the imports",
  },
  EDICT2307: {
    message: "policy `{missing}` is missing above {key}; only {role} stands in for it",
    help: "add a policy for the missing scope; it may have no rules",
    severity: "warning",
  },
  EDICT2308: {
    message: "the {role} schema `{ref}` cannot be loaded: {problem}",
    help: "correct the reference or the schema under `_schemas`; `--ignore-schemas` makes this a warning",
  },
} as const satisfies CodeTable;
