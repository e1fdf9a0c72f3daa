/**
 * Rules of the source tree that the linter cannot express: where files may look, what they open with, how they are
 * named. Reads our own files as text; it judges shape, never behaviour.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SKIPPED = new Set(["node_modules", "dist", "golden"]);

interface Source {
  /** Relative to the repository, forward slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without comments and without the contents of strings. */
  readonly code: string;
  /** Repository-relative paths of the relative imports, as written with their extension; packages as they are. */
  readonly imports: readonly string[];
}

/**
 * Blanks comments, strings, templates and regular expressions, keeping line breaks, so that words in them are not
 * taken for code. Expressions inside templates are blanked too.
 */
function stripText(text: string): string {
  const pattern =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|(?<=[(,=:[!&|?;]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*/g;
  return text.replace(pattern, (found) => {
    const lines = found.replaceAll(/[^\n]/g, "");
    return /^["'`]/.test(found) ? `${found.slice(0, 1)}${lines}${found.slice(0, 1)}` : lines;
  });
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*"([^"]+)"|(?:^|\n)\s*import\s*"([^"]+)"|import\(\s*"([^"]+)"\s*\)/g;

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), "utf8");
  const imports = [...text.matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? "";
    return specifier.startsWith(".")
      ? relative(ROOT, join(ROOT, dirname(path), specifier))
          .split(sep)
          .join("/")
      : specifier;
  });
  return { path, text, code: stripText(text), imports };
}

function sourcesBelow(...folders: string[]): Source[] {
  return folders
    .filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts"))
        .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join("/")),
    )
    .filter((path) => !path.split("/").some((part) => SKIPPED.has(part)))
    .sort()
    .map(readSource);
}

const compiler = sourcesBelow("compiler");
const runtime = sourcesBelow("runtime");
const assembly = sourcesBelow("assembly");
const product = [...compiler, ...runtime, ...assembly];
const everything = [...product, ...sourcesBelow("scripts", "bench", "test")];

/** Paths of the sources that break a rule: the message of a failed expectation names every one. */
function offenders(sources: readonly Source[], breaks: (source: Source) => boolean): string[] {
  return sources.filter(breaks).map(({ path }) => path);
}

function codeLines(source: Source): number {
  return source.code.split("\n").filter((line) => line.trim() !== "").length;
}

describe("reading a source", () => {
  it("takes no word in a comment, string, template or regular expression for code", () => {
    const text =
      'say("throw"); // throw\n/* throw */ say(`throw`); text.replace(/throw"/, "");\nthrow one / two;';
    expect(stripText(text).match(/throw/g)).toHaveLength(1);
    expect(stripText(text).split("\n")).toHaveLength(3);
  });

  it("finds imports of every form", () => {
    const { imports } = readSource("test/architecture.test.ts");
    expect(imports).toContain("vitest");
    const found = [
      ...'import type { A } from "./a.ts";\nexport * from "./b.ts";\nawait import("./c.ts");'.matchAll(
        IMPORT,
      ),
    ];
    expect(found.map((match) => match[1] ?? match[2] ?? match[3])).toEqual(["./a.ts", "./b.ts", "./c.ts"]);
  });
});

describe("the tree", () => {
  it("is read at all", () => {
    expect(compiler.length).toBeGreaterThan(10);
    expect(runtime.length).toBeGreaterThan(10);
    expect(assembly.length).toBeGreaterThan(10);
  });

  it("opens every file with a doc comment", () => {
    expect(offenders(everything, ({ text }) => !/^(?:#![^\n]*\n)?\s*\/\*\*/.test(text))).toEqual([]);
  });

  it("names every file for what is in it", () => {
    const vague = /(?:^|\/)(?:utils?|helpers?|common|misc|shared)(?:\/|\.|$)/;
    expect(offenders(everything, ({ path }) => vague.test(path))).toEqual([]);
    expect(offenders(everything, ({ path }) => !/^[a-z0-9./-]+$/.test(path))).toEqual([]);
  });

  it("has default exports only where a tool loads a file by its default export", () => {
    const loadedByTool = /^runtime\/(?:batch|pool)\/[a-z-]+-worker\.ts$|^compiler\/worker\.ts$/;
    expect(
      offenders(everything, ({ path, code }) => /^export default\b/m.test(code) && !loadedByTool.test(path)),
    ).toEqual([]);
  });

  it("has no enum, namespace or `any`", () => {
    expect(
      offenders(everything, ({ code }) => /^\s*(?:export )?(?:const )?(?:enum|namespace) \w/m.test(code)),
    ).toEqual([]);
    expect(offenders(product, ({ code }) => /(?:: |as |<)any\b/.test(code))).toEqual([]);
  });
});

describe("the layers", () => {
  it("keep runtime and compiler apart", () => {
    expect(offenders(runtime, ({ imports }) => imports.some((path) => path.startsWith("compiler/")))).toEqual(
      [],
    );
    expect(offenders(compiler, ({ imports }) => imports.some((path) => path.startsWith("runtime/")))).toEqual(
      [],
    );
  });

  it("share only the contract with the guest", () => {
    const wrong = /^assembly\/(?!abi\.ts$)/;
    expect(
      offenders([...compiler, ...runtime], ({ imports }) => imports.some((path) => wrong.test(path))),
    ).toEqual([]);
  });

  it("let the guest import only the guest", () => {
    expect(
      offenders(assembly, ({ imports }) => imports.some((path) => !path.startsWith("assembly/"))),
    ).toEqual([]);
  });

  it("let no stage of the compiler import the work of a later one", () => {
    const stages = ["load", "policy", "cel", "ir", "emit", "bundle"];
    /** Plain data that an earlier stage may name: types, and the table of guest functions. */
    const data = new Set([
      "compiler/policy/policy-set.ts",
      "compiler/cel/expression.ts",
      "compiler/cel/builtins/guest-functions.ts",
      "compiler/ir/program.ts",
    ]);
    const stageOf = (path: string): number => stages.indexOf(/^compiler\/([a-z]+)\//.exec(path)?.[1] ?? "");
    const later = (source: Source): boolean =>
      stageOf(source.path) >= 0 &&
      source.imports.some((path) => stageOf(path) > stageOf(source.path) && !data.has(path));
    expect(offenders(compiler, later)).toEqual([]);
  });
});

/** Functions that a file exports, re-exported ones included; types and classes are nouns and do not count. */
function exportedFunctions({ code }: Source): string[] {
  const own = [...code.matchAll(/^export (?:async )?function (\w+)/gm)].map(([, name = ""]) => name);
  const lists = [...code.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names = ""]) => names.split(","));
  const passedOn = lists
    .map((name) => name.trim())
    .filter((name) => /^[a-z]/.test(name) && !name.startsWith("type "));
  return [...own, ...passedOn];
}

describe("the compiler", () => {
  it.each(["load", "policy", "cel", "ir", "emit", "bundle"])(
    "says what stage %s takes and gives",
    (stage) => {
      const source = readSource(`compiler/${stage}/index.ts`);
      const [opening = ""] = /^\/\*\*[\s\S]*?\*\//.exec(source.text) ?? [];
      for (const word of ["Input:", "Output:", "Fails with:"]) expect(opening).toContain(word);
      expect(exportedFunctions(source)).toHaveLength(1);
    },
  );

  it("throws only for bugs", () => {
    const throwing = offenders(compiler, ({ code }) => /\bthrow\b/.test(code));
    expect(throwing).toEqual(["compiler/diagnostics/invariant.ts"]);
  });

  it("touches the file system and the process in six places only", () => {
    const allowed = new Set([
      "compiler/directory.ts",
      "compiler/worker.ts",
      "compiler/assemble/asc.ts",
      "compiler/assemble/directory-store.ts",
      "compiler/source-cache.ts",
      "compiler/bundle/core.ts",
    ]);
    const outside = /^(?:node:)?(?:fs|fs\/promises|process|child_process|os|net|http|https|worker_threads)$/;
    expect(
      offenders(
        compiler,
        ({ path, imports, code }) =>
          !allowed.has(path) &&
          (imports.some((name) => outside.test(name)) ||
            /\bprocess\.|\bDate\.now\b|\bMath\.random\b/.test(code)),
      ),
    ).toEqual([]);
  });

  it("has one test for every semantic rule, of the same name", () => {
    const rules = compiler.filter(({ path }) =>
      /^compiler\/policy\/rules\/(?!index\.ts)[^/]+\.ts$/.test(path),
    );
    const untested = rules
      .map(({ path }) => `test/${path.replace(/\.ts$/, ".test.ts")}`)
      .filter((path) => !existsSync(join(ROOT, path)));
    expect(untested).toEqual([]);
  });
});

describe("one screen", () => {
  it.each(["compiler/index.ts", "runtime/main.ts"])("%s has at most 60 lines of code", (path) => {
    expect(codeLines(readSource(path))).toBeLessThanOrEqual(60);
  });
});

describe("the guest", () => {
  it("is built from one contract that both compilers read", () => {
    const contract = readSource("assembly/abi.ts");
    const statements = contract.code.split("\n").filter((line) => line.trim() !== "");
    expect(
      statements.filter((line) => !/^export const [A-Z0-9_]+ = -?(?:0x)?[0-9a-fA-F_]+;$/.test(line)),
    ).toEqual([]);
  });

  it("has no top-level decorators and silences no checker", () => {
    expect(offenders(assembly, ({ code }) => /^@\w/m.test(code))).toEqual([]);
    expect(
      offenders(everything, ({ text }) => /^\s*\/\/ @ts-(?:ignore|nocheck|expect-error)/m.test(text)),
    ).toEqual([]);
  });

  it("never traps on purpose", () => {
    expect(
      offenders(assembly, ({ code }) => /\b(?:unreachable|abort|throw|memory\.grow)\b/.test(code)),
    ).toEqual([]);
  });
});

describe("the documents", () => {
  const documents = [
    "README.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "docs/differences.md",
    "examples/README.md",
    "bench/README.md",
  ];

  it.each(documents)("%s links only to files that exist", (path) => {
    const text = readFileSync(join(ROOT, path), "utf8");
    const targets = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
    const missing = targets.filter(
      (target) => !/^[a-z]+:/.test(target) && !existsSync(join(ROOT, dirname(path), target)),
    );
    expect(missing).toEqual([]);
  });

  it("name every folder of the product in the codemap", () => {
    const codemap = readFileSync(join(ROOT, "ARCHITECTURE.md"), "utf8");
    const folders = new Set(product.map(({ path }) => path.split("/").slice(0, 2).join("/")));
    const unnamed = [...folders].filter(
      (folder) => !folder.endsWith(".ts") && !codemap.includes(`\`${folder}/\``),
    );
    expect(unnamed).toEqual([]);
  });
});
