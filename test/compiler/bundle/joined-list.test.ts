/** Texts kept from one bundle to the next are those of a list written anew, whatever was inserted, replaced and removed. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JoinedList } from "../../../compiler/bundle/joined-list.ts";

interface Item {
  readonly text: string;
}

const edit = fc.record({
  at: fc.nat({ max: 999 }),
  remove: fc.nat({ max: 2 }),
  insert: fc.array(fc.string({ maxLength: 4 }), { maxLength: 2 }),
});

describe("a list that is joined again after edits", () => {
  test("is what joining it anew gives", () => {
    fc.assert(
      fc.property(fc.nat({ max: 600 }), fc.array(edit, { maxLength: 8 }), (count, edits) => {
        const list = new JoinedList<Item>(", ", ({ text }) => text);
        let items = Array.from({ length: count }, (_, index): Item => ({ text: `é${index}` }));
        for (const { at, remove, insert } of [{ at: 0, remove: 0, insert: [] }, ...edits]) {
          const place = Math.min(at, items.length);
          items = items.toSpliced(place, remove, ...insert.map((text) => ({ text })));
          const text = Buffer.concat(list.pieces(items)).toString();
          expect(text).toBe(items.map((item) => item.text).join(", "));
        }
      }),
      { numRuns: 60 },
    );
  });

  test("writes only what is not the same object in the same place", () => {
    const written: Item[] = [];
    const list = new JoinedList<Item>(",", (item) => {
      written.push(item);
      return item.text;
    });
    const items = Array.from({ length: 2000 }, (_, index): Item => ({ text: String(index) }));
    list.pieces(items);
    written.length = 0;
    list.pieces(items.with(1000, { text: "x" }));
    expect(written.length).toBeGreaterThan(0);
    expect(written.length).toBeLessThan(items.length / 4);
  });
});
