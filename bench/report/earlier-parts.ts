/** Results of some parts, completed by an earlier run: measuring a part again does not cost the time of all. */
import { readFileSync } from "node:fs";

import { PARTS, type PartName } from "../options.ts";
import type { BenchResults, PartResults, PartRun } from "./results.ts";

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

/** Which run each part of some results is of; parts that they do not hold are missing. */
function runsOf(results: BenchResults): readonly PartRun[] {
  const { date, machine, quick } = results;
  const held = PARTS.filter((part) => FIELDS[part].some((field) => results[field] !== undefined));
  return results.runs ?? held.map((part) => ({ part, date, commit: machine.commit, quick }));
}

/**
 * `measured`, whose parts are `only`, with the other parts of `earlier`, and of which run each is. A part that failed this time is
 * missing, whatever it came to earlier.
 */
export function withEarlierParts(
  measured: BenchResults,
  only: readonly string[],
  earlier: BenchResults,
): BenchResults {
  const isKept = ({ part }: { readonly part: string }): boolean => part !== "compile" && !only.includes(part);
  const kept = { ...earlier };
  for (const part of PARTS) if (!isKept({ part })) for (const field of FIELDS[part]) delete kept[field];
  const runs = [...runsOf(measured), ...runsOf(earlier).filter(isKept)];
  return {
    ...kept,
    ...measured,
    failed: [...earlier.failed.filter(isKept), ...measured.failed],
    notes: [
      ...measured.notes.filter((note) => !isOfPeers(note)),
      ...earlier.notes.filter((note) => isOfPeers(note) || !measured.notes.includes(note)),
    ],
    runs: runs.toSorted((one, other) => PARTS.indexOf(one.part) - PARTS.indexOf(other.part)),
    steal: [...(earlier.steal ?? []).filter(isKept), ...(measured.steal ?? [])],
  };
}
