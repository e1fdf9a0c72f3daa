/** Starts the real daemon (`bin/edict.js serve`) in a process of its own and talks to it over real sockets. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { KeptConnections, NO_SHEDDING } from "../../support/daemon.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
/** The command line, for tests that run it by themselves. */
export const BINARY = join(ROOT, "bin", "edict.js");

/** What a test that has a minute can wait for, however slow the machine is. */
const PATIENCE_MS = 50_000;

/** Whether `npm run build` has produced everything that a daemon needs. */
export const IS_BUILT =
  existsSync(join(ROOT, "dist", "wasm", "core.wasm")) && existsSync(join(ROOT, "dist", "runtime"));

/** A policy with one rule per behaviour that the daemon's tests need. */
export const POLICIES: Readonly<Record<string, string>> = {
  "album.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: album
  version: default
  importDerivedRoles: [people]
  rules:
    - name: anyone-reads-public
      actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          all:
            of:
              - expr: R.attr.public == true
              - none:
                  of:
                    - expr: R.attr.flagged == true
    - name: owner-does-all
      actions: ["*"]
      effect: EFFECT_ALLOW
      derivedRoles: [owner]
    - name: nobody-deletes-locked
      actions: [delete]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: R.attr.locked == true
`,
  "people.yaml": `apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: people
  definitions:
    - name: owner
      parentRoles: [user]
      condition:
        match:
          expr: R.attr.owner == P.id
`,
};

/** The same with every ALLOW of the album policy turned into a DENY. */
export const DENYING_POLICIES: Readonly<Record<string, string>> = {
  ...POLICIES,
  "album.yaml": (POLICIES["album.yaml"] ?? "").replaceAll("EFFECT_ALLOW", "EFFECT_DENY"),
};

/** A request that `POLICIES` answer: view and delete of a public album that belongs to somebody else. */
export function albumRequest(
  attr: Record<string, unknown> = { public: true, flagged: false, locked: false, owner: "bob" },
): object {
  return {
    requestId: "r1",
    principal: { id: "alice", roles: ["user"] },
    resources: [{ actions: ["view", "delete"], resource: { kind: "album", id: "1", attr } }],
  };
}

/** A directory for one test, removed with `remove`. */
export async function temporaryDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "edict-test-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Puts a file in the place of another at once: what looks in between two steps of a plain write sees an empty one. */
export async function replaceFile(file: string, text: string): Promise<void> {
  // Outside of the directory, which may be watched.
  const directory = await temporaryDirectory();
  const written = join(directory.path, "new");
  await writeFile(written, text);
  await rename(written, file);
  await directory.remove();
}

export async function writeFiles(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

/** A finished run of the binary. */
export interface Run {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the binary to its end. */
export async function runEdict(given: readonly string[], input: string | Uint8Array = ""): Promise<Run> {
  const child = spawn(process.execPath, [BINARY, ...given], { cwd: ROOT });
  const output = collect(child);
  // Most commands do not read it, and one that has ended before it is written breaks the pipe.
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const code = await exitOf(child);
  return { code, ...output() };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  json(): unknown;
}

/** A running daemon. */
export class Daemon {
  readonly address: string;
  readonly process: ChildProcess;
  readonly output: () => { out: string; err: string };
  #told = false;
  readonly #agent = new KeptConnections();

  private constructor(address: string, child: ChildProcess, output: () => { out: string; err: string }) {
    this.address = address;
    this.process = child;
    this.output = output;
  }

  /**
   * Starts it on a free port unless `given` names an address, and waits until it is ready. However slow the machine is, it sheds nothing unless
   * `given` says when.
   */
  static async start(...given: string[]): Promise<Daemon> {
    const address = given.some((flag) => flag === "--http" || flag === "--unix")
      ? []
      : ["--http", "127.0.0.1:0"];
    const patience = given.some((flag) => flag.startsWith("server.overload.maxDelay="))
      ? []
      : ["--set", NO_SHEDDING];
    const flags = [...given, ...address, ...patience];
    const child = spawn(process.execPath, [BINARY, "serve", ...flags], { cwd: ROOT });
    const output = collect(child);
    // A count, because no time passes for a process that stands still.
    for (let wait = 0; wait < PATIENCE_MS / 10; wait++) {
      const ready = /^edict ready on (\S+)/m.exec(output().out);
      if (ready?.[1] !== undefined) return new Daemon(ready[1], child, output);
      if (child.exitCode !== null) break;
      await sleep(10);
    }
    child.kill("SIGKILL");
    throw new Error(`the daemon did not become ready: ${output().err}`);
  }

  get port(): number {
    return Number(new URL(this.address).port);
  }

  async request(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string | Uint8Array,
  ): Promise<Reply> {
    const target = this.address.startsWith("unix:")
      ? { socketPath: this.address.slice(5) }
      : { host: "127.0.0.1", port: this.port };
    this.#agent.refresh();
    return new Promise((resolve, reject) => {
      const call = httpRequest({ ...target, method, path, headers, agent: this.#agent }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const all = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: all,
            json: () => JSON.parse(all.toString("utf8")) as unknown,
          });
        });
      });
      call.on("error", reject);
      call.end(body);
    });
  }

  /** Asks for a decision in JSON. */
  check(body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const bytes = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return this.request(
      "POST",
      "/api/check/resources",
      { "content-type": "application/json", ...headers },
      bytes,
    );
  }

  async json(path: string): Promise<Record<string, unknown>> {
    return (await this.request("GET", path)).json() as Record<string, unknown>;
  }

  /** Resolves when the daemon has read what was written to its connections before. */
  async hasRead(): Promise<void> {
    // The first answer may come before a connection that was made earlier is read, not so the second.
    for (let round = 0; round < 2; round++) await this.json("/healthz");
  }

  /** Waits until the daemon takes no connection any more. */
  async untilRefusing(): Promise<void> {
    await this.until(async () => {
      const socket = connect(this.port, "127.0.0.1");
      try {
        await once(socket, "connect");
        return false;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
      } finally {
        socket.on("error", () => undefined).destroy();
      }
    });
  }

  /** Resident memory in bytes; on Linux only. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.process.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** Waits until `condition` holds; tests that have more than a minute may wait longer than others. */
  async until(condition: () => Promise<boolean> | boolean, patienceMs = PATIENCE_MS): Promise<void> {
    for (let wait = 0; wait < patienceMs / 20; wait++) {
      if (await condition()) return;
      await sleep(20);
    }
    throw new Error(`nothing came of it: ${this.output().err}`);
  }

  /** Sends SIGTERM. */
  terminate(): void {
    this.#told = true;
    this.process.kill("SIGTERM");
  }

  /** Stops it, unless it has been told to already, and returns its exit code. */
  async stop(): Promise<number | null> {
    this.#agent.destroy();
    if (!this.#told && this.process.exitCode === null) this.terminate();
    return exitOf(this.process);
  }
}

function collect(child: ChildProcess): () => { out: string; err: string } {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (err += chunk.toString()));
  return () => ({ out, err });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("close", (code) => resolve(code)));
}
