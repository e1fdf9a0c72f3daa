/**
 * `npm run bench`: compile time, decisions in-process, requests over HTTP, in one run. This file is the order of
 * things; how each figure is taken is in the files it calls and in bench/README.md.
 */
import { hasCorpus, loadtestDirectory } from "./load/loadtest-set.ts";
import { measureThroughput } from "./load/throughput.ts";
import { measureCompile, type CompileResult } from "./micro/compile-time.ts";
import { measureDecisions } from "./micro/decisions.ts";
import { parseOptions, USAGE, type BenchOptions } from "./options.ts";
import { describeMachine } from "./report/machine.ts";
import { renderMarkdown } from "./report/markdown.ts";
import type { BenchResults } from "./report/results.ts";
import { writeResults } from "./report/write.ts";

/** Progress and complaints go to stderr, so that stdout is the report. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function compileAll(options: BenchOptions): Promise<{ results: CompileResult[]; bundle: Uint8Array }> {
  const results: CompileResult[] = [];
  const bundles = new Map<number, Uint8Array>();
  for (const copies of new Set([...options.compileCopies, options.copies])) {
    say(`compiling ${copies} copies of the load-test set`);
    const measurement = await measureCompile(copies, Math.min(options.rounds, copies > 1000 ? 0 : 3));
    results.push(measurement.result);
    bundles.set(copies, measurement.bundle);
  }
  const bundle = bundles.get(options.copies);
  if (bundle === undefined) throw new Error("the served set was not compiled");
  return { results, bundle };
}

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2));
  if (parsed.kind === "help") {
    console.log(USAGE);
    return 0;
  }
  if (parsed.kind === "wrong") {
    say(`${parsed.message}\n\n${USAGE}`);
    return 2;
  }
  if (!hasCorpus()) {
    say(`the load-test set is not at ${loadtestDirectory()}; point EDICT_CORPUS at the corpus`);
    return 2;
  }
  const { options } = parsed;
  const date = new Date().toISOString();
  const { results: compile, bundle } = await compileAll(options);
  say("deciding in-process");
  const inProcess = await measureDecisions(bundle, options);
  say("asking over HTTP: echo, edict, Cerbos");
  const http = await measureThroughput(bundle, options);
  const results: BenchResults = {
    date,
    quick: options.quick,
    machine: describeMachine(),
    compile,
    inProcess,
    http,
  };
  console.log(options.json ? JSON.stringify(results, undefined, 2) : renderMarkdown(results));
  if (options.write) say(`written: ${writeResults(results).join(", ")}`);
  return 0;
}

process.exitCode = await main();
