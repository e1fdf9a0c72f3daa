/** A run's results as Markdown, for the terminal and for bench/RESULTS.md: the order of the sections. */
import { readFileSync } from "node:fs";

import { authzenSection } from "./authzen-section.ts";
import { budgetRows, budgetTable } from "./budgets.ts";
import { chartsOf } from "./charts.ts";
import {
  httpSection,
  hugeSection,
  inProcessSection,
  latencySection,
  streamSection,
} from "./data-plane-sections.ts";
import {
  changeSection,
  compileSection,
  memorySection,
  microSection,
  peersSection,
  runsSection,
  scaleSection,
  stealSection,
} from "./policy-sections.ts";
import type { BenchResults } from "./results.ts";

function head({ date, machine, quick, minutes, failed, notes }: BenchResults): string[] {
  return [
    "# Results",
    [
      `${date}, commit ${machine.commit === "" ? "unknown" : machine.commit}${quick ? ", quick run (noisy)" : ""}, ${minutes.toFixed(1)} minutes.`,
      `${machine.processor}, ${machine.cores} cores, ${machine.memoryGibibytes} GiB, ${machine.system}, Node ${machine.node}; load average at the start ${machine.loadAverage.toFixed(1)}.`,
      "Written by `npm run bench`; how each figure is taken is in [README.md](README.md). Absolute numbers hold for this machine only, ratios travel.",
    ].join("\n"),
    ...failed.map(({ part, message }) => `**The part \`${part}\` failed:** ${message.slice(0, 500)}`),
    ...notes.map((note) => `Note: ${note}`),
  ];
}

/** What limits the rows that are not met, in the words of bench/profile.md. */
function profileSection(results: BenchResults): string[] {
  if (budgetRows(results).every(({ met }) => met !== false)) return [];
  const profile = readFileSync(new URL("../profile.md", import.meta.url), "utf8");
  return [profile.replace(/^# /, "## ").trim()];
}

/** The whole report; `charts` is the folder that it refers to for them, relative to where it stands, or undefined for none. */
export function renderMarkdown(results: BenchResults, charts?: string): string {
  const images =
    charts === undefined ? [] : chartsOf(results).map(({ name, title }) => `![${title}](${charts}/${name})`);
  return `${[
    ...head(results),
    "## Budgets",
    budgetTable(results),
    ...images,
    ...httpSection(results),
    ...latencySection(results),
    ...streamSection(results),
    ...authzenSection(results),
    ...inProcessSection(results),
    ...peersSection(results),
    ...scaleSection(results),
    ...compileSection(results),
    ...changeSection(results),
    ...hugeSection(results),
    ...memorySection(results),
    ...microSection(results),
    ...profileSection(results),
    ...runsSection(results),
    ...stealSection(results),
  ].join("\n\n")}\n`;
}
