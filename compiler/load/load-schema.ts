/** JSON schemas under `_schemas/`: read as plain JSON here, compiled where attributes are validated. */
import { diagnose } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { JsonValue } from "../policy/policy-set.ts";
import { LineIndex } from "./line-index.ts";
import type { SourceFile } from "./policy-document.ts";
import { keepNumbers } from "./schema-numbers.ts";

/** The diagnostic for a `_schemas` directory below the root. */
export function misplacedSchemas(directory: string): Diagnostic {
  return diagnose("EDICT1004", { directory }, { file: directory, line: 1, column: 1, path: "$" });
}

/** Reads one schema into `schemas`; returns the problem where there is one. */
export function loadSchema(source: SourceFile, id: string, schemas: Map<string, JsonValue>): Diagnostic[] {
  try {
    const schema: JsonValue = JSON.parse(source.text);
    const wrong = keepNumbers(schema, source.text);
    if (wrong === undefined) {
      schemas.set(id, schema);
      return [];
    }
    const place = { file: source.path, ...new LineIndex(source.text).position(wrong.offset), path: "$" };
    return [diagnose("EDICT1202", { number: wrong.text }, place, wrong.text.length)];
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    // V8 names the position in its text only, and not always.
    const offset = Number(/position (\d+)/.exec(problem)?.[1] ?? firstNonToken(source.text));
    const place = { file: source.path, ...new LineIndex(source.text).position(offset), path: "$" };
    return [
      diagnose("EDICT1201", { problem: problem.replace(/^[A-Z]/, (char) => char.toLowerCase()) }, place),
    ];
  }
}

/** Strings, numbers, literals, punctuation and blanks of JSON. */
const JSON_TOKEN =
  /"(?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[\da-fA-F]{4})*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null|[[\]{}:,]|[ \t\r\n]+/uy;

/** Offset of the first text that is no JSON token; 0 when the fault is in their order. */
function firstNonToken(text: string): number {
  JSON_TOKEN.lastIndex = 0;
  let at = 0;
  while (at < text.length && JSON_TOKEN.test(text)) {
    at = JSON_TOKEN.lastIndex;
  }
  return at < text.length ? at : 0;
}
