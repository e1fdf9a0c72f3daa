/**
 * The corpus `compile`, as far as stages 1 and 2 can judge: errors outside expressions and schemas. Upstream compiles one
 * policy with what it needs, so what we find in other files is not compared.
 */
import { describe, expect, it } from "vitest";
import { expectHolds, hasCorpus, readCases, sameField, type Position } from "./corpus.ts";
import { check, type Files } from "./policies.ts";

interface CompileCase {
  readonly files: Files;
  readonly mainDef: string;
  readonly wantErrors: readonly {
    readonly file: string;
    readonly error: string;
    readonly description: string;
    readonly position?: Position;
  }[];
}

/** Upstream's kind of error to our codes. */
const CODES: Readonly<Record<string, readonly string[]>> = {
  "ambiguous derived role": ["EDICT2306"],
  "constant redefined": ["EDICT2204"],
  "empty output": ["EDICT2107"],
  "import not found": ["EDICT2302"],
  "invalid constant name": ["EDICT2201", "EDICT2202"],
  "invalid resource rule": ["EDICT2101"],
  "invalid variable name": ["EDICT2201", "EDICT2202"],
  "missing policy definition": ["EDICT2303"],
  "scripts in conditions are no longer supported": ["EDICT2106"],
  "unknown derived role": ["EDICT2305"],
  "variable redefined": ["EDICT2203"],
};

/** Judged by the later stages. */
const LATER = new Set([
  "undefined variable",
  "cyclical variable definitions",
  "invalid expression",
  "undefined constant",
  // Compared in test/conformance/compile.test.ts, which brings the schemas along.
  "invalid schema",
]);

/** Listed cases must fail; one that passes breaks the test. */
const KNOWN_FAILURES: Readonly<Record<string, string>> = {};

describe.skipIf(!hasCorpus)("corpus compile", () => {
  const cases = readCases<CompileCase>("compile");

  it("has its cases", () => {
    expect(cases.length).toBeGreaterThan(15);
  });

  it.each(cases)("%s", (name, { files, mainDef, wantErrors }) => {
    expectHolds(name, KNOWN_FAILURES, () => {
      const compared = new Set([mainDef, ...wantErrors.map(({ file }) => file)]);
      const ours = check(files).diagnostics.filter(
        ({ severity, place, code }) =>
          severity === "error" && code !== "EDICT2308" && compared.has(place.file),
      );
      const wanted = wantErrors.filter(({ error }) => !LATER.has(error));
      const agrees = (
        { code, place, message }: (typeof ours)[number],
        want: (typeof wanted)[number],
      ): boolean =>
        (CODES[want.error] ?? []).includes(code) &&
        place.file === want.file &&
        // The policy that is missing is named in quotes at the end of the description.
        (code !== "EDICT2303" || message.includes(/"(.*)"$/.exec(want.description)?.[1] ?? "?")) &&
        (want.position === undefined || sameField(files[place.file] ?? "", place, want.position));
      expect({
        missed: wanted.filter((want) => !ours.some((each) => agrees(each, want))),
        unexpected: ours.filter((each) => !wanted.some((want) => agrees(each, want))),
      }).toEqual({ missed: [], unexpected: [] });
    });
  });
});
