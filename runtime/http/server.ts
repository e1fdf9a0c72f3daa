/**
 * The HTTP server of one serving thread: routes, listening, draining. Decisions are made in check-route.ts; policies
 * are loaded and replaced elsewhere, through the serving state.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchPool } from "../batch/batch-pool.ts";
import { SharedMemory } from "../batch/shared-memory.ts";
import type { ListenAddress } from "../config/address.ts";
import type { BatchOptions } from "../config/config.ts";
import { ServeError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import { LIMIT_RANGE, plainOptions } from "../guest/options.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { readVersion } from "../version.ts";
import { BodyBudget } from "./body.ts";
import { checkRoute, type HttpContext } from "./check-route.ts";
import { Cors, type CorsOptions } from "./cors.ts";
import { cerbosHealth, health, serverInfo } from "./operation-routes.ts";
import { LoadGate, type OverloadOptions } from "./load-gate.ts";
import {
  CHECK_FAILED,
  NOT_FOUND_API,
  NOT_FOUND_PLAIN,
  type Reply,
  send,
  WRONG_METHOD,
  WRONG_METHOD_CERBOS,
} from "./replies.ts";
import type { StreamContext } from "../stream/connection.ts";
import { addStreamRoute, UPGRADE_REQUIRED } from "../stream/stream-route.ts";
import { clearSocketPath, makeSocketFile, type SocketFile } from "./unix-socket.ts";
import { type App, type HttpRequest, type ListenSocket, loadUws } from "./uws.ts";

export interface ServerOptions {
  readonly addresses: readonly ListenAddress[];
  readonly cors: CorsOptions;
  /** Permission bits of a Unix socket. */
  readonly socketMode: number;
  /** How many threads share the budgets, and whether another thread of this process listens on the addresses already. */
  readonly threads: number;
  readonly joins: boolean;
  readonly batches: BatchOptions;
  readonly overload: OverloadOptions;
}

/** A server that accepts requests. */
export interface HttpServer {
  /** As in `http://127.0.0.1:3592` or `unix:/run/edict.sock`, with the real port. */
  readonly addresses: readonly string[];
  /** The same as values. */
  readonly listening: readonly ListenAddress[];
  /** Makes a version ready on the workers for large requests, if there are any yet. Rejects when one of them cannot have it. */
  prepare(engine: Engine): Promise<void>;
  /** Closes everything at once. */
  close(): void;
  /** Refuses new connections, lets requests in flight finish for at most `timeoutMs`, then closes everything. */
  drain(timeoutMs: number): Promise<void>;
}

/** Most workers of one serving thread that are chosen by the machine's cores. */
const MAX_CHOSEN_WORKERS = 8;

/** Milliseconds that keep-alive clients get to notice `Connection: close` before their sockets are closed. */
const DRAIN_GRACE = 100;

/** Starts to serve on every address. Throws `ServeError` when one cannot be had. */
export async function startServer(state: ServingState, options: ServerOptions): Promise<HttpServer> {
  const uws = loadUws();
  const app = uws.App();
  const memory = new SharedMemory();
  const context: HttpContext = {
    state,
    cors: new Cors(options.cors),
    bodies: new BodyBudget(Math.floor(options.overload.maxBufferedBytes / options.threads)),
    gate: new LoadGate(options.overload),
    memory,
    batches: batchPool(state, options, memory),
    inFlight: 0,
  };
  state.onEngine(() => context.gate.rebase());
  const streams = addStreamRoute(app, context);
  addRoutes(app, context);

  const sockets: ListenSocket[] = [];
  const listening: ListenAddress[] = [];
  const files: SocketFile[] = [];
  const close = (): void => {
    for (const file of files.splice(0)) file.remove();
    app.close();
  };
  try {
    for (const address of options.addresses) {
      if (address.kind === "unix") {
        sockets.push(await listenUnix(app, address.path, options.socketMode, files));
        listening.push(address);
        continue;
      }
      const socket = await listenTcp(app, address, options);
      sockets.push(socket);
      listening.push({ ...address, port: uws.getSocketPort(socket) });
    }
  } catch (error) {
    // A thread must not end with sockets open.
    close();
    throw error;
  }
  // Limits beyond those of Cerbos say that large requests will come; otherwise the first one starts the workers.
  if (state.engine.options.maxResourcesPerRequest > LIMIT_RANGE[1]) void context.batches.start();
  const addresses = listening.map((address) =>
    address.kind === "unix" ? `unix:${address.path}` : `http://${urlHost(address.host)}:${address.port}`,
  );
  return {
    addresses,
    listening,
    prepare: (engine) => context.batches.prepare(engine),
    close,
    drain: (timeoutMs) => {
      for (const socket of sockets.splice(0)) uws.closeSocket(socket);
      for (const file of files.splice(0)) file.remove();
      return drain(app, context, streams, timeoutMs);
    },
  };
}

/** The workers for large requests: unless told, one per core beside that of the serving thread. */
function batchPool(
  state: ServingState,
  { batches, threads }: ServerOptions,
  memory: SharedMemory,
): BatchPool {
  const { options } = state.engine;
  const cores = Math.floor(availableParallelism() / threads);
  const workers = batches.workers ?? Math.max(1, Math.min(cores - 1, MAX_CHOSEN_WORKERS));
  return new BatchPool(state, { workers, minBytes: batches.minBytes, engine: plainOptions(options), memory });
}

function addRoutes(app: App, context: HttpContext): void {
  const { state, cors } = context;
  const version = readVersion();
  const route = (path: string, answer: (req: HttpRequest) => Reply): void => {
    app.any(path, (res, req) => {
      // A handler that returns without an answer or an abort handler ends the process.
      res.onAborted(ignoreAbort);
      if (cors.preflight(res, req)) return;
      const isHead = req.getMethod() === "head";
      const headers = cors.headers(req.getHeader("origin"));
      let reply = CHECK_FAILED;
      try {
        reply = answer(req);
      } catch (error) {
        // Thrown into uWebSockets.js it would end the process.
        log(`\`${path}\` failed: ${oneLine(error)}`);
      }
      send(res, reply, headers, state.draining, isHead);
    });
  };
  /** A GET route; HEAD is taken where `head` says so, other methods get `wrongMethod`. */
  const page = (
    path: string,
    wrongMethod: Reply,
    head: boolean,
    reply: (req: HttpRequest) => Reply,
  ): void => {
    route(path, (req) => {
      const method = req.getMethod();
      return method === "get" || (method === "head" && head) ? reply(req) : wrongMethod;
    });
  };

  app.post("/api/check/resources", checkRoute(context));
  route("/api/check/resources", () => WRONG_METHOD_CERBOS);
  page("/api/server_info", WRONG_METHOD_CERBOS, false, () => serverInfo(version));
  page("/_cerbos/health", WRONG_METHOD_CERBOS, false, (req) =>
    cerbosHealth(state, req.getQuery("service") ?? ""),
  );
  page("/healthz", WRONG_METHOD, true, () => health(state, false));
  page("/readyz", WRONG_METHOD, true, () => health(state, true));
  route("/v1/stream", () => UPGRADE_REQUIRED);
  route("/api/*", () => NOT_FOUND_API);
  route("/*", () => NOT_FOUND_PLAIN);
}

/** For handlers that answer before they return. */
function ignoreAbort(): void {}

async function listenTcp(
  app: App,
  { host, port }: ListenAddress & { kind: "tcp" },
  options: ServerOptions,
): Promise<ListenSocket> {
  const free = options.joins ? port : await probePort(host, port);
  // A port that uWebSockets.js lets the kernel choose cannot be joined by other threads.
  const chosen = options.threads > 1 ? free : port;
  const socket = await new Promise<ListenSocket | false>((resolve) => {
    if (host === "") app.listen(chosen, resolve);
    else app.listen(host, chosen, resolve);
  });
  if (socket === false) throw new ServeError("EDICT_LISTEN", `cannot listen on \`${host}:${port}\``);
  return socket;
}

/** Adds what has to be removed at the end to `files`. */
async function listenUnix(app: App, path: string, mode: number, files: SocketFile[]): Promise<ListenSocket> {
  await clearSocketPath(path);
  let socket: ListenSocket | false = false;
  const file = makeSocketFile(path, mode, () => {
    app.listen_unix((made) => {
      socket = made;
    }, path);
  });
  if (file !== null) files.push(file);
  const made = socket as ListenSocket | false;
  if (made === false || file === null) {
    throw new ServeError(
      "EDICT_LISTEN",
      `cannot listen on \`unix:${path}\`: the socket cannot be made there`,
    );
  }
  return made;
}

/**
 * Fails when somebody listens on the port. uWebSockets.js sets SO_REUSEPORT, with which a second daemon would start
 * without complaint and take half of the requests. Returns the port, or for 0 one that was free.
 */
async function probePort(host: string, port: number): Promise<number> {
  const probe = createServer();
  try {
    probe.listen(host === "" ? { port } : { host, port });
    await once(probe, "listening");
  } catch (error) {
    throw new ServeError("EDICT_LISTEN", `cannot listen on \`${host}:${port}\`: ${oneLine(error)}`, {
      cause: error,
    });
  }
  const bound = probe.address();
  probe.close();
  await once(probe, "close");
  return typeof bound === "object" && bound !== null ? bound.port : port;
}

/** Once no new connections are taken: lets requests in flight finish, then closes everything. */
async function drain(
  app: App,
  context: HttpContext,
  streams: StreamContext,
  timeoutMs: number,
): Promise<void> {
  context.state.draining = true;
  for (const connection of streams.connections) connection.drain();
  const deadline = performance.now() + timeoutMs;
  await sleep(DRAIN_GRACE);
  while (performance.now() < deadline) {
    if (context.inFlight + streams.inFlight + streams.connections.size === 0) break;
    await sleep(10);
  }
  app.close();
  await context.batches.close();
}

function urlHost(host: string): string {
  if (host === "") return "0.0.0.0";
  return host.includes(":") ? `[${host}]` : host;
}
