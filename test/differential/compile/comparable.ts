/**
 * What of edict's findings can be compared with what Cerbos says about the same set. edict reports all it finds in one run, Cerbos
 * stops in many places; what edict says beyond such a place is left out here, what Cerbos says never is.
 */
import type { Finding, Verdict } from "./cerbos-verdict.ts";
import { INSIDE } from "./edict-verdict.ts";

const LOAD_KINDS: ReadonlySet<string> = new Set(["load failure", "parse error", "validation error"]);
const OF_THE_SET: ReadonlySet<string> = new Set([
  "duplicate",
  "missing import",
  "missing scope",
  "scope permissions",
]);

/** With one of these, Cerbos does not look at the expressions of a policy. */
const ENDS: ReadonlySet<string> = new Set([
  "ambiguous derived role",
  "invalid schema",
  "unknown derived role",
]);

/** The two verdicts with the findings that both should have. */
export function comparable(cerbos: Verdict, edict: Verdict): readonly [Verdict, Verdict] {
  // Cerbos lists which policies are disabled among the errors; that is none.
  const all = cerbos.findings.filter(({ kind }) => kind !== "disabled_defs");
  const failed = [...all, ...edict.findings].some(({ kind }) => LOAD_KINDS.has(kind));
  // Cerbos misses a file that cannot be loaded everywhere; edict does not complain about what follows from that.
  const remains = ({ kind }: Finding): boolean => !failed || !OF_THE_SET.has(kind);
  const wanted = all.filter(remains);
  const own = edict.findings.filter(remains);
  const kept = failed ? own.filter((one) => isOfLoad(one, wanted, own)) : ofCompile(own, wanted);
  return [
    { ...cerbos, findings: wanted },
    { ...edict, findings: kept },
  ];
}

/** Whether two findings say the same of the same place. */
export function isSamePlace(want: Finding, own: Finding): boolean {
  if (want.kind !== own.kind || want.file !== own.file || want.about !== own.about) return false;
  if (want.path !== undefined && want.path !== own.path) return false;
  const { line, column = 0 } = want;
  const { line: ownLine = 0, column: ownColumn = 0 } = own;
  if (line === undefined) return true;
  if (INSIDE.has(want.kind)) return ownLine > line || (ownLine === line && ownColumn >= column);
  return ownLine === line && ownColumn === column;
}

/** Cerbos ends a document at its first type error and a stream of documents at once, and judges only what it could read. */
function isOfLoad(own: Finding, wanted: readonly Finding[], all: readonly Finding[]): boolean {
  const { file, text } = own;
  const said = wanted.filter((one) => one.file === file);
  if (said.length === 0) return true;
  if (said.some((one) => one.line === undefined && one.text.includes("document"))) {
    return text.startsWith("EDICT1104");
  }
  // The rules about whole policies are for policies whose fields are right.
  if (text.startsWith("EDICT21")) return said.every((one) => one.kind === "load failure");
  const ended = said.filter((one) => one.kind === "parse error");
  if (ended.length === 0) return true;
  const same = all.filter((one) => one.file === file && ended.some((end) => isSamePlace(end, one)));
  return same.length > 0 ? same.includes(own) : own === all.find((one) => one.file === file);
}

/**
 * Cerbos reports an expression once, whatever is wrong in it, and a derived role once, however often it is used; it compiles
 * no rules of a policy whose schemas or imports have errors.
 */
function ofCompile(own: readonly Finding[], wanted: readonly Finding[]): readonly Finding[] {
  const seen = new Set<string>();
  return own.filter((one) => {
    const { kind, file, path = "", about = "" } = one;
    const said = wanted.filter((want) => want.file === file);
    if (wanted.length > 0 && file !== "" && said.length === 0) return false;
    if (said.some((want) => ENDS.has(want.kind)) && !ENDS.has(kind)) return false;
    if (kind.endsWith("derived role")) return said.some((want) => isSamePlace(want, one)) && isNew(path);
    if (kind === "invalid expression") return isNew(`${file} ${path}`);
    return kind !== "missing scope" || isNew(about);
  });

  function isNew(key: string): boolean {
    const before = seen.size;
    return seen.add(key).size > before;
  }
}
