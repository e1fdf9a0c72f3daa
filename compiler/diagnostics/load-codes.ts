/** Codes of the load stage, EDICT1xxx: files and their syntax. A code is never used twice, nor for another meaning. */
import type { CodeTable } from "./code-table.ts";

export const loadCodes = {
  // Files
  EDICT1001: {
    message: "cannot read `{name}`: {reason}",
    help: "check that the path exists and that this process may read it",
  },
  EDICT1002: {
    message: "file is larger than {limit} bytes",
    help: "a policy file holds one policy; split it, or raise the limit if the file is meant to be this large",
  },
  EDICT1003: { message: "file is not valid UTF-8", help: "save the file as UTF-8" },
  EDICT1004: {
    message: "`{directory}` must be under the root of the policy directory",
    help: "move the schemas to `_schemas` at the root of the policy directory",
  },
  EDICT1005: {
    message: "more than {limit} files or directories",
    help: "point at the directory that holds the policies, not at one above it",
  },
  // YAML and JSON
  EDICT1101: { message: "invalid YAML: {problem}", help: "{advice}" },
  EDICT1102: {
    message: "quoted string is not closed",
    help: "add the missing {quote} at the end of the string",
  },
  EDICT1103: {
    message: "text after the end of a quoted string",
    help: "put an expression that contains quotes into a literal block (`|-` and the text on the next line), or quote all of it",
  },
  EDICT1104: {
    message: "more than one YAML document in a file",
    help: "put each policy into a file of its own",
  },
  EDICT1105: {
    message: "contents are not a policy: expected a map, got {found}",
    help: "a policy starts with `apiVersion: api.cerbos.dev/v1`",
  },
  EDICT1106: {
    message: "key `{key}` is given twice, first on line {line}",
    help: "remove or rename one of the two",
  },
  EDICT1107: {
    message: "alias `*{name}` has no anchor before it",
    help: "define it with `&{name}` earlier in the file",
  },
  EDICT1108: {
    message: "anchor `&{name}` is defined twice, first on line {line}",
    help: "rename one of the two anchors",
  },
  EDICT1109: {
    message: "aliases unfold to more than {limit} values",
    help: "write the values out, or use fewer aliases inside aliases",
  },
  EDICT1110: { message: "nested more than {limit} levels deep", help: "flatten the structure" },
  EDICT1111: { message: "map keys must be simple values, got {found}", help: "use a string as the key" },
  EDICT1112: {
    message: "`<<` can merge a map or a list of maps, got {found}",
    help: "give it an alias of a map, as in `<<: *base`",
  },
  EDICT1113: {
    message: "`{text}` is a key without a value",
    help: "put a space after the colon, or quote the key if the colon is part of it",
  },
  EDICT1114: {
    message: "alias `*{name}` stands inside the value that it names",
    help: "a value cannot contain itself; write the inner part out",
  },
  EDICT1115: {
    message: "`{tag}` is read as a YAML tag, which is not supported",
    help: "quote a text that starts with `!`, or put it into a literal block; remove any other tag",
  },
  // Schemas
  // A warning: it only matters to policies that refer to the schema, and then it is missing there.
  EDICT1201: {
    message: "schema is not valid JSON: {problem}",
    help: "schemas under `_schemas` are JSON documents",
    severity: "warning",
  },
  EDICT1202: {
    message: "number `{number}` cannot be kept exactly",
    help: "where values are compared with it (`const`, `enum`, `multipleOf`), write a number of at most 15 digits; attributes have no more exact ones",
  },
} as const satisfies CodeTable;
