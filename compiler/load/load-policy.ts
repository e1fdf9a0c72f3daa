/** One policy file to its document. Knows nothing of other files, so its result may be kept while the file is unchanged. */
import { diagnose } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { LineIndex } from "./line-index.ts";
import { describeNode } from "./node.ts";
import { parseYaml } from "./parse-yaml.ts";
import { PolicyDocument, type SourceFile } from "./policy-document.ts";
import { StringTable } from "./string-table.ts";

/** What one policy file holds: a document, or problems, or (empty, comments only) neither. */
export interface LoadedPolicy {
  readonly document?: PolicyDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Loads one policy file by itself; a caller may keep the result for as long as the file does not change.
 * @param strings shared by the documents of one policy set
 */
export function loadPolicy(source: SourceFile, strings = new StringTable()): LoadedPolicy {
  const { roots, problems } = parseYaml(source.text, strings);
  const lines = new LineIndex(source.text);
  const diagnostics = problems.map(({ code, params, offset, path, length }) =>
    diagnose(code, params, { file: source.path, ...lines.position(offset), path }, length),
  );
  const [root, second] = roots;
  if (second !== undefined) {
    diagnostics.push(
      diagnose("EDICT1104", {}, { file: source.path, ...lines.position(second.offset), path: "$" }),
    );
  } else if (root !== undefined && root.kind !== "map") {
    const place = { file: source.path, ...lines.position(root.offset), path: "$" };
    diagnostics.push(diagnose("EDICT1105", { found: describeNode(root) }, place));
  }
  if (root?.kind !== "map" || diagnostics.length > 0) {
    return { diagnostics };
  }
  return { document: new PolicyDocument(source.path, source.text, root, strings), diagnostics };
}
