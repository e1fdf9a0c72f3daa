/** Two verdicts on one set: how much they differ, from "one accepts it" down to "another column". */
import type { Finding, Verdict } from "./cerbos-verdict.ts";
import { comparable, isSamePlace } from "./comparable.ts";

/** In order of weight. */
export type Level = "verdict" | "file" | "kind" | "place";

export interface Disagreement {
  readonly level: Level;
  readonly lines: readonly string[];
}

/** The first and heaviest way in which the two differ; undefined when they say the same. */
export function disagreement(first: Verdict, second: Verdict): Disagreement | undefined {
  const [cerbos, edict] = comparable(first, second);
  const all = [...cerbos.findings.map(said("Cerbos")), ...second.findings.map(said("edict"))];
  if (cerbos.accepted !== edict.accepted) {
    return {
      level: "verdict",
      lines: [`${edict.accepted ? "only Cerbos" : "only edict"} refuses it`, ...all],
    };
  }
  const checks: readonly (readonly [Level, (finding: Finding) => string])[] = [
    ["file", ({ file }) => file],
    ["kind", ({ kind, file, about = "" }) => `${kind} ${file} ${about}`],
  ];
  for (const [level, key] of checks) {
    if (!sameKeys(cerbos.findings.map(key), edict.findings.map(key), level === "file"))
      return { level, lines: all };
  }
  const open = [...edict.findings];
  const missing = cerbos.findings.filter((want) => {
    const at = open.findIndex((own) => isSamePlace(want, own));
    if (at >= 0) open.splice(at, 1);
    return at < 0;
  });
  if (missing.length === 0 && open.length === 0) return undefined;
  return { level: "place", lines: [...missing.map(said("Cerbos")), ...open.map(said("edict"))] };
}

function sameKeys(left: readonly string[], right: readonly string[], asSets: boolean): boolean {
  const [some, others] = [left, right].map((keys) => (asSets ? [...new Set(keys)] : [...keys]).sort());
  return JSON.stringify(some) === JSON.stringify(others);
}

function said(who: string): (finding: Finding) => string {
  return ({ kind, file, line, column, path, about, text }) =>
    `${who}: ${kind} ${file}:${line ?? ""}:${column ?? ""} ${path ?? ""} ${about ?? ""} - ${text.replaceAll("\n", " ")}`;
}
