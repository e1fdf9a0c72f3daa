/** The three servers that are compared: the echo, the edict daemon and the real Cerbos. Starts them, nothing else. */
import { fileURLToPath } from "node:url";

import { findCerbos, INSTALL_CERBOS } from "../../test/support/cerbos.ts";
import { freePort, startServer, type ServerProcess } from "./processes.ts";

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** How to get the real Cerbos, when it is not there. */
export const CERBOS_MISSING = `${INSTALL_CERBOS} (Linux on x64) and run again; it was left out`;

/** Whether the real Cerbos can be started. */
export function hasCerbos(): boolean {
  return findCerbos() !== undefined;
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

/** The daemon as users start it, with one serving thread. */
export async function startEdict(bundle: string): Promise<ServerProcess> {
  const port = await freePort();
  return startServer({
    name: "edict",
    command: process.execPath,
    args: [
      path("../../bin/edict.js"),
      "serve",
      "--bundle",
      bundle,
      "--http",
      `127.0.0.1:${port}`,
      "--threads",
      "1",
    ],
    port,
    healthPath: "/_cerbos/health",
    readyWithinSeconds: 60,
  });
}

/** Cerbos with its default settings: all cores, audit off, no schema enforcement. */
export async function startCerbos(policies: string): Promise<ServerProcess> {
  const port = await freePort();
  const settings = [
    `server.httpListenAddr=127.0.0.1:${port}`,
    `server.grpcListenAddr=127.0.0.1:${await freePort()}`,
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
