/**
 * corpus/index: what is wrong with a directory of policies as a whole, and which policies it holds. Cerbos stops after
 * the index; edict goes on to compile, so only the codes that belong to the index are compared.
 */
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { load } from "../../compiler/load/index.ts";
import { resolve } from "../../compiler/policy/index.ts";
import { identify, isDisabled } from "../../compiler/policy/registry.ts";
import { CORPUS, corpusCases, NO_CORPUS } from "../support/corpus.ts";

interface Position {
  readonly line: number;
  readonly column: number;
  readonly path?: string;
}

interface IndexCase {
  readonly files: Readonly<Record<string, string>>;
  readonly wantErr?: string;
  readonly wantErrList?: {
    readonly loadFailures?: readonly {
      readonly file: string;
      readonly errorDetails: { readonly position?: Position };
    }[];
    readonly duplicateDefs?: readonly {
      readonly file: string;
      readonly otherFile: string;
      readonly policy: string;
      readonly position: Position;
    }[];
    readonly missingImports?: readonly {
      readonly importingFile: string;
      readonly importName: string;
      readonly position: Position;
    }[];
    readonly missingScopeDetails?: readonly { readonly missingPolicy: string }[];
    readonly scopePermissionsConflicts?: readonly { readonly scope?: string }[];
    readonly disabledDefs?: readonly {
      readonly file: string;
      readonly policy: string;
      readonly position?: Position;
    }[];
  };
  readonly wantCompilationUnits?: readonly {
    readonly mainFqn: string;
    readonly ancestorFqns?: readonly string[];
  }[];
}

/** Codes of each kind of index error; a script in a condition is a compile error to Cerbos. */
const KINDS: Readonly<Record<string, RegExp>> = {
  load: /^EDICT(1\d{3}|20\d\d|210[1-5]|2109)$/,
  duplicate: /^EDICT2301$/,
  import: /^EDICT2302$/,
  scope: /^EDICT2303$/,
  permissions: /^EDICT2304$/,
};

/** Kinds of Cerbos that are compared; one that is not here fails its case. */
const LISTS = new Set([
  "loadFailures",
  "duplicateDefs",
  "missingImports",
  "missingScopeDetails",
  "scopePermissionsConflicts",
  "disabledDefs",
]);

function found(kind: string, { code, place, message }: Diagnostic): string {
  const name = /`([^`]*)`/.exec(message)?.[1] ?? "";
  if (kind === "scope") return `${code} ${name}`;
  const at = `${place.file}:${place.line}:${place.column}`;
  if (kind === "duplicate") return `${code} ${at} ${name} ${/ in (.*):\d+$/.exec(message)?.[1]}`;
  if (kind === "permissions")
    return `permissions (${/^policies in scope `([^`]*)`/.exec(message)?.[1] ?? ""})`;
  return `${kind} ${at} ${place.path}`;
}

function placed(file: string, { line, column }: Position): string {
  return `${file}:${line}:${column}`;
}

function wanted({ wantErrList: list = {} }: IndexCase): Record<string, string[]> {
  return {
    load: (list.loadFailures ?? []).map(({ file, errorDetails: { position } }) =>
      position === undefined ? `load ${file}:` : `load ${placed(file, position)} ${position.path ?? ""}`,
    ),
    duplicate: (list.duplicateDefs ?? []).map(
      ({ file, otherFile, policy, position }) => `EDICT2301 ${placed(file, position)} ${policy} ${otherFile}`,
    ),
    import: (list.missingImports ?? []).map(
      ({ importingFile, position }) => `import ${placed(importingFile, position)} ${position.path ?? ""}`,
    ),
    // Cerbos counts conflicts per scope and edict per policy, so only the scopes are compared.
    permissions: [
      ...new Set((list.scopePermissionsConflicts ?? []).map(({ scope = "" }) => `permissions (${scope})`)),
    ],
    scope: [
      ...new Set((list.missingScopeDetails ?? []).map(({ missingPolicy }) => `EDICT2303 ${missingPolicy}`)),
    ],
  };
}

const TITLE = CORPUS === undefined ? `corpus/index (${NO_CORPUS})` : "corpus/index";

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  it.each(corpusCases<IndexCase>("index", "cases"))("$name", ({ data }) => {
    const loaded = load(Object.entries(data.files).map(([path, text]) => ({ path, text })));
    const { set, diagnostics } = resolve(loaded);
    const errors = [...loaded.diagnostics, ...diagnostics].filter(({ severity }) => severity === "error");
    expect(Object.keys(data.wantErrList ?? {}).filter((name) => !LISTS.has(name))).toEqual([]);
    if (data.wantErr !== undefined) expect(errors).not.toEqual([]);
    // Cerbos applies the rules about whole policies only to files whose fields are right.
    const unread = new Set(
      errors.filter(({ code }) => /^EDICT(1\d|20)\d\d$/.test(code)).map(({ place }) => place.file),
    );
    for (const [kind, want] of Object.entries(data.wantErr === undefined ? wanted(data) : {})) {
      const ours = errors
        .filter(({ code }) => KINDS[kind]?.test(code) === true)
        .filter(({ code, place }) => !code.startsWith("EDICT21") || !unread.has(place.file))
        .map((error) => found(kind, error))
        .filter((own, index, all) => kind !== "permissions" || all.indexOf(own) === index);
      // What Cerbos gives no place or no path for is matched by the rest.
      expect(ours.length, `${kind}: ${ours.join(", ")}`).toBe(want.length);
      for (const text of want) {
        const index = ours.findIndex((own) => (/[: ]$/.test(text) ? own.startsWith(text) : own === text));
        expect(index, text).toBeGreaterThanOrEqual(0);
        ours.splice(index, 1);
      }
    }
    // Cerbos lists the disabled policies beside the errors; edict leaves them out without a word.
    const disabled = loaded.documents.filter(isDisabled).map((document) => {
      const { line, column } = document.place(document.root.offset, "$");
      return `${document.file}:${line}:${column} ${identify(document)?.key}`;
    });
    for (const { file, policy, position } of data.wantErrList?.disabledDefs ?? []) {
      expect(disabled).toContain(position === undefined ? file : `${placed(file, position)} ${policy}`);
    }
    const units = [...set.resourcePolicies, ...set.principalPolicies, ...set.rolePolicies].map(
      ({ key }) => `cerbos.${key}`,
    );
    for (const { mainFqn, ancestorFqns = [] } of data.wantCompilationUnits ?? []) {
      if (!/^cerbos\.(resource|principal|role)\./.test(mainFqn)) continue;
      expect(units).toContain(mainFqn);
      for (const ancestor of ancestorFqns) expect(units).toContain(ancestor);
    }
  });
});
