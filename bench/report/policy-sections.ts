/** Sections of the report about policies: compiling, scale, edits and swaps, memory, single costs, and the other engines. */
import type { BenchResults } from "./results.ts";
import { bytes, duration, percent, table, thousands, times } from "./table.ts";

export function compileSection({ compile }: BenchResults): string[] {
  if (compile === undefined) return [];
  return [
    "## Compile in-process",
    table(
      ["load-test copies", "policy files", "with schemas", "compile", "first compile", "bundle"],
      [
        [
          thousands(compile.copies),
          thousands(compile.policies),
          thousands(compile.files),
          duration(compile.milliseconds),
          duration(compile.firstMilliseconds),
          bytes(compile.bundleBytes),
        ],
      ],
    ),
  ];
}

export function scaleSection({ scale = [] }: BenchResults): string[] {
  const [first] = scale;
  if (first === undefined) return [];
  return [
    "## Many policies",
    table(
      [
        "policies",
        "edict compile",
        "its memory",
        "bundle",
        "start",
        "requests/s",
        "spread",
        "to 800",
        "echo",
        "p99 at half",
        "daemon",
      ],
      scale.map((row) => [
        thousands(row.policies),
        duration(row.compileMilliseconds),
        `${thousands(row.compilePeakMebibytes)} MiB`,
        bytes(row.bundleBytes),
        duration(row.startMilliseconds),
        thousands(row.requestsPerSecond),
        `± ${percent(row.spread)}`,
        percent(row.requestsPerSecond / first.requestsPerSecond),
        thousands(row.echoRequestsPerSecond),
        `${thousands(row.p99)} µs`,
        `${thousands(row.daemonMebibytes)} MiB`,
      ]),
    ),
    "`edict compile` and the start are whole processes, from files; memory is resident, the compiler's at its peak and the daemon's after the load. p99 is of an open loop at half of the requests/s.",
  ];
}

export function changeSection({ edits = [], swap }: BenchResults): string[] {
  const parts: string[] = [];
  if (edits.length > 0) {
    parts.push(
      "## Edits",
      table(
        ["policies watched", "edits", "to serving, median", "worst", "start from YAML"],
        edits.map((row) => [
          thousands(row.policies),
          thousands(row.edits),
          duration(row.median),
          duration(row.worst),
          duration(row.startMilliseconds),
        ]),
      ),
      "From writing one file to the new answer on every one of 8 connections, two serving threads; asked once a millisecond.",
    );
  }
  if (swap !== undefined) {
    parts.push(
      "## Swaps under full load",
      table(
        [
          "policies",
          "requests",
          "requests/s",
          "swaps",
          "failed",
          "mixed",
          "swap takes",
          "steady p99",
          "p99 with swap",
          "worst",
        ],
        [
          [
            thousands(swap.policies),
            thousands(swap.requests),
            thousands(swap.requestsPerSecond),
            thousands(swap.swaps),
            thousands(swap.failed),
            thousands(swap.mixed),
            duration(swap.swapMilliseconds),
            `${thousands(swap.steadyP99)} µs`,
            `${thousands(swap.swapP99)} µs`,
            `${thousands(swap.worstSwapP99)} µs`,
          ],
        ],
      ),
      `Closed loop on ${swap.connections} connections; p99 by second, medians over the seconds without and with a swap. Afterwards ${thousands(swap.memory.swaps)} swaps without load: resident ${swap.memory.early} MiB after a tenth of them, ${swap.memory.late} MiB after all.`,
    );
  }
  return parts;
}

export function memorySection({ memory }: BenchResults): string[] {
  if (memory === undefined) return [];
  return [
    "## Memory",
    table(
      ["decisions in-process", "resident MiB", "heap MiB", "external MiB"],
      memory.samples.map((one) => [
        thousands(one.decisions),
        one.resident.toFixed(1),
        one.heap.toFixed(1),
        one.external.toFixed(1),
      ]),
    ),
    `After garbage collection. ${memory.flat ? "Flat" : "Not flat"}: resident ${memory.resident.toFixed(1)} MiB and heap ${memory.heap.toFixed(1)} MiB above the first line at most.`,
  ];
}

/** How far the machine was at the disposal of the run. */
export function stealSection({ steal = [] }: BenchResults): string[] {
  if (steal.length === 0) return [];
  return [
    "## How steady the machine was",
    table(
      ["part", "rounds", "processor taken away, median round", "worst", "slower, median round", "worst"],
      steal.map(({ part, rounds, median, worst, medianSlowness, worstSlowness }) => [
        part,
        String(rounds),
        percent(median),
        percent(worst),
        medianSlowness === undefined ? "not measured" : percent(medianSlowness),
        worstSlowness === undefined ? "not measured" : percent(worstSlowness),
      ]),
    ),
    "What the host of a virtual machine gave to others, of the processor time that was wanted, and by how much a fixed piece of work was slower than at the machine's best in this run. A round that lost much was measured again after a rest, within `--patience`.",
  ];
}

/** Which run each part is of, where a run has kept parts of earlier ones. */
export function runsSection({ runs = [] }: BenchResults): string[] {
  if (runs.length === 0) return [];
  return [
    "## When each part was measured",
    table(
      ["part", "run", "commit"],
      runs.map(({ part, date, commit, quick }) => [part, `${date}${quick ? ", quick (noisy)" : ""}`, commit]),
    ),
    "Parts are measured again by themselves (`--only`, `--keep`); every run is a file of bench/results. The compile is of the latest.",
  ];
}

export function microSection({ micro = [] }: BenchResults): string[] {
  if (micro.length === 0) return [];
  const stages = [
    ["decode", "20 attributes that no policy reads", "a value"],
    ["decide", "10 conditions of one family, one function call or a few in each", "a condition"],
    ["respond", "50 actions instead of one", "an action"],
  ] as const;
  return [
    "## Single costs",
    ...stages.map(([stage, what, item]) =>
      table(
        [`${stage}: ${what}`, "encoding", "whole call", item],
        micro
          .filter((row) => row.stage === stage)
          .map((row) => [
            row.name,
            row.encoding,
            `${thousands(row.nanosecondsPerCall)} ns`,
            row.nanosecondsPerItem === 0 ? "" : `${thousands(row.nanosecondsPerItem)} ns`,
          ]),
      ),
    ),
    "Whole calls of the engine, bytes to bytes; the last column is what one more costs beyond the call without them.",
  ];
}

export function peersSection({ peers = [], cerbosGrpc, http }: BenchResults): string[] {
  if (peers.length === 0 && cerbosGrpc === undefined) return [];
  const parts = ["## Other engines"];
  for (const set of peers) {
    const edict = set.rows.find(({ name }) => name === "edict")?.decisionsPerSecond ?? 0;
    parts.push(
      table(
        [
          `in-process, ${thousands(set.copies * 8)} policies`,
          "version",
          "per request",
          "decisions/s",
          "spread",
          "edict is",
        ],
        set.rows.map((row) => [
          row.name,
          row.version,
          `${row.microsecondsPerRequest < 100 ? row.microsecondsPerRequest.toFixed(1) : thousands(row.microsecondsPerRequest)} µs`,
          thousands(row.decisionsPerSecond),
          `± ${percent(row.spread)}`,
          row.name === "edict" ? "" : times(edict / row.decisionsPerSecond),
        ]),
      ),
      ...set.notes.map((note) => `Note: ${note}`),
    );
  }
  if (peers.length > 0) {
    parts.push(
      "The load-test requests, JSON bytes in and JSON bytes out, one thread, policies written by hand for each engine (bench/peers) and compared with edict's decisions first. cedar-wasm and casbin try every policy for every question, hence the small set as well; CASL builds an ability for the principal of each request from the rules of the kinds asked about.",
    );
  }
  if (cerbosGrpc !== undefined) {
    const edict = http?.targets.find(({ server, encoding }) => server === "edict" && encoding === "json");
    const ratio =
      edict === undefined
        ? ""
        : `; edict over HTTP is ${times(edict.requestsPerSecond / cerbosGrpc.requestsPerSecond)}`;
    parts.push(
      `Cerbos over gRPC, ${cerbosGrpc.inFlight} requests in flight, ${thousands(cerbosGrpc.requestBytes)} B each: ${thousands(cerbosGrpc.requestsPerSecond)} requests/s (± ${percent(cerbosGrpc.spread)}), p50 ${thousands(cerbosGrpc.p50)} µs, p99 ${thousands(cerbosGrpc.p99)} µs${ratio}. ${cerbosGrpc.comparedAnswers} answers were compared with edict's.`,
    );
  }
  return parts;
}
