/**
 * The edict daemon as tests use it: `edict serve` as a process of its own on a free port, from what `npm run build` made.
 * Asks in JSON or msgpack over keep-alive connections and makes sure that the process is gone afterwards.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack, unpack } from "msgpackr";
import type { Format } from "../../runtime/index.ts";

const ENTRY = fileURLToPath(new URL("../../bin/edict.js", import.meta.url));
const BUILT = fileURLToPath(new URL("../../dist/runtime/cli/main.js", import.meta.url));
/** However slow the machine is: nothing is shed. */
export const NO_SHEDDING = "server.overload.maxDelay=0s";
const START_DEADLINE_MS = 120_000;
/** uWebSockets.js ends connections that have been idle for ten seconds. */
const IDLE_MS = 5_000;

/**
 * A keep-alive agent that asks nothing on connections which the daemon may be ending: this process may have stood still while it did.
 * `refresh` is to be called before every request.
 */
export class KeptConnections extends Agent {
  readonly #usedAt = new WeakMap<object, number>();

  constructor() {
    super({ keepAlive: true, maxSockets: 8 });
    this.on("free", (socket: object) => {
      this.#usedAt.set(socket, performance.now());
    });
  }

  refresh(): void {
    const now = performance.now();
    for (const sockets of Object.values(this.freeSockets))
      for (const socket of sockets ?? [])
        if (now - (this.#usedAt.get(socket) ?? 0) >= IDLE_MS) socket.destroy();
  }
}

/** Whether `bin/edict.js` can run. */
export const DAEMON_IS_BUILT = existsSync(BUILT);
export const BUILD_DAEMON = "the daemon is not built: run `npm run build`";

export interface DaemonReply {
  readonly status: number;
  readonly body: unknown;
}

export interface Daemon {
  readonly url: string;
  /** Posts to `path`; an object is encoded in `format`, a string or bytes go as they are. */
  post(path: string, body: unknown, format?: Format): Promise<DaemonReply>;
  check(body: unknown, format?: Format): Promise<DaemonReply>;
  stop(): Promise<void>;
}

/** Starts `edict serve` with `args` and a configuration file holding `config` (Cerbos's keys). */
export async function startDaemon(args: readonly string[], config: unknown = {}): Promise<Daemon> {
  const home = await mkdtemp(join(tmpdir(), "edict-daemon-"));
  const file = join(home, "config.json");
  await writeFile(file, JSON.stringify(config));
  const child = spawn(
    process.execPath,
    [ENTRY, "serve", ...args, "--config", file, "--http", "127.0.0.1:0", "--set", NO_SHEDDING],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const agent = new KeptConnections();
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    agent.destroy();
    await terminate(child);
    await rm(home, { recursive: true, force: true });
  };
  let url: string;
  try {
    url = await readyAddress(child);
  } catch (error) {
    await stop();
    throw error;
  }
  const post = (path: string, body: unknown, format: Format = "json"): Promise<DaemonReply> =>
    send(agent, new URL(path, url), encode(body, format), format);
  return { url, post, check: (body, format) => post("/api/check/resources", body, format), stop };
}

/** The address in the line that the daemon prints when it is ready to decide. */
async function readyAddress(child: ChildProcess): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the daemon was not ready in time:\n${output}`)),
      START_DEADLINE_MS,
    );
    const read = (text: string): void => {
      output += text;
      const found = /edict ready on (http:\/\/[\d.:]+)/u.exec(output);
      if (found?.[1] === undefined) return;
      clearTimeout(timer);
      resolve(found[1]);
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8");
      stream?.on("data", read);
    }
    child.once("exit", (code) => {
      clearTimeout(timer);
      reject(new Error(`the daemon ended before it was ready (${code}):\n${output}`));
    });
  });
}

function encode(body: unknown, format: Format): Uint8Array {
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Uint8Array) return body;
  return format === "json" ? Buffer.from(JSON.stringify(body)) : pack(body);
}

function send(agent: KeptConnections, url: URL, bytes: Uint8Array, format: Format): Promise<DaemonReply> {
  const type = format === "json" ? "application/json" : "application/msgpack";
  agent.refresh();
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      { method: "POST", agent, headers: { "content-type": type, accept: type } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: decode(Buffer.concat(chunks), format) }),
        );
      },
    );
    call.on("error", reject);
    call.end(bytes);
  });
}

/** Error replies are JSON whatever was asked for. */
function decode(bytes: Buffer, format: Format): unknown {
  try {
    return format === "msgpack" && bytes[0] !== 0x7b ? unpack(bytes) : JSON.parse(bytes.toString("utf8"));
  } catch {
    return bytes.toString("utf8");
  }
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await ended;
  clearTimeout(timer);
}
