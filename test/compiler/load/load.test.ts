/** compiler/load/index.ts */
import { describe, expect, it } from "vitest";
import { load, type SourceFile } from "../../../compiler/load/index.ts";

const source = (path: string, text = "a: 1\n"): SourceFile => ({ path, text });
const files = (sources: readonly SourceFile[]): string[] => load(sources).documents.map(({ file }) => file);
const found = (text: string, path = "a.yaml"): string[] =>
  load([source(path, text)]).diagnostics.map(
    ({ code, place: { line, column } }) => `${code} ${line}:${column}`,
  );

describe("which files are policies", () => {
  it("takes YAML and JSON, sorted by path, and leaves everything else alone", () => {
    const names = [
      "z.yml",
      "b/c.json",
      "b.yaml",
      "a.YAML",
      "notes.txt",
      ".hidden.yaml",
      ".git/x.yaml",
      "yaml",
    ];
    expect(files(names.map((name) => source(name)))).toEqual("a.YAML b.yaml b/c.json z.yml".split(" "));
  });

  it("leaves test suites and their fixtures alone", () => {
    const names = [
      "a_test.yaml",
      "a_test.yml",
      "a_test.json",
      "testdata/a.yaml",
      "x/testdata/y/b.yaml",
      "_test.yaml",
    ];
    expect(files(names.map((name) => source(name)))).toEqual([]);
    expect(files([source("a_tests.yaml"), source("test_a.yaml")])).toHaveLength(2);
  });

  it("ignores empty files and files of comments only", () => {
    const texts = ["", "   \n\t\n", "# a\n# b\n", "---\n# a\n---\n", "---\n"];
    expect(load(texts.map((text, index) => source(`${index}.yaml`, text)))).toMatchObject({
      documents: [],
      diagnostics: [],
      failed: [],
    });
  });
});

describe("schemas", () => {
  it("are read from `_schemas` at the root, by relative path", () => {
    const { schemas, diagnostics } = load([
      source("_schemas/a.json", '{"type": "object"}'),
      source("_schemas/x/b.json", "true"),
      source("_schemas/x/notes.yaml", "not: json"),
      source("_schemas/.hidden.json", "oops"),
    ]);
    expect([...schemas]).toEqual([
      ["a.json", { type: "object" }],
      ["x/b.json", true],
    ]);
    expect(diagnostics).toEqual([]);
  });

  it("are reported where they are not JSON", () => {
    const { diagnostics } = load([source("_schemas/a.json", '{\n  "type": oops\n}')]);
    expect(diagnostics.map(({ code, place }) => [code, place.file, place.line])).toEqual([
      ["EDICT1201", "_schemas/a.json", 2],
    ]);
  });

  it("are reported where a number cannot be kept", () => {
    const { schemas, diagnostics } = load([source("_schemas/a.json", '{\n  "const": 9007199254740993\n}')]);
    expect([...schemas]).toEqual([]);
    expect(diagnostics.map(({ code, place }) => [code, place.line, place.column])).toEqual([
      ["EDICT1202", 2, 12],
    ]);
  });

  it("are reported once for a directory elsewhere, but not for one whose name only ends so", () => {
    const { diagnostics } = load([
      source("x/_schemas/a.json", "{}"),
      source("x/_schemas/b.json", "{}"),
      source("bar_schemas/c.yaml"),
    ]);
    expect(diagnostics.map(({ code, place }) => `${code} ${place.file}`)).toEqual(["EDICT1004 x/_schemas"]);
  });
});

describe("documents", () => {
  it("are refused when there are two in a file, at the second", () => {
    expect(found("---\na: 1\n---\nb: 2\n")).toEqual(["EDICT1104 4:1"]);
  });

  it("of a refused file are checked each, up to a bound", () => {
    expect(found("a: 1\n---\nwat\n---\nb: 2\n")).toEqual(["EDICT1104 3:1", "EDICT1105 3:1"]);
    const { documents, refused } = load([source("a.yaml", "a: 1\n---\n".repeat(100))]);
    expect([documents.length, refused.length]).toEqual([0, 16]);
  });

  it("may be followed by documents of comments", () => {
    expect(found("---\na: 1\n---\n# b: 2\n")).toEqual([]);
  });

  it("must be maps", () => {
    expect(found("wat")).toEqual(["EDICT1105 1:1"]);
    expect(found("- a\n- b\n")).toEqual(["EDICT1105 1:1"]);
    expect(found("\n\n12\n", "a.json")).toEqual(["EDICT1105 3:1"]);
  });

  it("are left out, and their files named, when they have problems", () => {
    const { documents, failed } = load([source("a.yaml", "a: [\n"), source("b.yaml")]);
    expect(documents.map(({ file }) => file)).toEqual(["b.yaml"]);
    expect(failed.map(({ path }) => path)).toEqual(["a.yaml"]);
  });
});

it("gives the same whatever the order of the files", () => {
  const sources = [
    source("b.yaml", "x: ["),
    source("a.yaml", "wat"),
    source("c.yaml"),
    source("q/_schemas/a.json"),
  ];
  expect(load(sources.toReversed())).toEqual(load(sources));
});
