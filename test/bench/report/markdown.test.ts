/** The report: ratios come from the numbers of the same run, and a missing Cerbos is said, not hidden. */
import { describe, expect, it } from "vitest";

import { renderMarkdown } from "../../../bench/report/markdown.ts";
import { UNDECIDED } from "../../../bench/load/server-names.ts";
import type { ThroughputResult } from "../../../bench/load/throughput.ts";
import { budgetRows } from "../../../bench/report/budgets.ts";
import type { BenchResults } from "../../../bench/report/results.ts";
import { median, spread } from "../../../bench/report/statistics.ts";
import { bytes, duration, table } from "../../../bench/report/table.ts";

const target = (server: string, encoding: "json" | "msgpack", requestsPerSecond: number) => ({
  server,
  encoding,
  requestsPerSecond,
  spread: 0.02,
  p50: 100,
  p99: 300,
});

const http: ThroughputResult = {
  copies: 100,
  connections: 16,
  bodies: 200,
  decisionsPerRequest: 10.5,
  generator: "wrk",
  generatorEchoRates: { wrk: 100_000 },
  targets: [
    target("echo", "json", 100_000),
    target("edict", "json", 80_000),
    target("cerbos", "json", 2000),
    target("echo", "msgpack", 110_000),
    target("edict", "msgpack", 99_000),
  ],
  comparedAnswers: 200,
  comparedWithCerbos: true,
  startMilliseconds: { edict: 300, cerbos: 1500 },
  residentMebibytes: { edict: 100, cerbos: 200 },
  notes: [],
};

const results: BenchResults = {
  date: "2026-11-21T12:00:00.000Z",
  quick: false,
  minutes: 9,
  failed: [],
  notes: [],
  machine: {
    processor: "test",
    cores: 2,
    memoryGibibytes: 8,
    system: "Linux",
    node: "v20",
    commit: "abc",
    loadAverage: 0.1,
  },
  compile: {
    copies: 100,
    policies: 900,
    files: 1200,
    milliseconds: 900,
    firstMilliseconds: 1500,
    bundleBytes: 300_000,
  },
  inProcess: [
    {
      encoding: "json",
      decisionsPerCall: 10.5,
      bodyBytes: 1264,
      microsecondsPerCall: 1.5,
      decisionsPerSecond: 7_000_000,
      spread: 0.01,
    },
  ],
  http,
};

/** The cells of the HTTP table's row for a server and an encoding. */
const row = (markdown: string, server: string, encoding: string): string[] => {
  const rows = markdown.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  return rows.find((cells) => cells[1] === server && cells[2] === encoding) ?? [];
};

/** A turn of the soak. */
const turn = (server: string, p999: number, ...calmMaxima: number[]) => ({
  server,
  p999,
  max: p999,
  stolen: 0.1,
  calmMaxima,
});

describe("the report", () => {
  it("divides by the echo of the same encoding and by Cerbos", () => {
    const markdown = renderMarkdown(results);
    expect(row(markdown, "edict", "json")).toEqual(
      expect.arrayContaining(["80,000", "840,000", "80%", "40.0x"]),
    );
    expect(row(markdown, "edict", "msgpack")).toEqual(expect.arrayContaining(["99,000", "90%", "49.5x"]));
    expect(row(markdown, "cerbos", "json")).toEqual(expect.arrayContaining(["2,000", "2%", "1.0x"]));
  });

  it("says what the guest takes of an echo's time, where the daemon was measured without it", () => {
    expect(renderMarkdown(results)).not.toContain("of the time of an echo");
    const targets = [
      { ...target("edict", "json", 80_000), ofEcho: 0.8 },
      { ...target(UNDECIDED, "json", 90_000), ofEcho: 1 / 1.1 },
      { ...target("edict", "msgpack", 80_000), ofEcho: 0.8 },
      { ...target(UNDECIDED, "msgpack", 90_000), ofEcho: 0.85 },
    ];
    expect(renderMarkdown({ ...results, http: { ...http, targets } })).toContain(
      "the guest takes 15% in json (the budget of 80% leaves 15%), 7% in msgpack (the budget of 88% leaves 0%)",
    );
  });

  it("shows processor time per request, where it was taken", () => {
    const targets = [
      { ...target("edict", "json", 80_000), processorPerRequest: 12.34, processorOfEcho: 1.2 },
    ];
    const markdown = renderMarkdown({ ...results, http: { ...http, targets } });
    expect(row(markdown, "edict", "json")).toContain("12.3 µs (120%)");
  });

  it("counts the turns of a soak that had an outlier, and the seconds that the host left alone", () => {
    const turns = [
      turn("echo", 30_000, 5000, 20_000),
      turn("echo", 5000),
      turn("edict", 40_000, 20_001),
      turn("edict", 20_001),
      turn("edict", 20_000, 7000, 30_000),
    ];
    const soak = { capacity: 50_000, connections: 64, seconds: 15, rounds: 20, rows: [], turns };
    const markdown = renderMarkdown({ ...results, soak });
    expect(markdown).toContain("## Soak: 5 minutes at half load");
    expect(markdown).toContain(
      "p99.9 above 20 ms: echo in 1 of 2 (the largest 30,000 µs), edict in 2 of 3 (the largest 40,000 µs).",
    );
    expect(markdown).toContain(
      "nothing of the processor away: echo in 0 of 2 (the largest 20,000 µs), edict in 2 of 3 (the largest 30,000 µs).",
    );
  });

  it("says which run each part is of, where parts were kept", () => {
    expect(renderMarkdown(results)).not.toContain("## When each part was measured");
    const runs = [{ part: "micro" as const, date: "2026-11-22T01:00:00.000Z", commit: "abc", quick: true }];
    expect(
      row(renderMarkdown({ ...results, runs }), "micro", "2026-11-22T01:00:00.000Z, quick (noisy)"),
    ).toContain("abc");
  });

  it("says when Cerbos was left out and gives no ratio to it", () => {
    const targets = http.targets.filter(({ server }) => server !== "cerbos");
    const markdown = renderMarkdown({
      ...results,
      http: { ...http, targets, comparedWithCerbos: false, notes: ["no Cerbos here"] },
    });
    expect(markdown).toContain("Note: no Cerbos here");
    expect(row(markdown, "edict", "json").join()).not.toMatch(/\d+\.\dx/);
    expect(markdown).toContain("edict in JSON and in msgpack gave equal answers");
  });
});

const metOf = (given: BenchResults, what: string) => budgetRows(given).find((one) => one.what.includes(what));

describe("the budgets", () => {
  it("are met from their bound on, and not below", () => {
    expect(metOf(results, "JSON, one thread, to the echo")).toMatchObject({ measured: "80%", met: true });
    const targets = [target("echo", "json", 100_000), target("edict", "json", 79_000)];
    expect(metOf({ ...results, http: { ...http, targets } }, "JSON, one thread, to the echo")).toMatchObject({
      measured: "79%",
      met: false,
    });
  });

  it("are shown for few connections and for many, each by its own load", () => {
    const many = {
      connections: 64,
      targets: [
        { ...target("echo", "json", 120_000), ofEcho: 1 },
        { ...target("edict", "json", 90_000), ofEcho: 0.75 },
      ],
    };
    const both = { ...results, http: { ...http, many } };
    expect(metOf(both, "JSON, one thread, to the echo, 16")).toMatchObject({ measured: "80%", met: true });
    expect(metOf(both, "JSON, one thread, to the echo, 64")).toMatchObject({ measured: "75%", met: false });
    expect(metOf(both, "msgpack, one thread, to the echo, 64")).toMatchObject({ measured: "" });
    expect(metOf(both, "to Cerbos")).toMatchObject({ measured: "40.0x" });
    expect(renderMarkdown(both)).toMatch(/\| edict +\| +json \| +64 \| +90,000 \|/);
  });

  it("say what was not measured instead of calling it met", () => {
    expect(metOf(results, "over the stream")).toMatchObject({ measured: "", met: undefined });
    expect(renderMarkdown(results)).toMatch(/over the stream.*not measured/);
  });

  it("name a part that failed", () => {
    const failed = [{ part: "stream", message: "no upgrade", isBroken: true }];
    expect(renderMarkdown({ ...results, failed })).toContain("**The part `stream` failed:** no upgrade");
  });
});

describe("statistics", () => {
  it("takes the middle, or the mean of the two in the middle", () => {
    expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([])]).toEqual([2, 2.5, 0]);
  });

  it("gives half the range as a fraction of the median", () => {
    expect(spread([90, 100, 110])).toBeCloseTo(0.1);
  });
});

describe("tables", () => {
  it("pads columns and aligns numbers to the right", () => {
    expect(table(["name", "n"], [["a", "10"]]).split("\n")).toEqual([
      "| name |  n |",
      "| ---- | -: |",
      "| a    | 10 |",
    ]);
  });

  it("writes units that fit the size", () => {
    expect([bytes(2048), bytes(3 * 2 ** 20), duration(12.4), duration(1234)]).toEqual([
      "2 KiB",
      "3.0 MiB",
      "12 ms",
      "1.23 s",
    ]);
  });
});
