/** A reader that is overtaken by the writer while it looks an entity up: what happens then is made to happen, through `onMissing`. */
import { expect, it } from "vitest";
import { EntityTable } from "../../../runtime/directory/entity-table.ts";
import { EntityWriter } from "../../../runtime/directory/entity-writer.ts";

const KEY = { key0: 17, key1: 4 };
/** Two of these do not fit a table's first segment. */
const LONG = new Uint8Array(2500);

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
