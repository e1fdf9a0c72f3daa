/**
 * How many instructions the guest takes, by function: `npx tsx bench/micro/instructions.ts [--load single|batch|together|evaluations]
 * [--encoding json|msgpack] [--steps <n>] [--unit <function>]`, on Linux x64 with a C compiler, after `npm ci`. Counts do not move with the machine as times do
 * and need no processor counters, which virtual machines seldom pass on: a core with names is built from the tree, another process decides with it
 * until V8 has optimised what is hot, and is then single-stepped (single-step.c). What is counted is divided by the calls of `--unit`.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { percent, table, thousands } from "../report/table.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Until nothing hot is left to optimise. */
const WARM_UP_SECONDS = 20;
const MOST_ROWS = 40;

interface Code {
  readonly start: number;
  readonly size: number;
  readonly name: string;
}

interface Share {
  instructions: number;
  /** Executions of its first instruction. */
  calls: number;
}

function runNode(args: readonly string[]): void {
  execFileSync(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
}

/** Builds the release core of the tree with the names of its functions. */
function buildNamedCore(file: string): void {
  const options = ["--target", "release", "--transform", "./scripts/inline-hot-functions.js", "--debug"];
  runNode(["node_modules/assemblyscript/bin/asc.js", ...options, "--outFile", file]);
  runNode(["scripts/expand-core.js", file, "--names"]);
}

/** Code by address. V8 names a function of WebAssembly `JS:<its name>-<index>-<compiler>`. */
function readCodeMap(file: string): readonly Code[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  return lines
    .map((line): Code => {
      const [start = "", size = "", ...rest] = line.split(" ");
      return {
        start: Number.parseInt(start, 16),
        size: Number.parseInt(size, 16),
        name: rest
          .join(" ")
          .replace(/^JS:/, "")
          .replace(/-\d+-turbofan$/, ""),
      };
    })
    .toSorted((one, other) => one.start - other.start);
}

/** The code that `address` lies in. */
function codeAt(map: readonly Code[], address: number): Code | undefined {
  return map.findLast(({ start, size }) => start <= address && address < start + size);
}

function sharesOf(counts: string, map: readonly Code[]): ReadonlyMap<string, Share> {
  const shares = new Map<string, Share>();
  for (const line of counts.trim().split("\n")) {
    const [hex = "", decimal = ""] = line.split(" ");
    const address = Number.parseInt(hex, 16);
    const code = codeAt(map, address);
    const name = code?.name ?? "outside: kernel entries, libc, Node";
    const share = shares.get(name) ?? { instructions: 0, calls: 0 };
    share.instructions += Number(decimal);
    if (code?.start === address) share.calls += Number(decimal);
    shares.set(name, share);
  }
  return shares;
}

const { values } = parseArgs({
  options: {
    load: { type: "string", default: "together" },
    encoding: { type: "string", default: "msgpack" },
    steps: { type: "string", default: "1000000" },
    unit: { type: "string", default: "decideRequest" },
  },
});
const folder = mkdtempSync(path.join(tmpdir(), "edict-instructions-"));
try {
  const [core, stepper] = [path.join(folder, "core.wasm"), path.join(folder, "single-step")];
  execFileSync("cc", ["-O2", "-o", stepper, fileURLToPath(new URL("single-step.c", import.meta.url))]);
  process.stderr.write("building a core with names\n");
  buildNamedCore(core);
  const args = ["--import", "tsx", "--perf-basic-prof", "--no-write-protect-code-memory"];
  const load = ["--load", values.load, "--encoding", values.encoding, "--seconds", "600"];
  const decider = spawn(process.execPath, [...args, "bench/micro/cores.ts", core, ...load], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const codeMap = `/tmp/perf-${decider.pid}.map`;
  try {
    process.stderr.write(`compiling policies, deciding for ${WARM_UP_SECONDS} seconds, then counting\n`);
    // It says when the policies are compiled.
    const ended = once(decider, "exit").then(() =>
      Promise.reject(new Error("the process that decides ended")),
    );
    await Promise.race([once(decider.stdout, "data"), ended]);
    await sleep(WARM_UP_SECONDS * 1000);
    const counts = execFileSync(stepper, [String(decider.pid), values.steps], { maxBuffer: 2 ** 28 });
    const shares = sharesOf(counts.toString(), readCodeMap(codeMap));
    report(shares, values.unit);
  } finally {
    decider.kill("SIGKILL");
    rmSync(codeMap, { force: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function report(shares: ReadonlyMap<string, Share>, unit: string): void {
  const total = [...shares.values()].reduce((sum, { instructions }) => sum + instructions, 0);
  const units = [...shares].find(([name]) => name.endsWith(unit))?.[1].calls ?? 0;
  const rows = [...shares]
    .sort(([, one], [, other]) => other.instructions - one.instructions)
    .slice(0, MOST_ROWS)
    .map(([name, { instructions, calls }]) => [
      name,
      percent(instructions / total),
      units === 0 ? "" : thousands(instructions / units),
      calls === 0 ? "" : (calls / units).toFixed(2),
      calls === 0 ? "" : thousands(instructions / calls),
    ]);
  console.log(table(["function", "share", `per ${unit}`, `calls per ${unit}`, "per call"], rows));
  if (units === 0)
    throw new Error(
      `${unit} was not called: it may have been expanded where it is used; name another one with --unit`,
    );
  console.log(`\n${thousands(total / units)} instructions per ${unit} (${units} counted)`);
}
