/** A daemon with an admin listener on a Unix socket, its bundle file, and a way to ask both. */
import { rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { type AdminAnswer, askAdmin } from "../../../runtime/admin/admin-client.ts";
import type { DaemonStatus } from "../../../runtime/admin/status.ts";
import { compilePolicies } from "../support/bundles.ts";
import { Daemon, POLICIES, type Run, runEdict, temporaryDirectory } from "../support/daemon.ts";

/** `POLICIES`, in which view of a public album is allowed, and two others that decide otherwise. */
export const VERSIONS = {
  first: POLICIES,
  /** Nobody may view an album for being public. */
  second: {
    ...POLICIES,
    "album.yaml": (POLICIES["album.yaml"] ?? "").replace("public == true", "public == 'never'"),
  },
  third: {
    ...POLICIES,
    "album.yaml": (POLICIES["album.yaml"] ?? "").replace("public == true", "public != false"),
  },
} as const;

export type VersionName = keyof typeof VERSIONS;

/** Compiled once per test file. */
export async function compileVersions(): Promise<Readonly<Record<VersionName, Uint8Array>>> {
  const [first, second, third] = await Promise.all([
    compilePolicies(VERSIONS.first),
    compilePolicies(VERSIONS.second),
    compilePolicies(VERSIONS.third),
  ]);
  return { first, second, third };
}

/** The daemon, and what belongs to it. */
export class AdminDaemon {
  readonly daemon: Daemon;
  readonly home: string;
  readonly #remove: () => Promise<void>;

  private constructor(daemon: Daemon, home: string, remove: () => Promise<void>) {
    this.daemon = daemon;
    this.home = home;
    this.#remove = remove;
  }

  /** Serves `bundle` from a file; `flags` may use what `home` says. */
  static async start(
    bundle: Uint8Array,
    flags: (home: string) => readonly string[] = () => [],
  ): Promise<AdminDaemon> {
    const scratch = await temporaryDirectory();
    const { path } = scratch;
    await writeFile(join(path, "served.edict"), bundle);
    try {
      return new AdminDaemon(await startIn(path, flags(path)), path, () => scratch.remove());
    } catch (error) {
      await scratch.remove();
      throw error;
    }
  }

  get admin(): string {
    return `unix:${join(this.home, "admin.sock")}`;
  }

  ask(path: string, body?: object): Promise<AdminAnswer> {
    return askAdmin(
      { address: { kind: "unix", path: join(this.home, "admin.sock") }, tokenFile: null },
      path,
      body,
    );
  }

  async status(): Promise<DaemonStatus> {
    const answer = await this.ask("/v1/status");
    if (!answer.ok) throw new Error(answer.refusal.message);
    return answer.value as DaemonStatus;
  }

  /** Runs a command of the binary against the admin listener. */
  run(...given: string[]): Promise<Run> {
    return runEdict([...given, "--admin", this.admin]);
  }

  /** The metrics' lines by name and labels. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    return parseMetrics(await readText(join(this.home, "admin.sock"), "/metrics"));
  }

  /** Puts a bundle in place of the served one, as a deployment does. */
  async put(bundle: Uint8Array): Promise<void> {
    const next = join(this.home, "next");
    await writeFile(next, bundle);
    await rename(next, join(this.home, "served.edict"));
  }

  /** The digest that `Edict-Bundle` names, and whether viewing is allowed. */
  async answer(body: object): Promise<{ readonly bundle: string; readonly view: string }> {
    const reply = await this.daemon.check(body);
    const { results } = reply.json() as {
      readonly results: readonly { readonly actions: Record<string, string> }[];
    };
    return {
      bundle: String(reply.headers["edict-bundle"]),
      view: String(results[0]?.actions["view"]),
    };
  }

  /** Waits until a version serves. */
  until(digest: string): Promise<void> {
    return this.daemon.until(async () => (await this.status()).version.digest === digest);
  }

  /** Ends the process and starts another in the same place. */
  async restart(flags: (home: string) => readonly string[]): Promise<AdminDaemon> {
    await this.daemon.stop();
    return new AdminDaemon(await startIn(this.home, flags(this.home)), this.home, this.#remove);
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
    await this.#remove();
  }
}

function startIn(home: string, flags: readonly string[]): Promise<Daemon> {
  return Daemon.start(
    "--bundle",
    join(home, "served.edict"),
    "--admin",
    `unix:${join(home, "admin.sock")}`,
    ...flags,
  );
}

/** A page of the admin listener as text. */
export function readText(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => resolve(text));
    });
    call.on("error", reject);
    call.end();
  });
}

function parseMetrics(text: string): ReadonlyMap<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
