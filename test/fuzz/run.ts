/**
 * `npm run fuzz -- --help`: mutated requests against edict, held against a second opinion; README.md says what is checked and what was
 * found. Exit code 1 when something was found, or memory grew, 2 for wrong options.
 */
import { fuzzEngines } from "./engine-run.ts";
import { Findings } from "./findings.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { DaemonUnderTest } from "./daemon-under-test.ts";
import { fuzzHttp } from "./http-run.ts";
import { type FuzzRun, parseRun, USAGE } from "./options.ts";
import { fuzzStream } from "./stream-run.ts";
import { allWorlds, servedWorlds } from "./worlds.ts";

// Every refusal is an error, whose stack costs more than all the rest.
Error.stackTraceLimit = 0;

async function runEngines({ requests, seed, every, everyAllow }: FuzzRun, findings: Findings): Promise<void> {
  const memory = new MemoryWatch(requests);
  const worlds = await allWorlds(seed);
  console.log(worlds.map(({ name }) => name).join("\n"));
  const progress = (done: number): void => memory.note(done);
  const counts = await fuzzEngines(worlds, { requests, seed, every, everyAllow, progress }, findings);
  print(counts);
  for (const problem of memory.problems()) findings.add("memory", problem, null);
}

/** Growth of a daemon, in KiB, that its guest and its caches may account for. */
const RESIDENT_SLACK = 220 * 1024;

/** A third of the requests for each world, from a daemon of its own. */
async function runDaemons(
  transport: "http" | "stream",
  { requests, seed, every, everyAllow }: FuzzRun,
  findings: Findings,
): Promise<void> {
  const worlds = await servedWorlds(seed);
  for (const world of worlds) {
    const target = await DaemonUnderTest.start(world);
    await target.look(findings);
    const options = { requests: Math.ceil(requests / worlds.length), seed, every, everyAllow };
    const counts = await (transport === "http" ? fuzzHttp : fuzzStream)(target, options, findings);
    console.log(`${transport}, ${world.name}`);
    print(counts);
    const { resident } = target;
    const samples = resident.filter((_, index) => index % Math.ceil(resident.length / 10) === 0);
    console.log(`resident MiB: ${samples.map((kib) => Math.round(kib / 1024)).join(" ")}`);
    const [first = 0] = resident;
    if (Math.max(...resident) > first + RESIDENT_SLACK)
      findings.add("memory", `of the daemon: ${samples.join(" ")} KiB`, null);
    await target.stop(findings);
  }
}

function print(counts: { readonly statuses: ReadonlyMap<number, number> }): void {
  console.log({ ...counts, statuses: Object.fromEntries([...counts.statuses].sort(([a], [b]) => a - b)) });
}

async function main(): Promise<number> {
  const run = parseRun(process.argv.slice(2));
  if (run === "help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if ("wrong" in run) {
    process.stderr.write(`${run.wrong}\n\n${USAGE}`);
    return 2;
  }
  const { transport, seed, requests } = run;
  const findings = new Findings(run.findings);
  console.log(`--seed ${seed} --requests ${requests} --transport ${transport}`);
  const begun = performance.now();
  if (transport === "engine" || transport === "all") await runEngines(run, findings);
  if (transport === "http" || transport === "all") await runDaemons("http", run, findings);
  if (transport === "stream" || transport === "all") await runDaemons("stream", run, findings);
  const seconds = (performance.now() - begun) / 1000;
  console.log(`${seconds.toFixed(0)} s, ${findings.total} findings`);
  for (const line of findings.summary()) console.log(line);
  return findings.total === 0 ? 0 : 1;
}

process.exitCode = await main();
