/** The servers that are compared: the echo, the edict daemon, also without its guest, and the real Cerbos. Starts them, nothing else. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { findCerbos, INSTALL_CERBOS } from "../../test/support/cerbos.ts";
import { freePort, startServer, type ServerProcess } from "./processes.ts";
import { UNDECIDED } from "./server-names.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** How to get the real Cerbos, when it is not there. */
export const CERBOS_MISSING = `${INSTALL_CERBOS} (Linux on x64) and run again; it was left out`;

/** Whether the real Cerbos can be started. */
export function hasCerbos(): boolean {
  return findCerbos() !== undefined;
}

/** The first line of what the real Cerbos says about its version; "" when it says nothing. */
export function cerbosVersion(): string {
  const { stdout } = spawnSync(findCerbos() ?? "cerbos", ["--version"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  return (stdout ?? "").split("\n")[0]?.trim() ?? "";
}

export async function startEcho(): Promise<ServerProcess> {
  const port = await freePort();
  return startServer({
    name: "echo",
    command: process.execPath,
    args: ["--import", "tsx", path("echo-server.ts"), String(port)],
    port,
    healthPath: "/healthz",
    readyWithinSeconds: 20,
  });
}

/** Remembers a server as soon as it runs, so that it is stopped whatever happens. */
export type Start = (server: Promise<ServerProcess>) => Promise<ServerProcess>;

/** Calls `use` with a directory of its own; afterwards the servers that it started are gone, and so is the directory. */
export async function withServers<T>(use: (start: Start, directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "edict-bench-"));
  const started: ServerProcess[] = [];
  const start: Start = async (server) => {
    const running = await server;
    started.push(running);
    return running;
  };
  try {
    return await use(start, directory);
  } finally {
    await Promise.all(started.map(async (server) => server.stop()));
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The daemon as users start it, with one serving thread, on a bundle. */
export async function startEdict(bundle: string): Promise<ServerProcess> {
  return startEdictWith(["--bundle", bundle, "--threads", "1"]);
}

/** The same with a guest that takes no time (undecided-server.ts), or with `microseconds` of arithmetic per request in its place. */
export async function startUndecided(bundle: string, microseconds = 0): Promise<ServerProcess> {
  const port = await freePort();
  const flags = ["--http", `127.0.0.1:${port}`, "--bundle", bundle, "--threads", "1"];
  return startServer({
    name: microseconds === 0 ? UNDECIDED : `edict, ${microseconds} µs of arithmetic`,
    command: process.execPath,
    args: ["--import", "tsx", path("undecided-server.ts"), String(microseconds), ...flags],
    port,
    healthPath: "/_cerbos/health",
    readyWithinSeconds: 60,
  });
}

/** The daemon with any flags but the address. */
export async function startEdictWith(
  flags: readonly string[],
  readyWithinSeconds = 60,
): Promise<ServerProcess> {
  const port = await freePort();
  return startServer({
    name: "edict",
    command: process.execPath,
    args: [path("../../bin/edict.js"), "serve", "--http", `127.0.0.1:${port}`, ...flags],
    port,
    healthPath: "/_cerbos/health",
    readyWithinSeconds,
  });
}

/** Cerbos with its default settings: all cores, audit off, no schema enforcement. */
export async function startCerbos(policies: string, grpcPort?: number): Promise<ServerProcess> {
  const port = await freePort();
  const settings = [
    `server.httpListenAddr=127.0.0.1:${port}`,
    `server.grpcListenAddr=127.0.0.1:${grpcPort ?? (await freePort())}`,
    "storage.driver=disk",
    `storage.disk.directory=${policies}`,
    "telemetry.disabled=true",
  ];
  return startServer({
    name: "cerbos",
    command: findCerbos() ?? "cerbos",
    args: ["server", "--log-level=error", ...settings.map((setting) => `--set=${setting}`)],
    port,
    healthPath: "/_cerbos/health",
    readyWithinSeconds: 180,
  });
}
