/** What edict's compiler says of a directory, as the findings that `cerbos compile` would have (cerbos-verdict.ts). */
import { readSources } from "../../../compiler/directory.ts";
import { plan } from "../../../compiler/index.ts";
import type { Diagnostic } from "../../../compiler/diagnostics/diagnostic.ts";
import type { Finding, Verdict } from "./cerbos-verdict.ts";

/** Codes of each kind that Cerbos finds while it builds its index. */
const INDEX_KINDS: readonly (readonly [kind: string, codes: RegExp])[] = [
  ["load failure", /^EDICT(100\d|1104|210[1-5]|2109)$/],
  ["parse error", /^EDICT(1\d{3}|200\d)$/],
  ["validation error", /^EDICT201\d$/],
  ["duplicate", /^EDICT2301$/],
  ["missing import", /^EDICT2302$/],
  ["missing scope", /^EDICT2303$/],
  ["scope permissions", /^EDICT2304$/],
];

/** Codes of each kind that Cerbos finds while it compiles. */
const COMPILE_KINDS: readonly (readonly [kind: string, codes: RegExp])[] = [
  ["ambiguous derived role", /^EDICT2306$/],
  ["constant redefined", /^EDICT2204$/],
  ["cyclical variable definitions", /^EDICT302[78]$/],
  ["empty output", /^EDICT2107$/],
  ["invalid constant name", /^EDICT220[12]$/],
  ["invalid variable name", /^EDICT220[12]$/],
  ["invalid expression", /^EDICT3(?!02[3-8]$|03[34]$)\d{3}$/],
  ["scripts in conditions are no longer supported", /^EDICT2106$/],
  ["undefined variable", /^EDICT302[35]$/],
  ["undefined constant", /^EDICT302[46]$/],
  ["unknown derived role", /^EDICT2305$/],
  ["variable redefined", /^EDICT2203$/],
  ["invalid schema", /^EDICT2308$/],
  ["not supported", /^EDICT303[34]$/],
  ["invalid glob", /^EDICT4001$/],
];

/** Kinds whose place is inside the value that Cerbos names: edict points at the character. */
export const INSIDE: ReadonlySet<string> = new Set([
  "invalid expression",
  "undefined variable",
  "undefined constant",
]);

/** What edict says of the policies below a directory. */
export async function edictVerdict(directory: string): Promise<Verdict> {
  const { sources, diagnostics } = await readSources(directory);
  const errors = [...diagnostics, ...plan(sources).diagnostics].filter(
    ({ severity }) => severity === "error",
  );
  const findings = errors.flatMap(findingsOf);
  const index = findings.filter(({ kind }) => INDEX_KINDS.some(([known]) => known === kind));
  return {
    accepted: errors.length === 0,
    stage: index.length > 0 ? "index" : "compile",
    findings: index.length > 0 ? index : findings,
  };
}

function findingsOf({ code, message, place }: Diagnostic): Finding[] {
  const kinds = [...INDEX_KINDS, ...COMPILE_KINDS]
    .filter(([, codes]) => codes.test(code))
    .map(([kind]) => kind);
  const kind = code.startsWith("EDICT220") && message.includes("constant") ? kinds.at(0) : kinds.at(-1);
  const first = kinds[0] !== undefined && INDEX_KINDS.some(([known]) => known === kinds[0]) ? kinds[0] : kind;
  const about = /`([^`]*)`/u.exec(message)?.[1] ?? "";
  const { file, line, column, path } = place;
  const text = `${code} ${message}`;
  switch (first) {
    case "missing scope":
      return [{ kind: first, file: "", about, text }];
    case "scope permissions":
      return [{ kind: first, file: "", about: message.startsWith("policies in scope") ? about : "", text }];
    case "duplicate":
      return [{ kind: first, file, line, column, about, text }];
    case undefined:
      return [{ kind: code, file, line, column, path, text }];
    default:
      return [{ kind: first, file, line, column, path, text }];
  }
}
