/** Results of some parts, completed by those of an earlier run. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { readResults, withEarlierParts } from "../../../bench/report/earlier-parts.ts";
import type { BenchResults } from "../../../bench/report/results.ts";

const MACHINE = {
  processor: "",
  cores: 2,
  memoryGibibytes: 1,
  system: "",
  node: "",
  loadAverage: 0,
  commit: "abc",
};

const runOf = (date: string, more: Partial<BenchResults>): BenchResults => ({
  date,
  quick: false,
  minutes: 1,
  machine: MACHINE,
  failed: [],
  notes: [],
  ...more,
});

const failed = (part: string) => ({ part, message: "no", isBroken: false });
const steal = (part: string) => ({ part, rounds: 1, median: 0, worst: 0 });

describe("an earlier run", () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "edict-bench-"));
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  it("gives the parts that were not measured again, and the report says so", () => {
    const file = join(directory, "old.json");
    writeFileSync(
      file,
      JSON.stringify(
        runOf("then", {
          edits: [],
          micro: [],
          peers: [],
          inProcess: [],
          failed: [failed("http"), failed("huge")],
          notes: ["Cerbos is old"],
          steal: [steal("http"), steal("scale")],
        }),
      ),
    );
    const measured = runOf("now", {
      inProcess: [],
      notes: ["without `--peers`, others were left out"],
      steal: [steal("http")],
    });
    const joined = withEarlierParts(measured, ["http", "in-process"], readResults(file));
    expect(joined).toMatchObject({ date: "now", edits: [], micro: [], inProcess: [] });
    expect(joined.failed.map(({ part }) => part)).toEqual(["huge"]);
    expect(joined.steal?.map(({ part }) => part)).toEqual(["scale", "http"]);
    expect(joined.notes).toEqual(["Cerbos is old"]);
    const then = { date: "then", commit: "abc", quick: false };
    expect(joined.runs).toEqual([
      { ...then, part: "micro" },
      { ...then, part: "in-process", date: "now" },
      { ...then, part: "edit" },
      { ...then, part: "peers" },
    ]);
    const again = withEarlierParts(runOf("later", { micro: [] }), ["micro"], joined);
    expect(again.runs?.map(({ part, date }) => `${part} ${date}`)).toEqual([
      "micro later",
      "in-process now",
      "edit then",
      "peers then",
    ]);
  });

  it("does not stand for a part that failed this time", () => {
    const earlier = runOf("then", { peers: [], micro: [] });
    const measured = runOf("now", { failed: [failed("peers")] });
    const joined = withEarlierParts(measured, ["peers"], earlier);
    expect(joined.peers).toBeUndefined();
    expect(joined.micro).toEqual([]);
    expect(joined.failed).toEqual([failed("peers")]);
  });

  it("is refused when the file holds something else", () => {
    const file = join(directory, "other.json");
    writeFileSync(file, "{}");
    expect(() => readResults(file)).toThrow(/other\.json does not hold the results of a run/);
  });
});
