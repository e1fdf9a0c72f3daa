/** The corpus `index`: directories that load, and what is reported of those that do not. */
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../../compiler/diagnostics/diagnostic.ts";
import { expectHolds, hasCorpus, readCases, sameField, upstreamKind, type Position } from "./corpus.ts";
import { check, type Files } from "./policies.ts";

interface IndexErrors {
  readonly duplicateDefs?: readonly { file: string; otherFile: string; policy: string }[];
  readonly loadFailures?: readonly { file: string; errorDetails: { kind?: string; position?: Position } }[];
  readonly missingImports?: readonly {
    importingFile: string;
    importingPolicy: string;
    importKind: string;
    importName: string;
    position: Position;
  }[];
  readonly missingScopeDetails?: readonly { missingPolicy: string; descendants: readonly string[] }[];
  readonly scopePermissionsConflicts?: readonly { scope?: string }[];
}

interface IndexCase {
  readonly files: Files;
  readonly wantErr?: string;
  readonly wantErrList?: IndexErrors;
  readonly wantCompilationUnits?: readonly { readonly mainFqn: string }[];
}

/** Something upstream reports, and whether one of our diagnostics says it. */
interface Expected {
  readonly what: string;
  readonly isSaidBy: (diagnostic: Diagnostic) => boolean;
}

function expectedOf({ wantErrList: want = {}, files }: IndexCase): Expected[] {
  const at = (file: string, position: Position | undefined, { place }: Diagnostic): boolean =>
    place.file === file && (position === undefined || sameField(files[file] ?? "", place, position));
  return [
    ...(want.duplicateDefs ?? []).map(({ file, otherFile, policy }) => ({
      what: `duplicate ${policy} in ${file}`,
      isSaidBy: ({ code, place, message }: Diagnostic) =>
        code === "EDICT2301" &&
        place.file === file &&
        message.includes(policy) &&
        message.includes(otherFile),
    })),
    ...(want.loadFailures ?? []).map(({ file, errorDetails: { kind, position } }) => ({
      what: `load failure in ${file} at ${JSON.stringify(position)}`,
      isSaidBy: (diagnostic: Diagnostic) =>
        (kind === undefined || upstreamKind(diagnostic.code) === kind) && at(file, position, diagnostic),
    })),
    ...(want.missingImports ?? []).map(
      ({ importingFile, importName, importKind, importingPolicy, position }) => ({
        what: `missing import ${importName} in ${importingFile}`,
        isSaidBy: (diagnostic: Diagnostic) =>
          diagnostic.code === "EDICT2302" &&
          [importName, importKind, importingPolicy].every((word) => diagnostic.message.includes(word)) &&
          at(importingFile, position, diagnostic),
      }),
    ),
    ...(want.missingScopeDetails ?? []).map(({ missingPolicy, descendants }) => ({
      what: `missing scope ${missingPolicy}`,
      isSaidBy: ({ code, message }: Diagnostic) =>
        code === "EDICT2303" &&
        message.includes(`\`${missingPolicy}\``) &&
        descendants.some((descendant) => message.includes(descendant)),
    })),
    ...(want.scopePermissionsConflicts ?? []).map(({ scope = "" }) => ({
      what: `scope permissions conflict in ${scope}`,
      isSaidBy: ({ code, message }: Diagnostic) =>
        code === "EDICT2304" && message.includes(scope === "" ? "the root scope" : `\`${scope}\``),
    })),
  ];
}

/** Found by compiling, which upstream only does when the index has no errors. */
const LATER_CODES = /^EDICT(210[67]|22\d\d|230[56])$/;

/** Listed cases must fail; one that passes breaks the test. */
const KNOWN_FAILURES: Readonly<Record<string, string>> = {};

describe.skipIf(!hasCorpus)("corpus index", () => {
  const cases = readCases<IndexCase>("index");

  it("has its cases", () => {
    expect(cases.length).toBeGreaterThan(10);
  });

  it.each(cases)("%s", (name, testCase) => {
    expectHolds(name, KNOWN_FAILURES, () => {
      const { set, diagnostics } = check(testCase.files);
      const errors = diagnostics.filter(
        ({ severity, code }) => severity === "error" && !LATER_CODES.test(code),
      );
      const expected = expectedOf(testCase);
      const missed = expected.filter(({ isSaidBy }) => !errors.some(isSaidBy)).map(({ what }) => what);
      const unexpected = errors.filter((error) => !expected.some(({ isSaidBy }) => isSaidBy(error)));
      expect({ missed, unexpected }).toEqual({ missed: [], unexpected: [] });
      const units = testCase.wantCompilationUnits
        ?.map(({ mainFqn }) => mainFqn.replace("cerbos.", ""))
        .sort();
      if (units !== undefined) {
        const { resourcePolicies, principalPolicies, rolePolicies } = set;
        const keys = [...resourcePolicies, ...principalPolicies, ...rolePolicies].map(({ key }) => key);
        expect(keys.sort()).toEqual(units);
      }
    });
  });
});
