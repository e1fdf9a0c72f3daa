/** What was pushed, on disk: it is there at the next start, whatever happened to the end of the file, and damage is not guessed about. */
import { readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { readChanges } from "../../../runtime/directory/change-list.ts";
import { Directory } from "../../../runtime/directory/directory.ts";
import { PushLog, type Snapshot } from "../../../runtime/directory/push-log.ts";
import type * as DurableFile from "../../../runtime/source/durable-file.ts";
import { temporaryDirectory } from "../support/daemon.ts";
import { changesOf, type EntityText, idsOf, look, ndjson, options } from "./support.ts";

/** Whether directories cannot be flushed at the moment. */
let isFailing = false;

vi.mock("../../../runtime/source/durable-file.ts", async (original) => {
  const real = await original<typeof DurableFile>();
  const flushDirectory = async (directory: string): Promise<void> => {
    if (isFailing) throw new Error("EIO: i/o error, fsync");
    await real.flushDirectory(directory);
  };
  return { ...real, flushDirectory };
});

const record = (id: string, properties: Record<string, unknown> = {}): EntityText => ({
  kind: "resource",
  type: "record",
  id,
  properties,
});

const bytesOf = (id: string): Buffer => changesOf([record(id)]).bytes;

describe("pushed entities", () => {
  let home = "";
  const log = (): string => join(home, "directory.log");

  beforeEach(async () => {
    home = (await temporaryDirectory()).path;
  });

  afterEach(() => {
    isFailing = false;
    return rm(home, { recursive: true });
  });

  /** Opens the directory, does `work` and closes it, as a daemon that stops does. */
  async function once<T>(
    work: (directory: Directory) => Promise<T> | T,
    files: readonly string[] = [],
  ): Promise<T> {
    const directory = await Directory.open(options(files), home);
    try {
      return await work(directory);
    } finally {
      await directory.close();
    }
  }

  it("are there after a restart, with what was removed", async () => {
    const file = join(home, "file.ndjson");
    await writeFile(file, ndjson([record("1", { file: 1 }), record("2"), record("3")]));
    await once(
      async (directory) => {
        await directory.change(changesOf([record("1", { pushed: 1 }), record("4", { text: "ü" })]));
        await directory.change(changesOf([record("2"), record("4"), record("nobody")], true));
        await directory.change(changesOf([record("5", { n: 5 })]));
        expect(directory.status.isKept).toBe(true);
      },
      [file],
    );
    await once(
      (directory) => {
        expect(idsOf(directory, "resource", "record")).toEqual(["3", "1", "5"]);
        expect(look(directory.view, "resource", "record", "1")).toEqual({ pushed: 1 });
        expect(look(directory.view, "resource", "record", "5")).toEqual({ n: 5 });
      },
      [file],
    );
    expect((await stat(log())).mode & 0o077).toBe(0);
  });

  it("stay what they were, whatever the last write left behind", async () => {
    await once(async (directory) => {
      await directory.change(changesOf([record("1"), record("2")]));
      await directory.change(changesOf([record("3", { text: "x".repeat(50) }), record("4")]));
    });
    const whole = await readFile(log());
    await once((directory) => directory.change(changesOf([record("9")])));
    const longer = await readFile(log());
    for (let size = whole.byteLength; size < longer.byteLength; size++) {
      await writeFile(log(), longer.subarray(0, size));
      await once(async (directory) => {
        expect(idsOf(directory, "resource", "record")).toEqual(["1", "2", "3", "4"]);
        if (size % 7 === 0) await directory.change(changesOf([record("5")]));
      });
      if (size % 7 === 0) {
        await once((directory) =>
          expect(idsOf(directory, "resource", "record")).toEqual(["1", "2", "3", "4", "5"]),
        );
      }
    }
    // A file that was made longer before anything was written, and a last frame whose bytes never arrived.
    const empty = Buffer.concat([whole, Buffer.alloc(5000)]);
    const lost = Buffer.concat([
      longer.subarray(0, whole.byteLength + 20),
      Buffer.alloc(longer.byteLength - whole.byteLength - 20),
    ]);
    for (const bytes of [empty, lost]) {
      await writeFile(log(), bytes);
      await once((directory) => expect(idsOf(directory, "resource", "record")).toEqual(["1", "2", "3", "4"]));
    }
  });

  it("are not guessed about when the middle of the file is damaged", async () => {
    await once(async (directory) => {
      await directory.change(changesOf([record("1"), record("2")]));
      await directory.change(changesOf([record("3"), record("4")]));
    });
    const bytes = await readFile(log());
    for (const position of [0, 3, 30, 40]) {
      const damaged = Buffer.from(bytes);
      damaged[position] = (damaged[position] ?? 0) ^ 1;
      await writeFile(log(), damaged);
      await expect(once(() => undefined)).rejects.toThrow(
        /is damaged at byte \d+; remove it to start without/,
      );
    }
    await writeFile(log(), "not ours");
    await expect(once(() => undefined)).rejects.toThrow(/is damaged at byte 0/);
    await truncate(log(), 0);
    await once((directory) => expect(directory.status.entities).toBe(0));
  });

  it("are not acknowledged when they cannot be kept, and the next ones are", async () => {
    const directory = await Directory.open(options(), home);
    await directory.change(changesOf([record("1")]));
    const other = await PushLog.open(home, async () => undefined);
    await other.close();
    await expect(other.append(changesOf([record("2")]).bytes, () => [])).rejects.toMatchObject({
      code: "EDICT_DIRECTORY_NOT_KEPT",
    });
    await directory.change(changesOf([record("3")]));
    await directory.close();
    await once((again) => expect(idsOf(again, "resource", "record")).toEqual(["1", "3"]));
  });

  // The log that was written anew had its name, but nobody knew for how long, and changes were acknowledged into it.
  it("are not acknowledged into a log written anew whose name may be lost", async () => {
    const snapshot = (): Snapshot => readChanges(bytesOf("1"));
    const pushed = await PushLog.open(home, async () => undefined);
    await pushed.append(bytesOf("1"), snapshot);
    isFailing = true;
    await pushed.shorten(snapshot());
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(pushed.append(bytesOf("2"), snapshot)).rejects.toMatchObject({
        code: "EDICT_DIRECTORY_NOT_KEPT",
      });
    }
    isFailing = false;
    await pushed.append(bytesOf("3"), snapshot);
    await pushed.close();
    await once((directory) => expect(idsOf(directory, "resource", "record")).toEqual(["1", "3"]));
  });

  it("take no more room on disk than a few times what there is, however often they change", async () => {
    const text = "z".repeat(20_000);
    await once(async (directory) => {
      for (let round = 0; round < 12; round++) {
        const all = Array.from({ length: 100 }, (_, index) => record(`r${index}`, { text, round }));
        await directory.change(changesOf(all));
      }
    });
    expect((await stat(log())).size).toBeLessThan(12_000_000);
    await once((directory) => {
      expect(directory.status.entities).toBe(100);
      expect(look(directory.view, "resource", "record", "r99")).toEqual({ text, round: 11 });
    });
  });
});
