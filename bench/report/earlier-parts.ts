/** Results of some parts, completed by an earlier run: measuring a part again does not cost the time of all. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";

import type { PartName } from "../options.ts";
import type { BenchResults, PartResults } from "./results.ts";

/** What each part fills in; the compile is measured in every run. */
const FIELDS: Readonly<Record<PartName, readonly (keyof PartResults)[]>> = {
  compile: ["compile"],
  micro: ["micro"],
  "in-process": ["inProcess"],
  http: ["http"],
  latency: ["latency", "soak"],
  stream: ["stream"],
  authzen: ["authzen"],
  scale: ["scale"],
  edit: ["edits"],
  swap: ["swap"],
  huge: ["huge"],
  memory: ["memory"],
  peers: ["peers", "cerbosGrpc"],
};

/** The results of a run, from a file of bench/results. Throws when it cannot be read or holds something else. */
export function readResults(file: string): BenchResults {
  const results: Partial<BenchResults> = JSON.parse(readFileSync(file, "utf8"));
  const { date, machine, failed, notes } = results;
  if (date === undefined || machine === undefined || failed === undefined || notes === undefined)
    throw new Error(`${file} does not hold the results of a run`);
  return results as BenchResults;
}

/** Whether a note says that the other engines were left out, which counts for the run that their part is of. */
function isOfPeers(note: string): boolean {
  return note.includes("--peers");
}

/**
 * `measured`, whose parts are `only`, with the other parts of `earlier`, which was read from `file`; a note says so. A part that failed
 * this time is missing, whatever it came to earlier.
 */
export function withEarlierParts(
  measured: BenchResults,
  only: readonly string[],
  earlier: BenchResults,
  file: string,
): BenchResults {
  const isKept = ({ part }: { readonly part: string }): boolean => !only.includes(part);
  const kept = { ...earlier };
  for (const [part, fields] of Object.entries(FIELDS))
    if (!isKept({ part })) for (const field of fields) delete kept[field];
  const source = `${earlier.quick ? "quick " : ""}run of ${earlier.date}, commit ${earlier.machine.commit} (${basename(file)})`;
  return {
    ...kept,
    ...measured,
    failed: [...earlier.failed.filter(isKept), ...measured.failed],
    notes: [
      `measured in this run: compile, ${only.join(", ")}; everything else is of the ${source}`,
      ...measured.notes.filter((note) => !isOfPeers(note)),
      ...earlier.notes.filter((note) => isOfPeers(note) || !measured.notes.includes(note)),
    ],
    steal: [...(earlier.steal ?? []).filter(isKept), ...(measured.steal ?? [])],
  };
}
