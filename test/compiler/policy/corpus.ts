/**
 * The corpora that pin what stages 1 and 2 must say: reading them, and comparing places. The upstream parser points at a
 * field's key, at its value or at the first colon of a map, by kind of error; we point at the key or the value. So places
 * agree when both stand on the same field.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { LineIndex } from "../../../compiler/load/line-index.ts";
import type { Node } from "../../../compiler/load/node.ts";
import { parseYaml } from "../../../compiler/load/parse-yaml.ts";

export const CORPUS =
  process.env["EDICT_CORPUS"] ?? fileURLToPath(new URL("../../../../shared/corpus", import.meta.url));

export const hasCorpus = existsSync(CORPUS);

/** Reason shown where the tests are skipped. */
export const NO_CORPUS = "no corpus beside the repository (EDICT_CORPUS)";

/** The JSON cases of one suite, by name. */
export function readCases<T>(suite: string): (readonly [name: string, content: T])[] {
  if (!hasCorpus) {
    return [];
  }
  const folder = join(CORPUS, suite, "cases");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => {
      const content: T = JSON.parse(readFileSync(join(folder, name), "utf8"));
      return [name.replace(/\.json$/, ""), content];
    });
}

export function readText(...path: string[]): string {
  return readFileSync(join(CORPUS, ...path), "utf8");
}

export interface Position {
  readonly line: number;
  readonly column: number;
  readonly path?: string;
}

/** Whether two positions in a text stand on the same field. */
export function sameField(text: string, ours: Position, theirs: Position): boolean {
  if (ours.line === theirs.line && ours.column === theirs.column) {
    return theirs.path === undefined || theirs.path === ours.path || ours.path === "$";
  }
  const lines = new LineIndex(text);
  const spots = parseYaml(text).roots.flatMap((root) =>
    fieldOffsets(root, theirs.path ?? ours.path ?? "$", text),
  );
  const places = spots.map((offset) => lines.position(offset));
  const among = ({ line, column }: Position): boolean =>
    places.some((place) => place.line === line && place.column === column);
  return (theirs.path === undefined || theirs.path === ours.path) && among(ours) && among(theirs);
}

/** Offsets that count as standing on the field at a path: key, value, content, first colon of a map. */
function fieldOffsets(root: Node, path: string, text: string): number[] {
  let node = root;
  let key = root.offset;
  for (const [, quoted, name, index] of path.slice(1).matchAll(/\.'([^']*)'|\.([^.[]*)|\[(\d+)\]/g)) {
    if (index !== undefined) {
      const item = node.kind === "list" ? node.items[Number(index)] : undefined;
      if (item === undefined) {
        return [];
      }
      [node, key] = [item, item.offset];
      continue;
    }
    const entry =
      node.kind === "map" ? node.entries.find((each) => each.key === (quoted ?? name)) : undefined;
    if (entry === undefined) {
      return [];
    }
    [node, key] = [entry.value, entry.keyOffset];
  }
  const offsets = [key, node.offset];
  if (node.kind === "scalar") {
    offsets.push(node.contentOffset);
  }
  if (node.kind === "map") {
    offsets.push(text.indexOf(":", node.entries[0]?.keyOffset ?? node.offset));
  }
  return offsets;
}

/** Upstream kinds of error. Parsing covers unknown fields and wrong types there, validation the values of fields. */
export function upstreamKind(code: string): string | undefined {
  if (code.startsWith("EDICT1") || /^EDICT200\d$/.test(code)) {
    return "KIND_PARSE_ERROR";
  }
  return /^EDICT201\d$/.test(code) ? "KIND_VALIDATION_ERROR" : undefined;
}

/** Runs a check on a case that is expected to hold, or, when listed as a known failure, expected not to. */
export function expectHolds(
  name: string,
  knownFailures: Readonly<Record<string, string>>,
  assertion: () => void,
): void {
  const reason = knownFailures[name];
  if (reason === undefined) {
    assertion();
    return;
  }
  let passed = true;
  try {
    assertion();
  } catch {
    passed = false;
  }
  if (passed) {
    throw new Error(`${name} passes: remove it from the known failures (${reason})`);
  }
}
