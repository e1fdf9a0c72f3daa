/**
 * The real Cerbos binary as a test peer: starts it on a policy directory, waits until it answers, asks it, and makes
 * sure that it is gone afterwards. The binary comes from the separate package `bench/peers`; where that is not
 * installed, `findCerbos` answers undefined and the callers skip. Speaks HTTP only; no gRPC, no admin API.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CheckResponse } from "../differential/interpreter/request.ts";

/** How to get the binary, for skip messages. */
export const INSTALL_CERBOS = "the real Cerbos is not installed: run `npm ci --prefix bench/peers`";

const START_DEADLINE_MS = 600_000;
const BINARY = fileURLToPath(
  new URL("../../bench/peers/node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64", import.meta.url),
);

/** Settings of Cerbos's own configuration file that tests vary (COMPAT.md section 13). */
export interface CerbosSettings {
  readonly engine?: Readonly<Record<string, unknown>>;
  readonly schema?: { readonly enforcement: "none" | "warn" | "reject" };
  readonly auxData?: Readonly<Record<string, unknown>>;
  /** Limits per request; 500 (the most Cerbos accepts) unless given. */
  readonly maxActions?: number;
  readonly maxResources?: number;
  /** Value of GOMAXPROCS for the process, for benchmarks. */
  readonly threads?: number;
}

export interface CerbosReply {
  readonly status: number;
  /** The CheckResources response when the status is 200, otherwise whatever came. */
  readonly body: CheckResponse;
}

export interface Cerbos {
  /** Base address, without a trailing slash. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Posts one CheckResources body; an object is sent as JSON, a string or bytes as they are. */
  check(body: unknown): Promise<CerbosReply>;
  /** Ends the process and removes its files; safe to call twice. */
  stop(): Promise<void>;
}

/** Path of the binary (env EDICT_CERBOS overrides), or undefined where it is not installed. */
export function findCerbos(): string | undefined {
  const path = process.env["EDICT_CERBOS"] ?? BINARY;
  return existsSync(path) ? path : undefined;
}

/** Starts the binary on a policy directory. Throws with its log when it does not become healthy. */
export async function startCerbos(policies: string, settings: CerbosSettings = {}): Promise<Cerbos> {
  const binary = findCerbos();
  if (binary === undefined) throw new Error(INSTALL_CERBOS);
  const home = await mkdtemp(join(tmpdir(), "edict-cerbos-"));
  const port = await freePort();
  const config = join(home, "config.json");
  await writeFile(config, JSON.stringify(configuration(policies, port, await freePort(), settings)));
  const child = spawn(binary, ["server", `--config=${config}`, "--log-level=error"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment(home, settings),
  });
  const log: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8");
    stream?.on("data", (text: string) => log.push(text));
  }
  const killed = (): void => void child.kill("SIGKILL");
  process.once("exit", killed);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const stop = async (): Promise<void> => {
    process.off("exit", killed);
    agent.destroy();
    await terminate(child);
    await rm(home, { recursive: true, force: true });
  };
  try {
    await healthy(child, port, agent, log);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid ?? 0,
    check: (body) => send(agent, port, "POST", "/api/check/resources", body),
    stop,
  };
}

function configuration(policies: string, http: number, grpc: number, settings: CerbosSettings): unknown {
  return {
    server: {
      httpListenAddr: `127.0.0.1:${http}`,
      grpcListenAddr: `127.0.0.1:${grpc}`,
      requestLimits: {
        maxActionsPerResource: settings.maxActions ?? 500,
        maxResourcesPerRequest: settings.maxResources ?? 500,
      },
    },
    storage: { driver: "disk", disk: { directory: policies, watchForChanges: false } },
    schema: settings.schema ?? { enforcement: "none" },
    telemetry: { disabled: true },
    ...(settings.engine ? { engine: settings.engine } : {}),
    ...(settings.auxData ? { auxData: settings.auxData } : {}),
  };
}

function environment(home: string, settings: CerbosSettings): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:cerbos|otel)_/i.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    CERBOS_NO_TELEMETRY: "1",
    ...(settings.threads === undefined ? {} : { GOMAXPROCS: String(settings.threads) }),
  };
}

async function healthy(
  child: ChildProcess,
  port: number,
  agent: Agent,
  log: readonly string[],
): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(
        `cerbos ended before it was ready (${child.exitCode ?? child.signalCode}):\n${log.join("")}`,
      );
    }
    const reply = await send(agent, port, "GET", "/_cerbos/health", undefined).catch(() => undefined);
    if (reply?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`cerbos was not ready after ${START_DEADLINE_MS} ms:\n${log.join("")}`);
}

function send(agent: Agent, port: number, method: string, path: string, body: unknown): Promise<CerbosReply> {
  return new Promise((resolve, reject) => {
    const raw = typeof body === "string" || body instanceof Uint8Array;
    const bytes = body === undefined ? undefined : raw ? body : JSON.stringify(body);
    const call = request(
      { host: "127.0.0.1", port, method, path, agent, headers: { "content-type": "application/json" } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, body: parse(text) });
        });
      },
    );
    call.on("error", reject);
    call.end(bytes);
  });
}

/** Text that is not JSON cannot be a response; it is kept as the response's id, for messages. */
function parse(text: string): CheckResponse {
  try {
    return JSON.parse(text);
  } catch {
    return { requestId: text, results: [] };
  }
}

/** A port that was free a moment ago; Cerbos cannot be given port 0 because it does not tell which it took. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await ended;
  clearTimeout(timer);
}
