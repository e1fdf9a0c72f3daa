/** The report about AuthZEN: evaluations over HTTP beside the echo, batches in-process, pages of a search. */
import { PROCESSOR_HEAD, processorCell } from "./data-plane-sections.ts";
import type { BenchResults } from "./results.ts";
import { percent, table, thousands } from "./table.ts";

export function authzenSection({ authzen }: BenchResults): string[] {
  if (authzen === undefined) return [];
  const { rates, batches, search, bodyBytes } = authzen;
  const echoOf = (encoding: string): number =>
    rates.find((one) => one.server === "echo" && one.encoding === encoding)?.requestsPerSecond ?? Number.NaN;
  return [
    "## AuthZEN",
    table(
      ["`/access/v1/evaluation`", "encoding", "requests/s", "spread", "of echo", PROCESSOR_HEAD],
      rates.map((row) => [
        row.server,
        row.encoding,
        thousands(row.requestsPerSecond),
        `± ${percent(row.spread)}`,
        percent(row.ofEcho ?? row.requestsPerSecond / echoOf(row.encoding)),
        processorCell(row),
      ]),
    ),
    table(
      ["1,000 evaluations in one body, in-process", "encoding", "body", "decisions/s", "spread"],
      batches.map((row) => [
        row.about,
        row.encoding,
        `${thousands(row.bodyBytes)} B`,
        thousands(row.decisionsPerSecond),
        `± ${percent(row.spread)}`,
      ]),
    ),
    [
      `Bodies of ${thousands(bodyBytes)} B on average, one decision each. Before the load, both APIs gave the same decisions.`,
      `Search over ${thousands(search.resources)} resources, condition on two attributes, pages of 100: first ${search.firstPage.toFixed(2)} ms,`,
      `later ${search.laterPage.toFixed(2)} ms, one that finds nothing ${search.emptyPage.toFixed(1)} ms (${search.perCandidate.toFixed(0)} ns per candidate);`,
      `${search.bytesPerEntity.toFixed(0)} B of memory per entity.`,
    ].join("\n"),
  ];
}
