/** The directory of entities against a plain map: what is in it, in which order, after which changes; on this thread and on another. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { Directory } from "../../../runtime/directory/directory.ts";
import { DirectoryView } from "../../../runtime/directory/directory-view.ts";
import { temporaryDirectory } from "../support/daemon.ts";
import { changesOf, type EntityText, idsOf, look, ndjson, options } from "./support.ts";

const opened: Directory[] = [];
const scratches: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const directory of opened.splice(0)) await directory.close();
  for (const remove of scratches.splice(0)) await remove();
});

async function open(...given: Parameters<typeof Directory.open>): Promise<Directory> {
  const directory = await Directory.open(...given);
  opened.push(directory);
  return directory;
}

async function scratch(): Promise<string> {
  const found = await temporaryDirectory();
  scratches.push(() => found.remove());
  return found.path;
}

const record = (id: string, properties?: Record<string, unknown>): EntityText => ({
  kind: "resource",
  type: "record",
  id,
  ...(properties === undefined ? {} : { properties }),
});

describe("the directory", () => {
  it("knows what was put into it, with properties of every kind", async () => {
    const directory = await open(options(), null);
    expect(directory.view.isEmpty).toBe(true);
    const properties = {
      owner: "bób",
      level: 3,
      ratio: -1.5,
      big: 2 ** 40,
      tags: ["a", { b: null }],
      on: true,
    };
    await directory.change(changesOf([record("1", properties), record("2"), record("ü", {})]));
    expect(look(directory.view, "resource", "record", "1")).toEqual(properties);
    expect(look(directory.view, "resource", "record", "2")).toEqual({});
    expect(look(directory.view, "resource", "record", "ü")).toEqual({});
    expect(look(directory.view, "resource", "record", "3")).toBeNull();
    expect(look(directory.view, "subject", "record", "1")).toBeNull();
    expect(look(directory.view, "resource", "recor", "d1")).toBeNull();
    expect(directory.view.isEmpty).toBe(false);
  });

  it("agrees with a map after any changes, and so does a reader of the shared memory", async () => {
    const name = fc.stringMatching(/^[a-c]{1,2}$/);
    const change = fc.record({
      removes: fc.boolean(),
      kind: fc.constantFrom("subject" as const, "resource" as const),
      type: fc.constantFrom("x", "yy"),
      id: name,
      size: fc.constantFrom(0, 1, 40, 3000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(change, { maxLength: 30 }), { maxLength: 8 }), async (requests) => {
        const directory = await Directory.open(options(), null);
        const other = DirectoryView.of(directory.share());
        const expected = new Map<string, unknown>();
        const touched = new Set<string>();
        for (const request of requests) {
          for (const { removes, kind, type, id, size } of request) {
            const properties = { text: "p".repeat(size), n: touched.size };
            await directory.change(changesOf([{ kind, type, id, properties }], removes));
            const key = `${kind} ${type} ${id}`;
            touched.add(key);
            if (removes) expected.delete(key);
            else expected.set(key, properties);
          }
          for (const key of touched) {
            const [kind = "", type = "", id = ""] = key.split(" ");
            const side = kind === "subject" ? "subject" : "resource";
            expect(look(directory.view, side, type, id)).toEqual(expected.get(key) ?? null);
            expect(look(other, side, type, id)).toEqual(expected.get(key) ?? null);
          }
          expect(directory.status.entities).toBe(expected.size);
        }
        await directory.close();
      }),
      { numRuns: 40 },
    );
  });

  it("keeps the order of insertion, a replaced entity being the newest", async () => {
    const directory = await open(options(), null);
    await directory.change(changesOf([record("a"), record("b"), record("c"), record("d")]));
    await directory.change(changesOf([record("b", { again: true })]));
    await directory.change(changesOf([record("c")], true));
    expect(idsOf(directory, "resource", "record")).toEqual(["a", "d", "b"]);
  });

  it("finds everything over many segments, by runs of any size", async () => {
    const directory = await open(options(), null);
    const all = Array.from({ length: 400 }, (_, index) => `r${index}`);
    const properties = { text: "x".repeat(60_000) };
    for (let at = 0; at < all.length; at += 100) {
      await directory.change(changesOf(all.slice(at, at + 100).map((id) => record(id, properties))));
    }
    expect(directory.status.bytes).toBeGreaterThan(2 ** 24);
    expect(idsOf(directory, "resource", "record", 1)).toEqual(all);
    expect(idsOf(directory, "resource", "record", 150_000)).toEqual(all);
    for (const id of all) expect(look(directory.view, "resource", "record", id)).toEqual(properties);
  });

  it("gives back the memory of dead records, in another edition and in the same order", async () => {
    const directory = await open(options(), null);
    const all = Array.from({ length: 1500 }, (_, index) => record(`r${index}`, { text: "y".repeat(100) }));
    await directory.change(changesOf(all));
    const before = directory.view.table("resource", "record");
    const other = DirectoryView.of(directory.share());
    for (const round of [1, 2]) {
      await directory.change(changesOf(all.toReversed().map(({ id }) => record(id, { round }))));
    }
    await directory.change(changesOf([]));
    const after = directory.view.table("resource", "record");
    expect(after?.edition).not.toBe(before?.edition);
    expect(after?.dead).toBe(0);
    expect(other.table("resource", "record")?.edition).toBe(after?.edition);
    expect(idsOf(directory, "resource", "record")).toEqual(all.map(({ id }) => id).toReversed());
    expect(look(other, "resource", "record", "r7")).toEqual({ round: 2 });
    // Who is still reading the old one goes on doing so.
    expect(before?.find(Buffer.from("r7"))).toBeGreaterThanOrEqual(0);
  });

  it("refuses what does not fit, and takes nothing of it", async () => {
    const directory = await open({ ...options(), maxEntities: 3 }, null);
    await directory.change(changesOf([record("a"), record("b")]));
    const { revision } = directory.status;
    await expect(
      directory.change(changesOf([record("a", { x: 1 }), record("c"), record("d")])),
    ).rejects.toThrow("the directory may hold 3 entities");
    expect(directory.status.revision).toBe(revision);
    expect(look(directory.view, "resource", "record", "a")).toEqual({});
    await directory.change(changesOf([record("a", { x: 1 }), record("b", {}), record("c")]));
    expect(directory.status.entities).toBe(3);
    const small = await open({ ...options(), maxBytes: 100_000 }, null);
    await expect(small.change(changesOf([record("a", { text: "z".repeat(100_000) })]))).rejects.toThrow(
      "the directory may take 100000 bytes",
    );
  });
});

describe("files", () => {
  it("are read in order, lines and arrays alike, a directory's by name", async () => {
    const home = await scratch();
    await writeFile(join(home, "b.ndjson"), `\ufeff${ndjson([record("1", { from: "b" }), record("2")])}\n\n`);
    await writeFile(
      join(home, "a.json"),
      `\n [ ${JSON.stringify(record("1", { from: "a" }))} ,\n{"kind":"subject",\n"type":"user","id":"[\\"]","properties":{"k":"}]\\\\"}}]\n`,
    );
    await writeFile(join(home, "notes.txt"), "not an entity");
    await writeFile(join(home, "c.json"), " [ ] ");
    const directory = await open(options([home]), null);
    expect(look(directory.view, "resource", "record", "1")).toEqual({ from: "b" });
    expect(look(directory.view, "subject", "user", '["]')).toEqual({ k: "}]\\" });
    expect(directory.status.types).toEqual([
      { kind: "resource", type: "record", entities: 2 },
      { kind: "subject", type: "user", entities: 1 },
    ]);
  });

  it.each([
    ["{}\n", "1:1: `kind` must be `subject` or `resource`"],
    [
      `${ndjson([record("1")])}{"kind":"resource","type":"t","id":7}`,
      "2:1: `id` must be text of 1 to 4096 bytes",
    ],
    ['{"kind":"resource","type":"","id":"1"}', "1:1: `type` must be text of 1 to 256 bytes"],
    [
      '{"kind":"resource","type":"t","id":"1","attributes":{}}',
      "1:1: unknown field `attributes` of an entity",
    ],
    ['{"kind":"resource","type":"t","id":"1","properties":[]}', "1:1: `properties` must be an object"],
    ['\n  {"kind":"resource",}', "2:22: an entity is not JSON"],
    ['[{"kind":"resource","type":"t","id":"1"},\n {"kind"\n:x}]', "3:2: an entity is not JSON"],
    ['[{"kind":"resource","type":"t","id":"1"},]', "1:42: an entity is missing"],
    ['[{"kind":"resource","type":"t","id":"1"}] x', "1:43: more follows behind the array"],
    ['[{"kind":"resource","type":"t","id":"1"}', "1:41: the array does not end"],
    ["7", "1:1: an entity is not an object"],
    [
      `{"kind":"resource","type":"t","id":"${"x".repeat(300_000)}"}`,
      "1:1: an entity is longer than 262144 bytes",
    ],
    [
      `{"kind":"resource","type":"t","id":"1","properties":{"a":${"[".repeat(40)}${"]".repeat(40)}}}`,
      "1:1: `properties` are nested deeper than 32",
    ],
    [
      String.raw`{"kind":"resource","type":"t","id":"1","properties":{"a":"\ud800"}}`,
      "1:1: `properties` hold half of a surrogate pair",
    ],
    [String.raw`{"kind":"resource","type":"t","id":"\ud800"}`, "1:1: `id` must be text of 1 to 4096 bytes"],
    [
      '{"kind":"resource","type":"t","id":"1","properties":{"a":1e999}}',
      "1:1: `properties` hold a number that is too large",
    ],
  ])("refuses %j with its place", async (text, message) => {
    const home = await scratch();
    const file = join(home, "entities.json");
    await writeFile(file, text);
    await expect(Directory.open(options([file]), null)).rejects.toThrow(`${file}:${message}`);
  });

  it("refuses bytes that are not UTF-8, and a file that is not there", async () => {
    const home = await scratch();
    const file = join(home, "entities.json");
    await writeFile(file, Buffer.from('{"kind":"resource","type":"t","id":"\xff"}', "latin1"));
    await expect(Directory.open(options([file]), null)).rejects.toThrow(
      `${file}:1:1: an entity is not UTF-8`,
    );
    await expect(Directory.open(options([join(home, "none")]), null)).rejects.toThrow(/cannot be read/);
  });

  it("are read again by a reload, under what was pushed; a bad one changes nothing", async () => {
    const home = await scratch();
    const file = join(home, "entities.ndjson");
    await writeFile(file, ndjson([record("1"), record("2"), record("3")]));
    const directory = await open(options([file]), null);
    const other = DirectoryView.of(directory.share());
    await directory.change(changesOf([record("1", { pushed: 1 }), record("9", { pushed: 9 })]));
    await directory.change(changesOf([record("2")], true));
    await writeFile(
      file,
      ndjson([record("1", { file: 1 }), record("2", { file: 2 }), record("4", { file: 4 })]),
    );
    await directory.reload();
    for (const view of [directory.view, other]) {
      expect(look(view, "resource", "record", "1")).toEqual({ pushed: 1 });
      expect(look(view, "resource", "record", "2")).toBeNull();
      expect(look(view, "resource", "record", "3")).toBeNull();
      expect(look(view, "resource", "record", "4")).toEqual({ file: 4 });
      expect(look(view, "resource", "record", "9")).toEqual({ pushed: 9 });
    }
    const { revision } = directory.status;
    await writeFile(file, "nonsense");
    await expect(directory.reload()).rejects.toThrow(`${file}:1:1`);
    expect(directory.status.revision).toBe(revision);
    expect(look(other, "resource", "record", "4")).toEqual({ file: 4 });
  });

  it("are cut the same wherever the stream is", async () => {
    const { EntityReader } = await import("../../../runtime/directory/entity-reader.ts");
    const entities = [record("a", { t: 'x"]},\\' }), record("ü", { l: [[1], {}] }), record("c")];
    const forms = [ndjson(entities), JSON.stringify(entities, null, 1), ndjson(entities).trimEnd()];
    for (const form of forms) {
      const bytes = Buffer.from(form);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const ids: string[] = [];
        const reader = new EntityReader("stream", "all", ({ id }) => ids.push(Buffer.from(id).toString()));
        reader.push(bytes.subarray(0, cut));
        reader.push(bytes.subarray(cut));
        reader.end();
        expect(ids).toEqual(["a", "ü", "c"]);
      }
    }
  });
});
