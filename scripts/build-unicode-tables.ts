/**
 * Writes assembly/regex/unicode-tables.ts: the classes that `\p{...}` names in regular expressions, and simple case folding.
 * The directory given is an unpacked npm package `@unicode/unicode-15.0.0`, the version of Unicode that Cerbos 0.55 has.
 *
 *   npx tsx scripts/build-unicode-tables.ts DIRECTORY
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const OUT = fileURLToPath(new URL("../assembly/regex/unicode-tables.ts", import.meta.url));
const MAX_RUNE = 0x10_ff_ff;
const PER_LINE = 24;

/** Short names of the general categories, by long name; further names that Unicode gives them. */
const CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  Other: ["C"],
  Control: ["Cc", "cntrl"],
  Format: ["Cf"],
  Unassigned: ["Cn"],
  Private_Use: ["Co"],
  Surrogate: ["Cs"],
  Letter: ["L"],
  Cased_Letter: ["LC"],
  Lowercase_Letter: ["Ll"],
  Modifier_Letter: ["Lm"],
  Other_Letter: ["Lo"],
  Titlecase_Letter: ["Lt"],
  Uppercase_Letter: ["Lu"],
  Mark: ["M", "Combining_Mark"],
  Spacing_Mark: ["Mc"],
  Enclosing_Mark: ["Me"],
  Nonspacing_Mark: ["Mn"],
  Number: ["N"],
  Decimal_Number: ["Nd", "digit"],
  Letter_Number: ["Nl"],
  Other_Number: ["No"],
  Punctuation: ["P", "punct"],
  Connector_Punctuation: ["Pc"],
  Dash_Punctuation: ["Pd"],
  Close_Punctuation: ["Pe"],
  Final_Punctuation: ["Pf"],
  Initial_Punctuation: ["Pi"],
  Other_Punctuation: ["Po"],
  Open_Punctuation: ["Ps"],
  Symbol: ["S"],
  Currency_Symbol: ["Sc"],
  Modifier_Symbol: ["Sk"],
  Math_Symbol: ["Sm"],
  Other_Symbol: ["So"],
  Separator: ["Z"],
  Line_Separator: ["Zl"],
  Paragraph_Separator: ["Zp"],
  Space_Separator: ["Zs"],
};

type Range = readonly [low: number, high: number];

async function codePoints(directory: string): Promise<readonly number[]> {
  const { default: points } = (await import(pathToFileURL(join(directory, "code-points.mjs")).href)) as {
    default: Iterable<number>;
  };
  return [...points].sort((a, b) => a - b);
}

function toRanges(points: readonly number[]): readonly Range[] {
  const ranges: [number, number][] = [];
  for (const point of points) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] + 1 === point) last[1] = point;
    else ranges.push([point, point]);
  }
  return ranges;
}

/** As Go compares names: letters and digits only, in lower case. */
const plainName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** Seven bits per byte, lowest first. */
function variable(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...bytes, rest];
}

function encodeRanges(ranges: readonly Range[]): readonly number[] {
  let before = 0;
  return ranges.flatMap(([low, high]) => {
    const bytes = [...variable(low - before), ...variable(high - low)];
    before = high;
    return bytes;
  });
}

/** Names and ranges of all classes. */
async function readClasses(root: string): Promise<ReadonlyMap<string, readonly Range[]>> {
  const classes = new Map<string, readonly Range[]>();
  classes.set("any", [[0, MAX_RUNE]]);
  classes.set("ascii", [[0, 0x7f]]);
  for (const [name, others] of Object.entries(CATEGORIES)) {
    const ranges = toRanges(await codePoints(join(root, "General_Category", name)));
    for (const each of [name, ...others]) classes.set(plainName(each), ranges);
    if (name === "Unassigned") classes.set("assigned", complement(ranges));
  }
  for (const name of readdirSync(join(root, "Script")).sort()) {
    // Go finds names of one word only: it looks for them without their underscores. It has no script `Unknown`.
    if (/^[A-Z][a-z]+$/.test(name) && name !== "Unknown") {
      classes.set(plainName(name), toRanges(await codePoints(join(root, "Script", name))));
    }
  }
  return classes;
}

function complement(ranges: readonly Range[]): readonly Range[] {
  const others: Range[] = [];
  let next = 0;
  for (const [low, high] of ranges) {
    if (low > next) others.push([next, low - 1]);
    next = high + 1;
  }
  if (next <= MAX_RUNE) others.push([next, MAX_RUNE]);
  return others;
}

/** The next code point equal under simple folding, by code point; the last of an orbit goes back to the first. */
async function readFolding(root: string): Promise<ReadonlyMap<number, number>> {
  const orbits = new Map<number, number[]>();
  for (const kind of ["C", "S"]) {
    const { default: pairs } = (await import(
      pathToFileURL(join(root, "Case_Folding", kind, "code-points.mjs")).href
    )) as { default: ReadonlyMap<number, number> };
    for (const [from, to] of pairs) orbits.set(to, [...(orbits.get(to) ?? [to]), from]);
  }
  const next = new Map<number, number>();
  for (const orbit of orbits.values()) {
    const sorted = [...orbit].sort((a, b) => a - b);
    sorted.forEach((point, index) => next.set(point, sorted[(index + 1) % sorted.length] ?? point));
  }
  return next;
}

/** Runs of code points with one distance to the next, or (distance 0) pairs of neighbours that are each other's next. */
function foldRuns(next: ReadonlyMap<number, number>): readonly (readonly [number, number, number])[] {
  const runs: [number, number, number][] = [];
  const points = [...next.keys()].sort((a, b) => a - b);
  for (let index = 0; index < points.length; index++) {
    const point = points[index] ?? 0;
    const distance = (next.get(point) ?? point) - point;
    const last = runs.at(-1);
    const isPair = distance === 1 && next.get(point + 1) === point;
    if (isPair) {
      if (last !== undefined && last[2] === 0 && last[1] + 1 === point) last[1] = point + 1;
      else runs.push([point, point + 1, 0]);
      index++;
    } else if (last !== undefined && last[2] === distance && last[1] + 1 === point) last[1] = point;
    else runs.push([point, point, distance]);
  }
  return runs;
}

function numbers(values: readonly number[]): string {
  const lines: string[] = [];
  for (let at = 0; at < values.length; at += PER_LINE)
    lines.push(`  ${values.slice(at, at + PER_LINE).join(", ")},`);
  return lines.join("\n");
}

async function main(root: string): Promise<void> {
  const classes = [...(await readClasses(root))].sort(([a], [b]) => (a < b ? -1 : 1));
  const data: number[] = [];
  const places = new Map<readonly Range[], number>();
  const names: number[] = [];
  for (const [name, ranges] of classes) {
    let place = places.get(ranges);
    if (place === undefined) {
      place = data.length;
      places.set(ranges, place);
      data.push(...encodeRanges(ranges));
    }
    names.push(
      name.length,
      ...Buffer.from(name),
      ranges.length & 0xff,
      ranges.length >> 8,
      place & 0xff,
      (place >> 8) & 0xff,
      place >> 16,
    );
  }
  const runs = foldRuns(await readFolding(root));
  writeFileSync(
    OUT,
    `/**
 * Unicode 15.0: classes by name and simple case folding, for unicode.ts. Generated by scripts/build-unicode-tables.ts.
 */

/** Number of names. */
export const CLASS_COUNT: u32 = ${classes.length};
/** Per name: length, letters, u16 number of ranges, u24 place in CLASS_RANGES. */
export const CLASS_NAMES: usize = memory.data<u8>([
${numbers(names)}
]);
/** Per range, in seven-bit groups: distance from the end of the one before (or 0), length - 1. */
export const CLASS_RANGES: usize = memory.data<u8>([
${numbers(data)}
]);
/** Number of runs. */
export const FOLD_COUNT: u32 = ${runs.length};
/** Per run: first, last, distance to the next code point of the orbit; 0 for pairs of neighbours. */
export const FOLD_RUNS: usize = memory.data<i32>([
${numbers(runs.flat())}
]);
`,
  );
}

const [root] = process.argv.slice(2);
if (root === undefined) throw new Error("say where the package @unicode/unicode-15.0.0 is");
await main(root);
