/**
 * corpus/compile: which mistakes are found, in which file and where. Codes and texts are edict's own, so one table maps
 * the kinds of Cerbos to codes. Golden CEL trees and the names kept after dead-code removal are not compared: edict
 * keeps no such tables.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { plan } from "../../compiler/index.ts";
import { CORPUS, corpusCases, corpusPath, NO_CORPUS } from "../support/corpus.ts";

interface WantedError {
  readonly file: string;
  readonly error: string;
  readonly position?: { readonly line: number; readonly column: number; readonly path: string };
}

interface CompileCase {
  readonly mainDef: string;
  readonly files: Readonly<Record<string, string>>;
  readonly wantErrors?: readonly WantedError[];
}

/**
 * How edict's place relates to the one Cerbos reports. "exact": the same. "inside": Cerbos names the value, edict the
 * character within the expression.
 */
type PlaceRule = "exact" | "inside";

interface Mapping {
  readonly codes: RegExp;
  readonly place: PlaceRule;
}

const KINDS: Readonly<Record<string, Mapping>> = {
  "ambiguous derived role": { codes: /^EDICT2306$/, place: "exact" },
  "constant redefined": { codes: /^EDICT2204$/, place: "exact" },
  "cyclical variable definitions": { codes: /^EDICT302[78]$/, place: "exact" },
  "empty output": { codes: /^EDICT2107$/, place: "exact" },
  "import not found": { codes: /^EDICT2302$/, place: "exact" },
  "invalid constant name": { codes: /^EDICT220[12]$/, place: "exact" },
  "invalid expression": { codes: /^EDICT3(?!02[3-8]$|03[34]$)\d{3}$/, place: "inside" },
  "invalid schema": { codes: /^EDICT2308$/, place: "exact" },
  "invalid resource rule": { codes: /^EDICT2101$/, place: "exact" },
  "invalid variable name": { codes: /^EDICT220[12]$/, place: "exact" },
  "missing policy definition": { codes: /^EDICT230[37]$/, place: "exact" },
  "scripts in conditions are no longer supported": { codes: /^EDICT2106$/, place: "exact" },
  "undefined constant": { codes: /^EDICT302[46]$/, place: "inside" },
  "undefined variable": { codes: /^EDICT302[35]$/, place: "inside" },
  "unknown derived role": { codes: /^EDICT2305$/, place: "exact" },
  "variable redefined": { codes: /^EDICT2203$/, place: "exact" },
};

type Found = ReturnType<typeof plan>["diagnostics"][number];

function isWanted(found: Found, want: WantedError): boolean {
  const mapping = KINDS[want.error];
  if (mapping === undefined) throw new Error(`no code is mapped to \`${want.error}\``);
  if (!mapping.codes.test(found.code) || found.place.file !== want.file) return false;
  const { position } = want;
  if (position === undefined) return true;
  const { line, column, path } = found.place;
  if (path !== position.path) return false;
  if (mapping.place === "exact") return line === position.line && column === position.column;
  return line > position.line || (line === position.line && column >= position.column);
}

/** Codes after which Cerbos does not look at a policy's expressions. */
const ENDS = /^EDICT230[568]$/;

function isSameRole(one: Found, other: Found): boolean {
  return (
    /^EDICT230[56]$/.test(one.code) && one.message === other.message && one.place.file === other.place.file
  );
}

function isSameExpression(one: Found, other: Found): boolean {
  return (
    one.code.startsWith("EDICT3") &&
    other.code.startsWith("EDICT3") &&
    one.place.file === other.place.file &&
    one.place.path === other.place.path
  );
}

/** What the policies of the cases refer to as `cerbos:///…`. */
const SCHEMAS =
  CORPUS === undefined
    ? []
    : readdirSync(corpusPath("schema", "fs", "_schemas"), { recursive: true, encoding: "utf8" })
        .filter((path) => path.endsWith(".json"))
        .map((path) => ({
          path: `_schemas/${path}`,
          text: readFileSync(corpusPath("schema", "fs", "_schemas", path), "utf8"),
        }));

const CASES = corpusCases<CompileCase>("compile", "cases");
const TITLE = CORPUS === undefined ? `corpus/compile (${NO_CORPUS})` : "corpus/compile";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  it.each(CASES)("$name", ({ data }) => {
    const policies = Object.entries(data.files).map(([path, text]) => ({ path, text }));
    const sources = [...policies, ...SCHEMAS.filter(({ path }) => !Object.hasOwn(data.files, path))];
    // Cerbos compiles the main policy alone; edict also reports what is wrong with the policies beside it.
    const wanted = data.wantErrors ?? [];
    const files = new Set([data.mainDef, ...wanted.map(({ file }) => file)]);
    const open = plan(sources).diagnostics.filter(
      ({ severity, place }) => severity === "error" && files.has(place.file),
    );
    const before = [...open];
    const missing = wanted.filter((want) => {
      const at = open.findIndex((found) => isWanted(found, want));
      if (at >= 0) open.splice(at, 1);
      return at < 0;
    });
    // Cerbos reports an expression once, whatever is wrong in it, a derived role once, however often it is used, and
    // no expressions of a policy whose derived roles or schemas have errors; edict reports every fault.
    const said = before.filter((one) => !open.includes(one));
    const extra = open.filter(
      (own) =>
        !said.some(
          (one) =>
            isSameExpression(one, own) ||
            isSameRole(one, own) ||
            (one.place.file === own.place.file && ENDS.test(one.code) && own.code.startsWith("EDICT3")),
        ),
    );
    expect({ missing, extra }).toEqual({ missing: [], extra: [] });
  });
});
