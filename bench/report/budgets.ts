/** The budgets of the design beside what a run measured. A budget without a figure was not measured in this run. */
import type { EvaluationRate } from "../load/evaluations.ts";
import type { LatencyRow } from "../load/latency.ts";
import type { ThroughputLoad, ThroughputResult } from "../load/throughput.ts";
import type { BenchResults } from "./results.ts";
import { requestsPerSecond } from "./results.ts";
import { duration, percent, table, thousands, times } from "./table.ts";

export interface BudgetRow {
  readonly what: string;
  readonly budget: string;
  /** "" when it was not measured. */
  readonly measured: string;
  readonly met: boolean | undefined;
}

function row(
  what: string,
  budget: string,
  value: number | undefined,
  show: (value: number) => string,
  isMet: (value: number) => boolean,
): BudgetRow {
  return value === undefined || Number.isNaN(value)
    ? { what, budget, measured: "", met: undefined }
    : { what, budget, measured: show(value), met: isMet(value) };
}

function ratio(over: number | undefined, under: number | undefined): number | undefined {
  return over === undefined || under === undefined || under === 0 ? undefined : over / under;
}

const atLeast =
  (bound: number) =>
  (value: number): boolean =>
    value >= bound;
const atMost =
  (bound: number) =>
  (value: number): boolean =>
    value <= bound;

/** What part of the echo's requests/s the daemon is to reach over HTTP. */
export const LEAST_OF_ECHO = { json: 0.8, msgpack: 0.88 } as const;

const ENCODINGS = { json: "JSON", msgpack: "msgpack" } as const;

/** The daemon beside the echo in one encoding, on few connections and on many. */
function echoRows(http: ThroughputResult | undefined, encoding: keyof typeof ENCODINGS): BudgetRow[] {
  const loads: readonly (ThroughputLoad | undefined)[] =
    http?.many === undefined ? [http] : [http, http.many];
  return loads.map((load) => {
    const rateOf = (server: string): number | undefined => requestsPerSecond(load, server, encoding);
    const least = LEAST_OF_ECHO[encoding];
    const on = load === undefined ? "" : `, ${load.connections} connections`;
    return row(
      `requests/s over HTTP, ${ENCODINGS[encoding]}, one thread, to the echo${on}`,
      `≥ ${percent(least)}`,
      load?.targets.find((one) => one.server === "edict" && one.encoding === encoding)?.ofEcho ??
        ratio(rateOf("edict"), rateOf("echo")),
      percent,
      atLeast(least),
    );
  });
}

function throughputRows({ http, stream, inProcess = [] }: BenchResults): BudgetRow[] {
  const batch = (encoding: string): number | undefined =>
    inProcess.find((one) => one.encoding === encoding && one.decisionsPerCall === 1000)?.decisionsPerSecond;
  return [
    ...echoRows(http, "json"),
    ...echoRows(http, "msgpack"),
    row(
      "requests/s over HTTP, JSON, one thread, to Cerbos",
      "≥ 30x",
      ratio(requestsPerSecond(http, "edict", "json"), requestsPerSecond(http, "cerbos", "json")),
      times,
      atLeast(30),
    ),
    row(
      "decisions/s over the stream, one thread",
      "≥ 3,500,000",
      stream?.rows.findLast(({ server }) => server === "edict")?.decisionsPerSecond,
      thousands,
      atLeast(3.5e6),
    ),
    row(
      "decisions/s in-process, batches of 1,000, msgpack",
      "≥ 10,000,000",
      batch("msgpack"),
      thousands,
      atLeast(1e7),
    ),
    row(
      "decisions/s in-process, batches of 1,000, JSON",
      "≥ 6,000,000",
      batch("json"),
      thousands,
      atLeast(6e6),
    ),
  ];
}

/** What the issue about AuthZEN asks for. */
function authzenRows({ authzen }: BenchResults): BudgetRow[] {
  const jsonOf = (server: string): EvaluationRate | undefined =>
    authzen?.rates.find((one) => one.server === server && one.encoding === "json");
  return [
    row(
      "AuthZEN evaluations/s over HTTP, JSON, to the echo",
      "≥ 80%",
      jsonOf("edict")?.ofEcho ?? ratio(jsonOf("edict")?.requestsPerSecond, jsonOf("echo")?.requestsPerSecond),
      percent,
      atLeast(0.8),
    ),
    row(
      "decisions/s in-process, 1,000 evaluations in one body, JSON",
      "≥ 3,000,000",
      authzen?.batches.find(({ encoding }) => encoding === "json")?.decisionsPerSecond,
      thousands,
      atLeast(3e6),
    ),
    row(
      "first page of a search over 100,000 resources",
      "≤ 20 ms",
      authzen?.search.resources === 100_000 ? authzen.search.firstPage : undefined,
      duration,
      atMost(20),
    ),
  ];
}

function megabytes(value: number): string {
  return `${Math.round(value)} MiB`;
}

function scaleRows({ latency, scale = [] }: BenchResults): BudgetRow[] {
  const atHalf = (server: string): LatencyRow | undefined =>
    latency?.rows.find((one) => one.server === server && one.load === 0.5);
  const few = scale.find(({ policies }) => policies === 800);
  const many = scale.find(({ policies }) => policies === 40_000);
  const kept = ratio(many?.requestsPerSecond, few?.requestsPerSecond);
  return [
    row(
      "p99 at 50% of the maximum, open loop, to the echo's",
      "≤ 3x",
      atHalf("edict")?.p99OfEcho ?? ratio(atHalf("edict")?.latency.p99, atHalf("echo")?.latency.p99),
      times,
      atMost(3),
    ),
    row(
      "800 to 40,000 policies: throughput lost",
      "≤ 10%",
      kept === undefined ? undefined : 1 - kept,
      percent,
      atMost(0.1),
    ),
    row(
      "40,000 policies: daemon's memory",
      "≤ 250 MB",
      many?.daemonMebibytes,
      megabytes,
      atMost(250e6 / 2 ** 20),
    ),
    row("40,000 policies: start from bundle", "≤ 2 s", many?.startMilliseconds, duration, atMost(2000)),
    row("40,000 policies: compile", "≤ 60 s", many?.compileMilliseconds, duration, atMost(60_000)),
    row(
      "40,000 policies: compiler's memory",
      "≤ 1.5 GB",
      many?.compilePeakMebibytes,
      megabytes,
      atMost(1.5e9 / 2 ** 20),
    ),
  ];
}

function changeRows({ edits = [], swap, memory }: BenchResults): BudgetRow[] {
  const edit = (policies: number): number | undefined =>
    edits.find((one) => one.policies === policies)?.median;
  const { early = 0, late = 0 } = swap?.memory ?? {};
  return [
    row("edit one of 800 policies, to serving on all threads", "≤ 150 ms", edit(800), duration, atMost(150)),
    row("edit one of 40,000 policies", "≤ 1 s", edit(40_000), duration, atMost(1000)),
    row("swap under full load: failed requests", "0", swap?.failed, thousands, atMost(0)),
    row("swap under full load: mixed decisions", "0", swap?.mixed, thousands, atMost(0)),
    row(
      "swap under full load: p99 of its second to steady",
      "≤ 2x",
      swap?.swaps === 0 ? undefined : ratio(swap?.swapP99, swap?.steadyP99),
      times,
      atMost(2),
    ),
    row(
      `resident memory over ${thousands(memory?.decisions ?? 1e8)} decisions`,
      "flat",
      memory?.resident,
      (value) => `${value >= 0 ? "+" : ""}${value.toFixed(1)} MiB`,
      () => memory?.flat === true,
    ),
    row(
      `daemon's memory over ${thousands(swap?.memory.swaps ?? 1000)} swaps`,
      "flat",
      swap === undefined ? undefined : late - early,
      (value) => `${value >= 0 ? "+" : ""}${value} MiB, from ${early} MiB`,
      atMost(SWAP_SLACK),
    ),
  ];
}

/** Growth over many swaps that counts as flat, in MiB: pages that the allocator keeps. */
const SWAP_SLACK = 24;

/** Every row of the design's budgets. */
export function budgetRows(results: BenchResults): BudgetRow[] {
  return [...throughputRows(results), ...authzenRows(results), ...scaleRows(results), ...changeRows(results)];
}

export function budgetTable(results: BenchResults): string {
  return table(
    ["budget", "wanted", "measured", "met"],
    budgetRows(results).map(({ what, budget, measured, met }) => [
      what,
      budget,
      measured === "" ? "not measured" : measured,
      met === undefined ? "" : met ? "yes" : "no",
    ]),
  );
}
