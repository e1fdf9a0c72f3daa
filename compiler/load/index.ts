/**
 * Stage 1: files to documents.
 *
 * Input: the files of a policy directory, in any order (`SourceFile[]`).
 * Output: one `PolicyDocument` per policy file, sorted by path, and the JSON schemas under `_schemas/`.
 * Fails with: EDICT1xxx, problems of files and their syntax; a file that has one yields no document.
 */
import { compareText } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { JsonValue } from "../policy/policy-set.ts";
import { classify } from "./layout.ts";
import { loadPolicy } from "./load-policy.ts";
import { loadSchema, misplacedSchemas } from "./load-schema.ts";
import type { PolicyDocument, SourceFile } from "./policy-document.ts";
import { StringTable } from "./string-table.ts";

export { PolicyDocument, type SourceFile } from "./policy-document.ts";

export interface Loaded {
  readonly documents: readonly PolicyDocument[];
  /** Schema id (path below `_schemas/`) to document. */
  readonly schemas: ReadonlyMap<string, JsonValue>;
  /** Policy files without a document because of the problems in `diagnostics`. */
  readonly failed: readonly SourceFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Loads every file. A pure function of the files; their order does not matter. */
export function load(sources: readonly SourceFile[]): Loaded {
  const documents: PolicyDocument[] = [];
  const schemas = new Map<string, JsonValue>();
  const failed: SourceFile[] = [];
  const diagnostics: Diagnostic[] = [];
  const misplaced = new Set<string>();
  const strings = new StringTable();
  for (const source of [...sources].sort((a, b) => compareText(a.path, b.path))) {
    const role = classify(source.path);
    switch (role.kind) {
      case "policy": {
        const file = loadPolicy(source, strings);
        diagnostics.push(...file.diagnostics);
        if (file.document !== undefined) {
          documents.push(file.document);
        } else if (file.diagnostics.length > 0) {
          failed.push(source);
        }
        break;
      }
      case "schema": {
        const problem = loadSchema(source, role.id, schemas);
        if (problem !== undefined) {
          diagnostics.push(problem);
        }
        break;
      }
      case "misplaced-schema":
        misplaced.add(role.directory);
        break;
      case "ignored":
        break;
    }
  }
  for (const directory of misplaced) {
    diagnostics.push(misplacedSchemas(directory));
  }
  return { documents, schemas, failed, diagnostics };
}
