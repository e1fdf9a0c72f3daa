/** A run's results as Markdown tables, for the terminal and for bench/RESULTS.md. Words and numbers only. */
import type { BenchResults } from "./results.ts";
import { requestsPerSecond } from "./results.ts";
import { bytes, duration, percent, table, thousands, times } from "./table.ts";

function compileTable({ compile }: BenchResults): string {
  return table(
    ["load-test copies", "policies", "with schemas", "compile", "first compile", "bundle"],
    compile.map((row) => [
      thousands(row.copies),
      thousands(row.policies),
      thousands(row.files),
      duration(row.milliseconds),
      duration(row.firstMilliseconds),
      bytes(row.bundleBytes),
    ]),
  );
}

function inProcessTable({ inProcess }: BenchResults): string {
  return table(
    ["in-process, one thread", "decisions per call", "body", "per call", "decisions/s", "spread"],
    inProcess.map((row) => [
      row.encoding,
      row.decisionsPerCall.toFixed(1),
      `${thousands(row.bodyBytes)} B`,
      `${row.microsecondsPerCall.toFixed(2)} µs`,
      thousands(row.decisionsPerSecond),
      `± ${percent(row.spread)}`,
    ]),
  );
}

function httpTable({ http }: BenchResults): string {
  return table(
    ["over HTTP", "encoding", "requests/s", "spread", "decisions/s", "of echo", "to Cerbos", "p50", "p99"],
    http.targets.map((target) => {
      const echo = requestsPerSecond(http, "echo", target.encoding);
      const cerbos = requestsPerSecond(http, "cerbos", "json");
      return [
        target.server,
        target.encoding,
        thousands(target.requestsPerSecond),
        `± ${percent(target.spread)}`,
        target.server === "echo" ? "" : thousands(target.requestsPerSecond * http.decisionsPerRequest),
        echo === undefined ? "" : percent(target.requestsPerSecond / echo),
        cerbos === undefined || target.server === "echo" ? "" : times(target.requestsPerSecond / cerbos),
        `${thousands(target.p50)} µs`,
        `${thousands(target.p99)} µs`,
      ];
    }),
  );
}

function resourceLine({ http }: BenchResults): string {
  const parts = Object.keys(http.startMilliseconds).map(
    (server) =>
      `${server} ${duration(http.startMilliseconds[server] ?? 0)}, ${http.residentMebibytes[server] ?? 0} MiB`,
  );
  return `Start to first healthy answer, and resident memory after the load: ${parts.join("; ")}.`;
}

function answersLine({ http }: BenchResults): string {
  const peers = http.comparedWithCerbos
    ? "edict (JSON and msgpack) and Cerbos"
    : "edict in JSON and in msgpack";
  return `Before the load, ${peers} gave equal answers to ${thousands(http.comparedAnswers)} of the ${thousands(http.bodies)} bodies.`;
}

/** The whole report. */
export function renderMarkdown(results: BenchResults): string {
  const { machine, http } = results;
  const generators = Object.entries(http.generatorEchoRates).map(
    ([name, reached]) => `${name} ${thousands(reached)}`,
  );
  return [
    "# Results",
    "",
    `${results.date}, commit ${machine.commit === "" ? "unknown" : machine.commit}${results.quick ? ", quick run (noisy)" : ""}.`,
    `${machine.processor}, ${machine.cores} cores, ${machine.memoryGibibytes} GiB, ${machine.system}, Node ${machine.node}.`,
    "Written by `npm run bench`; how each figure is taken is in [README.md](README.md). Absolute numbers hold for this machine only, ratios travel.",
    "",
    "## Compile",
    "",
    compileTable(results),
    "",
    "## Decisions in-process",
    "",
    inProcessTable(results),
    "",
    "## Requests over HTTP",
    "",
    httpTable(results),
    "",
    answersLine(results),
    `${thousands(http.copies)} copies of the load-test set, ${http.connections} connections with one request in flight each, load from ${http.generator}`,
    `(requests/s out of the echo server: ${generators.join(", ")}).`,
    resourceLine(results),
    ...http.notes.map((note) => `\nNote: ${note}`),
    "",
  ].join("\n");
}
