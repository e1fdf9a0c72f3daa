/**
 * Stage 1: files to documents.
 *
 * Input: the files of a policy directory, in any order (`SourceFile[]`).
 * Output: one `PolicyDocument` per policy file, sorted by path, and the JSON schemas under `_schemas/`.
 * Fails with: EDICT1xxx, problems of files and their syntax; a file that has one yields no document.
 */
import { compareDiagnostics, compareText } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { JsonValue } from "../policy/policy-set.ts";
import { LoadCache } from "./load-cache.ts";
import { misplacedSchemas } from "./load-schema.ts";
import type { PolicyDocument, SourceFile } from "./policy-document.ts";

export { PolicyDocument, type SourceFile } from "./policy-document.ts";

export interface Loaded {
  readonly documents: readonly PolicyDocument[];
  /** Schema id (path below `_schemas/`) to document. */
  readonly schemas: ReadonlyMap<string, JsonValue>;
  /** Documents of files that are refused because they hold several: only their fields are checked. */
  readonly refused: readonly PolicyDocument[];
  /** Policy files without a document because of the problems in `diagnostics`. */
  readonly failed: readonly SourceFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Loads every file. A pure function of the files; their order does not matter.
 * @param cache kept by a caller that loads again after edits; changes nothing but the time it takes
 */
export function load(sources: readonly SourceFile[], cache: LoadCache = new LoadCache()): Loaded {
  const patched = cache.patch(sources);
  if (patched !== undefined) return patched;
  const policies: SourceFile[] = [];
  const schemaFiles: { readonly source: SourceFile; readonly id: string }[] = [];
  const diagnostics: Diagnostic[] = [];
  const misplaced = new Set<string>();
  for (const source of [...sources].sort((a, b) => compareText(a.path, b.path))) {
    const role = cache.roleOf(source.path);
    switch (role.kind) {
      case "policy":
        policies.push(source);
        break;
      case "schema":
        schemaFiles.push({ source, id: role.id });
        break;
      case "misplaced-schema":
        misplaced.add(role.directory);
        break;
      case "ignored":
        break;
    }
  }
  const { schemas, diagnostics: schemaDiagnostics } = cache.loadSchemas(schemaFiles);
  diagnostics.push(...schemaDiagnostics);
  const documents: PolicyDocument[] = [];
  const refused: PolicyDocument[] = [];
  const failed: SourceFile[] = [];
  for (const [index, loaded] of cache.loadAll(policies).entries()) {
    const source = policies[index];
    diagnostics.push(...loaded.diagnostics);
    refused.push(...(loaded.refused ?? []));
    if (loaded.document !== undefined) {
      documents.push(loaded.document);
    } else if (source !== undefined && loaded.diagnostics.length > 0) {
      failed.push(source);
    }
  }
  diagnostics.push(...[...misplaced].map(misplacedSchemas));
  diagnostics.sort(compareDiagnostics);
  return cache.finish(sources, { documents, schemas, refused, failed, diagnostics });
}
