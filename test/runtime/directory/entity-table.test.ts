/** A reader that is overtaken by the writer while it looks: what happens then is made to happen, through `onMissing` or between two loads. */
import { expect, it, vi } from "vitest";
import { EntityTable, type TableParts } from "../../../runtime/directory/entity-table.ts";
import { EntityWriter } from "../../../runtime/directory/entity-writer.ts";

const KEY = { key0: 17, key1: 4 };
/** Two of these do not fit a table's first segment. */
const LONG = new Uint8Array(2500);
/** Three of these do not fit any segment. */
const HUGE = new Uint8Array(6 * 1024 * 1024);

/** A table that holds `wanted` in memory that its reader has not been given yet; the reader gets it after `meanwhile` of the writer. */
function overtaken(meanwhile: (writer: EntityWriter) => void): EntityTable {
  const writer = EntityWriter.create("resource", "record", 1, KEY, {
    account: () => undefined,
    announce: () => undefined,
  });
  const reader = new EntityTable(writer.parts, KEY);
  writer.put(Buffer.from("first"), LONG, false);
  writer.put(Buffer.from("wanted"), LONG, false);
  let isNew = true;
  reader.onMissing = () => {
    if (isNew) meanwhile(writer);
    isNew = false;
    reader.adopt(writer.parts);
  };
  return reader;
}

it("does not find an entity that is removed while it is looked for", () => {
  const reader = overtaken((writer) => writer.remove(Buffer.from("wanted")));
  expect(reader.find(Buffer.from("wanted"))).toBe(-1);
  expect(reader.find(Buffer.from("first"))).toBeGreaterThanOrEqual(0);
});

it("finds the new record of an entity that is replaced while it is looked for", () => {
  const reader = overtaken((writer) => writer.put(Buffer.from("wanted"), Uint8Array.of(0x80), false));
  const address = reader.find(Buffer.from("wanted"));
  expect(Buffer.from(reader.idAt(address)).toString()).toBe("wanted");
  expect(reader.propertiesAt(address)).toHaveLength(1);
});

it("finds the entity that was asked for when a larger index comes while it is looked for", () => {
  for (let others = 50; others < 250; others++) {
    const reader = overtaken((writer) => {
      for (let other = 0; other < others; other++) writer.put(Buffer.from(`other ${other}`), LONG, false);
    });
    const address = reader.find(Buffer.from("wanted"));
    expect(Buffer.from(reader.idAt(address)).toString()).toBe("wanted");
  }
});

/**
 * Ids that a reader meets who has met `before` and goes on, and whom the writer overtakes behind its first look at where the records end: by
 * then there are `more`, which a segment does not hold.
 */
function metBehind(before: readonly string[], more: readonly string[]): string[] {
  const news: TableParts[] = [];
  const writer = EntityWriter.create("resource", "record", 1, KEY, {
    account: () => undefined,
    announce: ({ parts }) => news.push(parts),
  });
  const reader = new EntityTable(writer.parts, KEY);
  reader.onMissing = () => {
    for (const parts of news.splice(0)) reader.adopt(parts);
  };
  for (const id of before) writer.put(Buffer.from(id), LONG, false);
  let address = before.reduce((at) => reader.run(at, 1).next, 0);
  const load = Atomics.load.bind(Atomics) as (words: unknown, index: number) => never;
  const loading = vi.spyOn(Atomics, "load").mockImplementationOnce((words: unknown, index: number) => {
    const seen = load(words, index);
    for (const id of more) writer.put(Buffer.from(id), HUGE, false);
    return seen;
  });
  try {
    const met: string[] = [];
    for (;;) {
      const run = reader.run(address, 1);
      if (run.bytes.byteLength > 0) met.push(Buffer.from(reader.idAt(run.address)).toString());
      if (run.isLast) return met;
      address = run.next;
    }
  } finally {
    loading.mockRestore();
  }
}

// Whoever saw a segment without a record for him, and then that there was a next one, left out what had come to the first meanwhile.
it("leaves no record out when a segment is filled and another one begun while it looks for the next", () => {
  const more = ["a", "b", "c", "d"];
  expect(metBehind([], more)).toEqual(more);
  expect(metBehind(["first", "second"], more)).toEqual(more);
});
