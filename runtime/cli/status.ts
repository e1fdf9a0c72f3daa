/** `edict status`: what a running daemon serves, and how it is. */
import { askAdmin } from "../admin/admin-client.ts";
import type { DaemonStatus } from "../admin/status.ts";
import { ADMIN_OPTIONS, adminTarget, refused } from "./admin-options.ts";
import { type Command, EXIT_OK } from "./command.ts";

export const statusCommand: Command = {
  name: "status",
  summary: "show what a daemon serves and how it is",
  usage: "--admin <address>",
  options: ADMIN_OPTIONS,
  examples: [
    "edict status --admin unix:/run/edict-admin.sock",
    "edict status --admin 127.0.0.1:3593 --token-file admin.token --json",
  ],
  positionals: [0, 0],
  async run(given, io) {
    const answer = await askAdmin(adminTarget(given, io, "status"), "/v1/status");
    if (!answer.ok) return refused(answer, given, io);
    io.stdout(
      given.flag("json")
        ? `${JSON.stringify(answer.value, null, 2)}\n`
        : `${statusLines(answer.value as DaemonStatus).join("\n")}\n`,
    );
    return EXIT_OK;
  },
};

/** For people; one fact per line, what is not there left out. */
export function statusLines(status: DaemonStatus): string[] {
  const { version, previous, hold, lastFailure, source, threads, shadow, counters, edict } = status;
  return [
    row("status", status.status === "SERVING" ? "serving" : "stopping"),
    row("bundle", version.digest),
    row("sequence", String(version.sequence ?? "none")),
    row("signed by", version.signer ?? "not asked for"),
    row("git commit", version.gitCommit ?? "not known"),
    row("since", version.since),
    ...(source === null ? [] : [row("source", source.name)]),
    ...(source?.stale == null ? [] : [row("stale", source.stale)]),
    ...(hold === null
      ? []
      : [row("hold", `${hold.reason} at ${hold.since}; set aside: ${shortOf(hold.setAside)}`)]),
    ...(lastFailure === null
      ? []
      : [row("last failure", `${lastFailure.at} ${lastFailure.code}: ${lastFailure.message}`)]),
    ...previous.map(({ digest, sequence, at }, index) =>
      row(
        index === 0 ? "previous" : "",
        `${digest.slice(0, 12)} sequence ${sequence ?? "none"}, served ${at}`,
      ),
    ),
    row("threads", String(threads.serving)),
    ...threads.degraded.map((reason) => row("degraded", reason)),
    ...(shadow === null
      ? []
      : [
          row("shadow", `${shadow.digest?.slice(0, 12) ?? "no candidate"} from ${shadow.source}`),
          ...(shadow.problem === null ? [] : [row("", shadow.problem)]),
          row(
            "",
            `${shadow.decisions.changed} of ${shadow.decisions.compared} decisions change, in ${shadow.requests.compared} requests (${shadow.requests.dropped} dropped)`,
          ),
        ]),
    row(
      "requests",
      `${counters.requests} (${counters.refused} refused, ${counters.failClosed} denied unevaluated, ${counters.shed} shed)`,
    ),
    row("decisions", `${counters.decisions}, ${counters.allowed} of them ALLOW`),
    row("errors", `${counters.conditionErrors} in conditions, ${counters.traps} traps`),
    row("swaps", `${counters.swaps}, ${counters.failedSwaps} failed`),
    row(
      "edict",
      `${edict.version} (commit ${edict.commit}, node ${edict.node}, pid ${edict.pid}, up ${edict.uptimeSeconds} s)`,
    ),
  ];
}

function row(name: string, value: string): string {
  return `${name.padEnd(13)}${value}`;
}

function shortOf(digests: readonly string[]): string {
  return digests.map((digest) => digest.slice(0, 12)).join(", ");
}
