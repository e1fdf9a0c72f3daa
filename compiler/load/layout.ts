/**
 * What a file in a policy directory is, judged by its path alone (COMPAT.md section 1). Shared by the walk over a
 * directory, which prunes with it, and by `load`, which also gets files from elsewhere. Reads nothing.
 */

/** Directory of JSON schemas; allowed only at the root. */
export const SCHEMA_DIRECTORY = "_schemas";

/** Upper case counts too, as in Cerbos 0.55: a policy that is silently left out could be the one that denies. */
const POLICY_FILE = /\.(yaml|yml|json)$/i;
const TEST_SUITE = /_test\.(yaml|yml|json)$/i;

/** Whether the walk goes into a directory of this name; `_schemas` is judged by `classify`. */
export function isSkippedDirectory(name: string): boolean {
  return name.startsWith(".") || name === "testdata";
}

export type FileRole =
  | { readonly kind: "policy" }
  | { readonly kind: "schema"; readonly id: string }
  | { readonly kind: "misplaced-schema"; readonly directory: string }
  | { readonly kind: "ignored" };

const POLICY: FileRole = { kind: "policy" };
const IGNORED: FileRole = { kind: "ignored" };

/** @param path relative to the policy directory, with forward slashes */
export function classify(path: string): FileRole {
  const parts = path.split("/");
  const name = parts.pop() ?? "";
  if (name.startsWith(".") || parts.some((part) => part.startsWith("."))) {
    return IGNORED;
  }
  const schemaAt = parts.indexOf(SCHEMA_DIRECTORY);
  const testdataAt = parts.indexOf("testdata");
  if (schemaAt === 0) {
    return /\.json$/i.test(name) ? { kind: "schema", id: path.slice(SCHEMA_DIRECTORY.length + 1) } : IGNORED;
  }
  if (testdataAt >= 0 && (schemaAt < 0 || testdataAt < schemaAt)) {
    return IGNORED;
  }
  if (schemaAt > 0) {
    return { kind: "misplaced-schema", directory: parts.slice(0, schemaAt + 1).join("/") };
  }
  return POLICY_FILE.test(name) && !TEST_SUITE.test(name) ? POLICY : IGNORED;
}
