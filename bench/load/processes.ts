/** Child processes with an end: every one is bounded in time, and none outlives the benchmark. */
import { spawn, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

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

const pause = async (milliseconds: number): Promise<void> =>
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
  child.once("exit", () => children.delete(child));
  let written = "";
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
  return {
    name: plan.name,
    port: plan.port,
    pid: child.pid ?? 0,
    readyMilliseconds: performance.now() - started,
    stop: async () => end(child),
  };
}

/** Runs a command to its end and returns its standard output; kills it after `seconds`. */
export async function runToEnd(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  seconds: number,
): Promise<string> {
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
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  children.delete(child);
  if (code !== 0) throw new Error(`${command} ended with ${code ?? "a signal"}`);
  return output;
}
