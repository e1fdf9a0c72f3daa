/** Sections of the report about asking: in-process, over HTTP, latency, the stream, and large requests beside small ones. */
import type { LatencyResult, SoakTurn } from "../load/latency.ts";
import { UNDECIDED } from "../load/server-names.ts";
import type { SideBySideFigures } from "../load/side-by-side.ts";
import type { ThroughputLoad } from "../load/throughput.ts";
import { LEAST_OF_ECHO } from "./budgets.ts";
import type { BenchResults } from "./results.ts";
import { requestsPerSecond } from "./results.ts";
import { duration, percent, table, thousands, times } from "./table.ts";

export function inProcessSection({ inProcess = [] }: BenchResults): string[] {
  if (inProcess.length === 0) return [];
  return [
    "## Decisions in-process",
    table(
      [
        "in-process, one thread",
        "decisions per call",
        "body",
        "per call",
        "decisions/s",
        "spread",
        "best round",
      ],
      inProcess.map((row) => [
        row.encoding,
        row.decisionsPerCall < 100 ? row.decisionsPerCall.toFixed(1) : thousands(row.decisionsPerCall),
        `${thousands(row.bodyBytes)} B`,
        `${row.microsecondsPerCall.toFixed(2)} µs`,
        thousands(row.decisionsPerSecond),
        `± ${percent(row.spread)}`,
        row.bestDecisionsPerSecond === undefined ? "" : thousands(row.bestDecisionsPerSecond),
      ]),
    ),
  ];
}

/** What the guest takes and what the budgets leave it, by the daemon without its guest: all as shares of an echo's time, from medians of rounds. */
function limitLine({ connections, targets }: ThroughputLoad): string[] {
  const timeOf = (server: string, encoding: string): number =>
    1 / (targets.find((one) => one.server === server && one.encoding === encoding)?.ofEcho ?? Number.NaN);
  const parts = (["json", "msgpack"] as const).flatMap((encoding) => {
    const undecided = timeOf(UNDECIDED, encoding);
    if (Number.isNaN(undecided)) return [];
    const guest = percent(timeOf("edict", encoding) - undecided);
    const left = percent(Math.max(0, 1 / LEAST_OF_ECHO[encoding] - undecided));
    return [`${guest} in ${encoding} (the budget of ${percent(LEAST_OF_ECHO[encoding])} leaves ${left})`];
  });
  return parts.length === 0
    ? []
    : [`On ${connections} connections, of the time of an echo the guest takes ${parts.join(", ")}.`];
}

/** Head of the column that `processorCell` fills. */
export const PROCESSOR_HEAD = "processor per request (of echo's)";

/** What a request takes of the processor in the server's process, and what that is to the echo; "" in results that do not have it. */
export function processorCell({
  processorPerRequest = 0,
  processorOfEcho,
}: Partial<SideBySideFigures>): string {
  return processorPerRequest === 0 || processorOfEcho === undefined
    ? ""
    : `${processorPerRequest.toFixed(1)} µs (${percent(processorOfEcho)})`;
}

function httpRows(load: ThroughputLoad, decisionsPerRequest: number): string[][] {
  return load.targets.map((target) => {
    const echo = requestsPerSecond(load, "echo", target.encoding);
    const cerbos = requestsPerSecond(load, "cerbos", "json");
    return [
      target.server,
      target.encoding,
      String(load.connections),
      thousands(target.requestsPerSecond),
      `± ${percent(target.spread)}`,
      target.server === "echo" ? "" : thousands(target.requestsPerSecond * decisionsPerRequest),
      echo === undefined ? "" : percent(target.ofEcho ?? target.requestsPerSecond / echo),
      cerbos === undefined || target.server === "echo" ? "" : times(target.requestsPerSecond / cerbos),
      processorCell(target),
      `${thousands(target.p50)} µs`,
      `${thousands(target.p99)} µs`,
    ];
  });
}

export function httpSection({ http }: BenchResults): string[] {
  if (http === undefined) return [];
  const loads = http.many === undefined ? [http] : [http, http.many];
  const limits = loads.flatMap(limitLine);
  const peers = http.comparedWithCerbos
    ? "edict (JSON and msgpack) and Cerbos"
    : "edict in JSON and in msgpack";
  const generators = Object.entries(http.generatorEchoRates).map(
    ([name, reached]) => `${name} ${thousands(reached)}`,
  );
  const starts = Object.keys(http.startMilliseconds).map(
    (server) =>
      `${server} ${duration(http.startMilliseconds[server] ?? 0)}, ${http.residentMebibytes[server] ?? 0} MiB`,
  );
  return [
    "## Requests over HTTP",
    table(
      [
        "over HTTP",
        "encoding",
        "connections",
        "requests/s",
        "spread",
        "decisions/s",
        "of echo",
        "to Cerbos",
        PROCESSOR_HEAD,
        "p50",
        "p99",
      ],
      loads.flatMap((load) => httpRows(load, http.decisionsPerRequest)),
    ),
    [
      `Before the load, ${peers} gave equal answers to ${thousands(http.comparedAnswers)} of the ${thousands(http.bodies)} bodies.`,
      `${thousands(http.copies)} copies of the load-test set, ${http.decisionsPerRequest.toFixed(1)} decisions per request, one request in flight on each connection, load from ${http.generator}`,
      `(requests/s out of the echo server: ${generators.join(", ")}). No server writes a decision log.`,
      `Start to first healthy answer, and resident memory after the load: ${starts.join("; ")}.`,
      ...(limits.length === 0
        ? []
        : [
            `"${UNDECIDED}" is the daemon with a guest that takes no time (bench/load/undecided-server.ts): its share of the echo is the most that deciding faster can bring.`,
          ]),
      ...limits,
    ].join("\n"),
    ...http.notes.map((note) => `Note: ${note}`),
  ];
}

function latencyTable(latency: LatencyResult): string {
  return table(
    [
      "open loop",
      "of capacity",
      "requests/s wanted",
      "reached",
      "p50",
      "p90",
      "p99",
      "p99.9",
      "max",
      "late",
      "failed",
    ],
    latency.rows.map((row) => [
      row.server,
      percent(row.load),
      thousands(row.intendedRate),
      thousands(row.rate),
      thousands(row.latency.p50),
      thousands(row.latency.p90),
      thousands(row.latency.p99),
      thousands(row.latency.p999),
      thousands(row.latency.max),
      thousands(row.lagP99),
      thousands(row.failed),
    ]),
  );
}

export function latencySection(results: BenchResults): string[] {
  const { latency, soak } = results;
  const parts: string[] = [];
  if (latency !== undefined) {
    parts.push(
      "## Latency at fixed rates",
      latencyTable(latency),
      `Microseconds, counted from the moment a request was due. "late" is the 99th percentile of how late the generator itself sent (part of the latencies). Capacity is ${thousands(latency.capacity)} requests/s, what the daemon answers the same generator in a closed loop; ${latency.connections} connections, JSON, ${latency.rounds} rounds of ${latency.seconds} s, medians (max: of all).`,
    );
  }
  if (soak !== undefined) {
    const minutes = Math.round((soak.seconds * soak.rounds) / 60);
    parts.push(`## Soak: ${minutes} minutes at half load`, latencyTable(soak));
    if (soak.turns !== undefined) parts.push(outliers(soak.turns, soak.seconds));
  }
  return parts;
}

/** What the issue about the data plane calls an outlier, in microseconds. */
const OUTLIER = 20_000;
/** In how many turns of a soak each server had a p99.9 that is an outlier, and in how many seconds that the host left alone any latency that is. */
function outliers(turns: readonly SoakTurn[], seconds: number): string {
  const servers = [...new Set(turns.map(({ server }) => server))];
  const count = (server: string, latencies: readonly number[]): string =>
    `${server} in ${latencies.filter((latency) => latency > OUTLIER).length} of ${latencies.length} (the largest ${thousands(Math.max(0, ...latencies))} µs)`;
  const ofServer = (server: string): readonly SoakTurn[] => turns.filter((turn) => turn.server === server);
  const all = servers.map((server) =>
    count(
      server,
      ofServer(server).map(({ p999 }) => p999),
    ),
  );
  const calm = servers.map((server) =>
    count(
      server,
      ofServer(server).flatMap(({ calmMaxima }) => calmMaxima),
    ),
  );
  return [
    `The servers took turns of ${seconds} s; p50 to p99.9 are medians of those, max is of all.`,
    `Turns with a p99.9 above ${OUTLIER / 1000} ms: ${all.join(", ")}.`,
    `Seconds with any latency above ${OUTLIER / 1000} ms, of those in and before which the host took nothing of the processor away: ${calm.join(", ")}.`,
  ].join("\n");
}

export function streamSection({ stream }: BenchResults): string[] {
  if (stream === undefined) return [];
  return [
    "## The stream",
    table(
      [
        "over WebSocket",
        "requests in a message",
        "requests/s",
        "decisions/s",
        "spread",
        "best 0.2 s",
        "generator busy",
      ],
      stream.rows.map((row) => [
        row.server,
        `${row.framesPerMessage ?? 16}`,
        thousands(row.requestsPerSecond),
        row.server === "echo" ? "" : thousands(row.decisionsPerSecond),
        `± ${percent(row.spread)}`,
        row.bestRequestsPerSecond === undefined ? "" : `${thousands(row.bestRequestsPerSecond)} requests/s`,
        percent(row.generatorBusy),
      ]),
    ),
    `${stream.connections} connections with ${stream.inFlight} requests of ${stream.decisionsPerRequest} decisions in flight each, msgpack of ${thousands(stream.requestBytes)} B on average, one serving thread; the echo sends every message back. ${stream.verified} answers were compared with the engine's own.`,
  ];
}

export function hugeSection({ huge }: BenchResults): string[] {
  if (huge === undefined) return [];
  return [
    "## Large requests beside small ones",
    table(
      ["small requests", "requests/s", "p50", "p99", "p99.9", "max", "failed", "large/s", "ms each"],
      huge.results.map((row) => [
        row.name,
        thousands(row.rate),
        thousands(row.p50),
        thousands(row.p99),
        thousands(row.p999),
        thousands(row.max),
        thousands(row.failed),
        row.hugePerSecond === 0 ? "" : row.hugePerSecond.toFixed(1),
        row.hugePerSecond === 0 ? "" : row.hugeMilliseconds.toFixed(1),
      ]),
    ),
    `Latencies of the small requests in microseconds, open loop. Large requests have ${thousands(huge.pairs)} pairs, ${thousands(huge.hugeBytes / 1024)} KiB of JSON.`,
  ];
}
