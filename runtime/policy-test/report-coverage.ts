/** Coverage as text, JSON, or LCOV for tools that draw it beside the policies. */
import type { CoverageItem, CoverageKind } from "./coverage.ts";

export type CoverageFormat = "text" | "json" | "lcov";

export const COVERAGE_FORMATS: readonly CoverageFormat[] = ["text", "json", "lcov"];

const MISSES: Readonly<Record<CoverageKind, string>> = {
  rule: "rule never held",
  "derived role": "derived role never active",
  "condition-true": "condition never true",
  "condition-false": "condition never false",
  "output-activated": "output for `ruleActivated` never given",
  "output-not-met": "output for `conditionNotMet` never given",
};

/** Longest expression shown on a line, in characters. */
const MAX_SHOWN = 80;

/** Share of items that were reached, in percent; 100 when there are none. */
export function percent(items: readonly CoverageItem[]): number {
  return items.length === 0 ? 100 : (100 * covered(items)) / items.length;
}

/** The report in a format, ending in a line break. */
export function coverageReport(items: readonly CoverageItem[], format: CoverageFormat): string {
  switch (format) {
    case "text":
      return textReport(items);
    case "json":
      return `${JSON.stringify(jsonReport(items), null, 2)}\n`;
    case "lcov":
      return lcovReport(items);
  }
}

function textReport(items: readonly CoverageItem[]): string {
  const lines = [`Coverage ${shown(items)}`];
  for (const [file, own] of byFile(items)) {
    lines.push(`  ${file} ${shown(own)}`);
    for (const { kind, place, name, hits } of own) {
      if (hits === 0) lines.push(`    ${place.line}:${place.column} ${MISSES[kind]}: ${oneLine(name)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function shown(items: readonly CoverageItem[]): string {
  // Rounded down, so that 100% means everything.
  const share = Math.floor(percent(items) * 10) / 10;
  return `${share}% (${covered(items)} of ${items.length})`;
}

function oneLine(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  return flat.length > MAX_SHOWN ? `${flat.slice(0, MAX_SHOWN - 1)}…` : flat;
}

function totals(items: readonly CoverageItem[]): object {
  return { percent: percent(items), covered: covered(items), total: items.length };
}

function jsonReport(items: readonly CoverageItem[]): unknown {
  return {
    ...totals(items),
    files: [...byFile(items)].map(([file, own]) => ({
      file,
      totals: totals(own),
      items: own.map(({ kind, place, name, hits }) => ({
        kind,
        line: place.line,
        column: place.column,
        name,
        hits,
      })),
    })),
  };
}

/** Rules and derived roles are functions, the two results of a condition branches, and every place a line. */
function lcovReport(items: readonly CoverageItem[]): string {
  return [...byFile(items)].map(([file, own]) => lcovFile(file, own)).join("");
}

function functionName(item: CoverageItem): string {
  return `${oneLine(item.name).replaceAll(",", " ")}:${item.place.line}`;
}

function lcovFile(file: string, items: readonly CoverageItem[]): string {
  const functions = items.filter(({ kind }) => kind === "rule" || kind === "derived role");
  const branches = items.filter(({ kind }) => kind.startsWith("condition-"));
  const hitsOfLine = new Map<number, number>();
  for (const { place, hits } of items) {
    hitsOfLine.set(place.line, (hitsOfLine.get(place.line) ?? 0) + hits);
  }
  const lines = [...hitsOfLine].sort(([left], [right]) => left - right);
  return [
    "TN:",
    `SF:${file}`,
    ...functions.map((item) => `FN:${item.place.line},${functionName(item)}`),
    ...functions.map((item) => `FNDA:${item.hits},${functionName(item)}`),
    `FNF:${functions.length}`,
    `FNH:${covered(functions)}`,
    ...branches.map(
      ({ place, kind, hits }) =>
        `BRDA:${place.line},${place.column},${kind === "condition-true" ? 0 : 1},${hits === 0 ? "-" : hits}`,
    ),
    `BRF:${branches.length}`,
    `BRH:${covered(branches)}`,
    ...lines.map(([line, hits]) => `DA:${line},${hits}`),
    `LF:${lines.length}`,
    `LH:${lines.filter(([, hits]) => hits > 0).length}`,
    "end_of_record",
    "",
  ].join("\n");
}

function byFile(items: readonly CoverageItem[]): ReadonlyMap<string, readonly CoverageItem[]> {
  const files = new Map<string, CoverageItem[]>();
  for (const item of items) {
    const own = files.get(item.place.file) ?? [];
    own.push(item);
    files.set(item.place.file, own);
  }
  return files;
}

function covered(items: readonly CoverageItem[]): number {
  return items.filter(({ hits }) => hits > 0).length;
}
