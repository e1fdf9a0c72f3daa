/** One policy file to its document. Knows nothing of other files, so its result may be kept while the file is unchanged. */
import { diagnose } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import { LineIndex } from "./line-index.ts";
import { describeNode, type Node } from "./node.ts";
import { parseYaml } from "./parse-yaml.ts";
import { PolicyDocument, type SourceFile } from "./policy-document.ts";
import { StringTable } from "./string-table.ts";

/** Documents of a refused stream whose fields are still checked; each may cost a pass over the whole file. */
const MAX_REFUSED = 16;

/** What one policy file holds: a document, or problems, or (empty, comments only) neither. */
export interface LoadedPolicy {
  readonly document?: PolicyDocument;
  /** The first documents of a file that is refused because it holds several: only to say what is wrong with them. */
  readonly refused?: readonly PolicyDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Loads one policy file by itself; a caller may keep the result for as long as the file does not change.
 * @param strings shared by the documents of one policy set
 */
export function loadPolicy(source: SourceFile, strings = new StringTable()): LoadedPolicy {
  const { roots, starts, problems } = parseYaml(source.text, strings);
  const lines = new LineIndex(source.text);
  const diagnostics = problems.map(({ code, params, offset, path, length }) =>
    diagnose(code, params, { file: source.path, ...lines.position(offset), path }, length),
  );
  const placeAt = (offset: number) => ({ file: source.path, ...lines.position(offset), path: "$" });
  const documentOf = (node: Node): PolicyDocument[] =>
    node.kind === "map" ? [new PolicyDocument(source.path, source.text, node, strings)] : [];
  const several = starts[1] !== undefined;
  if (starts[1] !== undefined) {
    diagnostics.push(diagnose("EDICT1104", {}, placeAt(starts[1])));
  }
  const checked = roots.slice(0, MAX_REFUSED);
  for (const node of checked) {
    if (node.kind !== "map") {
      diagnostics.push(diagnose("EDICT1105", { found: describeNode(node) }, placeAt(node.offset)));
    }
  }
  if (several) {
    return { refused: problems.length > 0 ? [] : checked.flatMap(documentOf), diagnostics };
  }
  const [root] = roots;
  if (root?.kind !== "map" || diagnostics.length > 0) {
    return { diagnostics };
  }
  return { document: new PolicyDocument(source.path, source.text, root, strings), diagnostics };
}
