/**
 * 1,000 policies broken at random, from a fixed seed: planning them never throws, and each either still compiles or
 * gets an error with a place inside its file. Stops before the AssemblyScript compiler.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { readSources } from "../../compiler/directory.ts";
import { plan, type SourceFile } from "../../compiler/index.ts";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";

const COUNT = 1000;
const BATCH = 100;

/** Pieces that mean something to YAML or to CEL. */
const PIECES = [
  "'",
  '"',
  "{",
  "}",
  "[",
  "]",
  "(",
  ")",
  ":",
  "- ",
  "&a ",
  "*a",
  "<<: ",
  "|-\n",
  "---\n",
  "\t",
  "\0",
  "\ud800",

  "&&",
  "||",
  "!",
  "? ",
  " in ",
  ".all(x, ",
  "V.x",
  "C.",
  "request.",
  "null",
  "1e999",
  "-",
  "0x",
  "\\u",
  "\n",
];

/** Mulberry32: numbers in [0, 1) that depend on the seed alone. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Breaks a text in one to four places; every other time where an expression stands. */
function broken(text: string, next: () => number): string {
  let result = text;
  for (let left = 1 + Math.floor(next() * 4); left > 0; left -= 1) {
    const expressions = [...result.matchAll(/expr: /g)].map(({ index }) => index + "expr: ".length);
    const expression = expressions[Math.floor(next() * expressions.length)];
    const start =
      expression !== undefined && next() < 0.5
        ? expression + Math.floor(next() * 30)
        : Math.floor(next() * result.length);
    const length = Math.floor(next() * 12);
    const piece = PIECES[Math.floor(next() * PIECES.length)] ?? "";
    const kind = Math.floor(next() * 4);
    const taken = result.slice(start, start + length);
    const between = [piece, "", taken + piece, taken + taken][kind] ?? "";
    result = result.slice(0, start) + between + result.slice(start + length);
  }
  return result;
}

const TITLE = CORPUS === undefined ? `broken policies (${NO_CORPUS})` : "broken policies";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  let policies: readonly SourceFile[];
  beforeAll(async () => {
    const { sources } = await readSources(corpusPath("store", "policies"));
    policies = sources.filter(({ path }) => !path.startsWith("_schemas/"));
    expect(policies.length).toBeGreaterThan(10);
  });

  it.each(Array.from({ length: COUNT / BATCH }, (_, batch) => batch))("batch %i", (batch) => {
    let refused = 0;
    for (let index = 0; index < BATCH; index += 1) {
      const seed = batch * BATCH + index;
      const next = random(seed);
      const original = policies[Math.floor(next() * policies.length)];
      if (original === undefined) throw new Error("no policies");
      const source = { path: original.path, text: broken(original.text, next) };
      const { program, diagnostics } = plan([source]);
      const errors = diagnostics.filter(({ severity }) => severity === "error");
      const about = `seed ${seed}, ${source.path}`;
      expect(program !== undefined, about).toBe(errors.length === 0);
      if (errors.length > 0) refused += 1;
      const lines = source.text.split(/\r\n|\r|\n/).length;
      for (const { place, message, code } of errors) {
        expect(place.file, about).toBe(source.path);
        expect(place.line, `${about}: ${code}`).toBeGreaterThanOrEqual(1);
        expect(place.line, `${about}: ${code}`).toBeLessThanOrEqual(lines);
        expect(place.column, `${about}: ${code}`).toBeGreaterThanOrEqual(1);
        expect(message, about).not.toBe("");
      }
    }
    expect(refused).toBeGreaterThan(0);
  });
});
