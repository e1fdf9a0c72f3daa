/** compiler/load/load-cache.ts */
import { expect, it } from "vitest";
import { load, type SourceFile } from "../../../compiler/load/index.ts";
import { LoadCache } from "../../../compiler/load/load-cache.ts";

const files = (count: number, edited: number, text: string): SourceFile[] =>
  Array.from({ length: count }, (_, index) => ({
    path: `${index}.yaml`,
    text: index === edited ? text : `a: ${index}\n`,
  }));

it("parses only what changed, and returns the same as without it", () => {
  const cache = new LoadCache();
  load(files(10, 3, "b: 1\n"), cache);
  expect(cache.parsed).toBe(10);
  for (const text of ["b: 2\n", "b: [\n", ""]) {
    const sources = files(10, 3, text);
    const loaded = load(sources, cache);
    expect(cache.parsed).toBe(1);
    expect(loaded.diagnostics).toEqual(load(sources).diagnostics);
    expect(loaded.failed).toEqual(load(sources).failed);
    expect(loaded.documents.map(({ file, root }) => [file, root])).toEqual(
      load(sources).documents.map(({ file, root }) => [file, root]),
    );
  }
});

it("forgets files that are gone", () => {
  const cache = new LoadCache();
  load(files(3, 0, ""), cache);
  load([], cache);
  load(files(3, 0, ""), cache);
  expect(cache.parsed).toBe(3);
});

it("starts anew after many edits, so that it does not grow for ever", () => {
  const cache = new LoadCache();
  let most = 0;
  for (let edit = 0; edit < 2000; edit++) {
    load(files(2, 0, `b: ${edit}\n`), cache);
    most = edit === 0 ? 0 : Math.max(most, cache.parsed);
  }
  expect(most).toBe(2);
});
