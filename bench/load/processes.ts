/** Child processes with an end: every one is bounded in time, and none outlives the benchmark. */
import { spawn, type ChildProcess } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

const children = new Set<ChildProcess>();

/** Servers that ended though nobody told them to. */
const crashed: string[] = [];

/** The crashes since the last call, a line each. */
export function takeCrashes(): readonly string[] {
  return crashed.splice(0);
}

/** Ends every child at once, without asking. */
export function killChildren(): void {
  for (const child of children) child.kill("SIGKILL");
}
process.on("exit", killChildren);
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  process.on(signal, () => process.exit(code));
}

/** A running server: its port, and how to end it. */
export interface ServerProcess {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Milliseconds from start to the first healthy answer. */
  readonly readyMilliseconds: number;
  stop(): Promise<void>;
}

/** How to start one server and see that it is ready. */
export interface ServerPlan {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly port: number;
  /** Answers 2xx as soon as the server can decide. */
  readonly healthPath: string;
  readonly readyWithinSeconds: number;
}

/** A TCP port of the loopback interface that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Memory of a process as /proc tells it, in MiB: what is resident now, and the most that ever was; 0 where there is no /proc. */
export function memoryMebibytes(pid: number): { readonly resident: number; readonly peak: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const line = (name: string): number =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) / 1024);
    return { resident: line("VmRSS"), peak: line("VmHWM") };
  } catch {
    return { resident: 0, peak: 0 };
  }
}

/** Processor time that the threads of a process have had so far, in microseconds (proc(5), `schedstat`); 0 where it is not counted. */
export function processorMicroseconds(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .map(
        (thread) =>
          Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1000,
      )
      .reduce((sum, one) => sum + one, 0);
  } catch {
    return 0;
  }
}

/** Waits. */
export const pause = async (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
  await gone;
  clearTimeout(timer);
}

/** Starts a server and waits until it is healthy; fails with what it wrote when it ends or takes too long. */
export async function startServer(plan: ServerPlan): Promise<ServerProcess> {
  const started = performance.now();
  const child = spawn(plan.command, plan.args, { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let isReady = false;
  let written = "";
  child.once("exit", (code, signal) => {
    children.delete(child);
    if (isReady && !child.killed) crashed.push(`${plan.name} ended with ${code ?? signal}: ${written}`);
  });
  const keep = (chunk: Buffer): void => {
    written = (written + chunk.toString()).slice(-4000);
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let failure = "";
  child.once("error", (error) => {
    failure = error.message;
  });
  const deadline = started + plan.readyWithinSeconds * 1000;
  while (!(await isHealthy(`http://127.0.0.1:${plan.port}${plan.healthPath}`))) {
    if (failure !== "" || child.exitCode !== null || performance.now() > deadline) {
      await end(child);
      throw new Error(`${plan.name} did not start: ${failure}\n${written}`);
    }
    await pause(10);
  }
  isReady = true;
  return {
    name: plan.name,
    port: plan.port,
    pid: child.pid ?? 0,
    readyMilliseconds: performance.now() - started,
    stop: async () => end(child),
  };
}

/** A command that runs to its end. */
export interface RunningCommand {
  readonly pid: number;
  /** Standard output, when it ended with 0. */
  readonly output: Promise<string>;
}

/** Runs a command to its end and returns its standard output; kills it after `seconds`. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  seconds: number,
): Promise<string> {
  return startCommand(command, args, environment, seconds).output;
}

/** How much longer than its load a generator may take, in seconds. */
const GENERATOR_MARGIN = 30;

/**
 * Runs a load generator, a script of this folder that is a process of its own, for `seconds` of load and returns the JSON that it
 * prints.
 */
export async function runGenerator<Result>(
  script: string,
  args: readonly (string | number)[],
  seconds: number,
): Promise<Result> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const output = await runToEnd(
    process.execPath,
    ["--import", "tsx", file, ...args.map(String)],
    {},
    seconds + GENERATOR_MARGIN,
  );
  return JSON.parse(output) as Result;
}

/** The same as `runToEnd`, for callers that want to watch it meanwhile. */
export function startCommand(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  seconds: number,
): RunningCommand {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
    timeout: seconds * 1000,
    killSignal: "SIGKILL",
  });
  children.add(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const result = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      children.delete(child);
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended with ${code ?? "a signal"}`));
    });
  });
  return { pid: child.pid ?? 0, output: result };
}
