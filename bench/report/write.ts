/** Writes a run's results below bench/: one JSON file per run, and RESULTS.md and charts/ for the latest. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { chartsOf } from "./charts.ts";
import { renderMarkdown } from "./markdown.ts";
import type { BenchResults } from "./results.ts";

const BENCH = new URL("../", import.meta.url);

/** Returns the files written. */
export function writeResults(results: BenchResults): string[] {
  const name = results.date.slice(0, 19).replaceAll(":", "-");
  const json = fileURLToPath(new URL(`results/${name}.json`, BENCH));
  const markdown = fileURLToPath(new URL("RESULTS.md", BENCH));
  const charts = new URL("charts/", BENCH);
  mkdirSync(new URL("results/", BENCH), { recursive: true });
  rmSync(charts, { recursive: true, force: true });
  mkdirSync(charts, { recursive: true });
  writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(markdown, renderMarkdown(results, "charts"));
  const drawings = chartsOf(results).map((chart) => {
    const file = fileURLToPath(new URL(chart.name, charts));
    writeFileSync(file, chart.svg);
    return file;
  });
  return [json, markdown, ...drawings];
}
