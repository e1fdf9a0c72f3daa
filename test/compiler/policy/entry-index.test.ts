/** An index after edits is the index of the edited entries, and the one before stays as it was. */
import { describe, expect, it } from "vitest";
import { type Entry, EntryIndex } from "../../../compiler/policy/registry.ts";

function entry(key: string, name: string): Entry {
  return { key, name, document: { file: `${key}.yaml` } } as Entry;
}

describe("EntryIndex", () => {
  it("has the edited entries in the place of those before, however many edits follow each other", () => {
    const keys = Array.from({ length: 150 }, (_, index) => `key ${String(index).padStart(3, "0")}`);
    let index = EntryIndex.of(keys.map((key) => entry(key, "first")).toReversed());
    const first = index;
    for (const key of keys) {
      const before = index.get(key);
      if (before === undefined) throw new Error(`no entry \`${key}\``);
      index = index.edit([{ before, after: entry(key, "second") }]);
    }
    expect(index.entries.map(({ key, name }) => [key, name])).toEqual(keys.map((key) => [key, "second"]));
    expect(keys.map((key) => index.get(key)?.name)).toEqual(keys.map(() => "second"));
    expect(keys.map((key) => first.get(key)?.name)).toEqual(keys.map(() => "first"));
    expect(index.get("none")).toBeUndefined();
  });
});
