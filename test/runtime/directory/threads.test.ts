/** Threads that read while the first one writes see every entity whole, and one that is replaced without a gap. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, it } from "vitest";
import { Directory } from "../../../runtime/directory/directory.ts";
import { IS_BUILT, temporaryDirectory } from "../support/daemon.ts";
import { changesOf, type EntityText, ndjson, options } from "./support.ts";

const IDS = 3000;

/** Looks of each reader that are enough; those that a machine lets begin late get as many rounds as they need. */
const ENOUGH = 1000;
const ENTRY = new URL("./reading-thread.mjs", import.meta.url);

interface Report {
  readonly problems: readonly string[];
  readonly looks: number;
  readonly seen: number;
  readonly walked: number;
}

function record(number: number, length: number): EntityText {
  const self = `r${number}`;
  return {
    kind: "resource",
    type: "record",
    id: self,
    properties: { self, length, text: "t".repeat(length) },
  };
}

it.skipIf(!IS_BUILT)(
  "readers see whole entities while they are added, replaced, removed, compacted and loaded again",
  async () => {
    const home = await temporaryDirectory();
    const file = join(home.path, "entities.ndjson");
    await writeFile(file, ndjson([record(0, 5), record(1, 5)]));
    const directory = await Directory.open(options([file]), null);
    /** Whether to stop, and how much each reader has seen by then. */
    const words = new Int32Array(new SharedArrayBuffer(12));
    const workers = [1, 2].map((slot) => {
      const share = directory.share();
      return new Worker(ENTRY, { workerData: { share, ids: IDS, words, slot }, transferList: [share.port] });
    });
    const haveSeen = (): boolean => [1, 2].every((slot) => Atomics.load(words, slot) > ENOUGH);
    const reports = Promise.all(workers.map((worker) => once(worker, "message") as Promise<[Report]>));
    // One that fails is looked at in the end, not before.
    reports.catch(() => undefined);
    const editions = new Set<number | undefined>();
    for (let round = 0; round < 60 || !haveSeen(); round++) {
      const numbers = Array.from({ length: 400 }, (_, index) => (round * 137 + index * 7) % IDS);
      await directory.change(
        changesOf([0, ...numbers].map((number) => record(number, (round * 31 + number) % 900))),
      );
      const left = numbers.filter((number) => number % 3 === 0 && number > 0);
      await directory.change(
        changesOf(
          left.map((number) => record(number, 0)),
          true,
        ),
      );
      if (round % 20 === 19) await directory.reload();
      editions.add(directory.view.table("resource", "record")?.edition);
    }
    Atomics.store(words, 0, 1);
    for (const [report] of await reports) {
      expect(report.problems).toEqual([]);
      expect(report.looks).toBeGreaterThan(ENOUGH);
      expect(report.seen).toBeGreaterThan(ENOUGH);
    }
    expect(editions.size).toBeGreaterThan(4);
    await directory.close();
    await home.remove();
  },
  180_000,
);
