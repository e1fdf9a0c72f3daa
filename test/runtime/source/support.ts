/** Sources that tests can break: an HTTP origin and a real nats-server, and as many versions of a bundle as wanted. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SECTION_MANIFEST } from "../../../assembly/abi.ts";
import { type Section, writeBundle } from "../support/bundle-writer.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, type Daemon, POLICIES } from "../support/daemon.ts";

/** A version of the sample policies. */
export interface TestVersion {
  readonly sequence: number;
  readonly digest: string;
  readonly bytes: Uint8Array;
  /** What viewing the album of the sample request comes to. */
  readonly view: string;
}

/** Versions whose answers differ from one to the next: odd ones allow, even ones deny. */
export class TestVersions {
  readonly #allow: Uint8Array;
  readonly #deny: Uint8Array;

  private constructor(allow: Uint8Array, deny: Uint8Array) {
    this.#allow = allow;
    this.#deny = deny;
  }

  static async compile(): Promise<TestVersions> {
    const allow = await compilePolicies(POLICIES);
    const album = (POLICIES["album.yaml"] ?? "").replace("R.attr.public == true", "R.attr.public == false");
    return new TestVersions(allow, await compilePolicies({ ...POLICIES, "album.yaml": album }));
  }

  get(sequence: number): TestVersion {
    const allows = sequence % 2 === 1;
    const bytes = renumber(allows ? this.#allow : this.#deny, sequence);
    return { sequence, bytes, digest: digestOf(bytes), view: allows ? "EFFECT_ALLOW" : "EFFECT_DENY" };
  }
}

/** The same bundle with another sequence. */
function renumber(file: Uint8Array, sequence: number): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset);
  const sections: Section[] = [];
  for (let index = 0; index < view.getUint32(12, true); index++) {
    const at = 16 + 48 * index;
    const kind = view.getUint32(at, true);
    const offset = view.getUint32(at + 8, true);
    const bytes = file.subarray(offset, offset + view.getUint32(at + 12, true));
    if (kind !== SECTION_MANIFEST) sections.push({ kind, bytes });
    else {
      const manifest = JSON.parse(new TextDecoder().decode(bytes)) as object;
      sections.push({ kind, bytes: new TextEncoder().encode(JSON.stringify({ ...manifest, sequence })) });
    }
  }
  return writeBundle(sections);
}

function digestOf(file: Uint8Array): string {
  const sections = new DataView(file.buffer, file.byteOffset).getUint32(12, true);
  return createHash("sha256")
    .update(file.subarray(0, 16 + 48 * sections))
    .digest("hex");
}

/** The digest that a daemon serves, and what it answers to the sample request. */
export async function servedBy(daemon: Daemon): Promise<{ digest: string; view: string; reason: string }> {
  const reply = await daemon.check(albumRequest());
  const body = reply.json() as { results: { actions: { view: string } }[] };
  return {
    digest: String(reply.headers["edict-bundle"]),
    view: body.results[0]?.actions.view ?? "",
    reason: String(reply.headers["edict-deny-reason"] ?? ""),
  };
}

/** Waits until `daemon` serves `version`. */
export function untilServes(daemon: Daemon, version: TestVersion): Promise<void> {
  return daemon.until(async () => version.digest.startsWith((await servedBy(daemon)).digest));
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** How an origin treats requests. */
export type OriginMode = "ok" | "hang" | "trickle" | "cut" | "error" | "long-poll";

/** An HTTP origin with one bundle. */
export class Origin {
  readonly port: number;
  mode: OriginMode = "ok";
  /** Headers of every request, newest last. */
  readonly requests: IncomingMessage["headers"][] = [];
  /** Answers by status. */
  readonly statuses: number[] = [];
  /** Answers instead of the origin when it returns true. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  #bytes: Uint8Array = new Uint8Array(0);
  #etag = "";
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();
  #waiting: (() => void)[] = [];

  constructor(port: number) {
    this.port = port;
  }

  static async start(): Promise<Origin> {
    const origin = new Origin(await freePort());
    await origin.start();
    return origin;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/policies.edict`;
  }

  publish(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"`;
    for (const answer of this.#waiting.splice(0)) answer();
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#answer(request, response));
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.#server = server;
  }

  /** As if the process had been killed. */
  async kill(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.headers);
    response.on("finish", () => this.statuses.push(response.statusCode));
    if (this.intercept(request, response)) return;
    const isKnown = request.headers["if-none-match"] === this.#etag;
    switch (this.mode) {
      case "hang":
        return;
      case "error":
        response.writeHead(503).end();
        return;
      case "cut":
        response.writeHead(200, { etag: this.#etag, "content-length": this.#bytes.length });
        response.write(this.#bytes.subarray(0, this.#bytes.length / 2), () => response.destroy());
        return;
      case "trickle":
        response.writeHead(200, { etag: this.#etag });
        response.write(this.#bytes.subarray(0, 100));
        return;
      case "long-poll": {
        const wait = Number(/wait=(\d+)/.exec(String(request.headers["prefer"]))?.[1] ?? 0);
        if (!isKnown || wait === 0) return this.#send(response, isKnown, { "preference-applied": "wait" });
        const answer = (): void => this.#send(response, false, { "preference-applied": "wait" });
        this.#waiting.push(answer);
        return;
      }
      case "ok":
        this.#send(response, isKnown);
    }
  }

  #send(response: ServerResponse, isKnown: boolean, headers: Record<string, string> = {}): void {
    response.writeHead(isKnown ? 304 : 200, { etag: this.#etag, ...headers });
    response.end(isKnown ? undefined : this.#bytes);
  }
}

export const HAS_NATS = spawnSync("nats-server", ["--version"]).status === 0;
if (!HAS_NATS) process.stderr.write("nats-server is not installed: tests that need it are skipped\n");

/** A nats-server with JetStream, in a process of its own. */
export class NatsServer {
  readonly port: number;
  readonly #directory: string;
  #more: readonly string[];
  #process: ChildProcess | null = null;

  private constructor(port: number, directory: string, more: readonly string[]) {
    this.port = port;
    this.#directory = directory;
    this.#more = more;
  }

  /** Starts one that keeps its streams below `directory`. */
  static async start(directory: string, ...more: string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), directory, more);
    await server.start();
    return server;
  }

  /** Where objects of the bucket `policies` are. */
  address(object = "live"): string {
    return `nats://127.0.0.1:${this.port}/policies/${object}`;
  }

  /** Starts it, with other options than before when some are given. */
  async start(...more: string[]): Promise<void> {
    if (more.length > 0) this.#more = more;
    const store = join(this.#directory, "jetstream");
    this.#process = spawn(
      "nats-server",
      ["-a", "127.0.0.1", "-p", String(this.port), "-js", "-sd", store, ...this.#more],
      { stdio: "ignore" },
    );
    for (let wait = 0; wait < 4000; wait++) {
      if (await isListening(this.port)) return;
      await sleep(10);
    }
    throw new Error("nats-server did not start");
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    this.#process = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, "exit");
    child.kill(signal);
    await exit;
  }

  /** Stops it where it is, as a machine without time does. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  resume(): void {
    this.#process?.kill("SIGCONT");
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
