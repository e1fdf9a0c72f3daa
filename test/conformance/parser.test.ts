/**
 * corpus/parser: errors of the documents, by kind and place. Streams of several policies are refused (one policy per
 * file) beside what is wrong with their documents. The parsed messages are not compared: edict has no protobuf form of a policy.
 */
import { describe, expect, it } from "vitest";
import { plan } from "../../compiler/index.ts";
import { CORPUS, corpusCases, NO_CORPUS } from "../support/corpus.ts";

interface ParserCase {
  readonly input: string;
  readonly want?: readonly unknown[];
  readonly wantErrors?: readonly {
    readonly kind: string;
    readonly position: { readonly line: number; readonly column: number; readonly path?: string };
  }[];
}

const KINDS: Readonly<Record<string, RegExp>> = {
  KIND_PARSE_ERROR: /^EDICT(1\d{3}|200\d)$/,
  KIND_VALIDATION_ERROR: /^EDICT201\d$/,
};
const STREAM = "EDICT1104";
const ANY = /^EDICT(1\d{3}|20\d\d)$/;

const TITLE = CORPUS === undefined ? `corpus/parser (${NO_CORPUS})` : "corpus/parser";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  it.each(corpusCases<ParserCase>("parser", "cases"))(
    "$name",
    ({ data: { input, want = [], wantErrors = [] } }) => {
      const path = /^\s*\{/.test(input) ? "policy.json" : "policy.yaml";
      const found = plan([{ path, text: input }]).diagnostics.filter(({ code }) => ANY.test(code));
      const wantsParse = wantErrors.filter(({ kind }) => kind === "KIND_PARSE_ERROR");
      // Cerbos ends a document at its first fault of form; edict goes on to the end of the file.
      const isBeyond = ({ place: { line, column }, code }: (typeof found)[number]): boolean =>
        wantsParse.some(
          ({ position }) => line > position.line || (line === position.line && column > position.column),
        ) &&
        !wantErrors.some(
          ({ kind, position }) =>
            KINDS[kind]?.test(code) === true && position.line === line && position.column === column,
        );
      const errors = found.filter((one) => one.code !== STREAM && !isBeyond(one));
      expect(found.length - errors.length).toBe(want.length > 1 ? 1 : 0);
      expect(errors.length).toBe(wantErrors.length);
      for (const { kind, position } of wantErrors) {
        const match = errors.find(
          ({ code, place }) =>
            KINDS[kind]?.test(code) === true &&
            place.line === position.line &&
            place.column === position.column &&
            (position.path === undefined || place.path === position.path),
        );
        expect(match, `${kind} at ${position.line}:${position.column}`).toBeDefined();
      }
    },
  );
});
