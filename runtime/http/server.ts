/**
 * The HTTP server of one serving thread: routes, listening, draining. Decisions are made in decision-route.ts; policies
 * are loaded and replaced elsewhere, through the serving state.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
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
import { Searcher } from "../search/searcher.ts";
import type { SearchOptions } from "../search/options.ts";
import { readVersion } from "../version.ts";
import { Access } from "./access.ts";
import { AccessTokenFile } from "./access-tokens.ts";
import { BodyBudget } from "./body.ts";
import { Cors, type CorsOptions } from "./cors.ts";
import { decisionRoute, type HttpContext } from "./decision-route.ts";
import {
  Discovery,
  type DiscoveryOptions,
  EVALUATION_PATH,
  EVALUATIONS_PATH,
  SEARCH_PATHS,
  WELL_KNOWN_PATH,
} from "./discovery.ts";
import { cerbosHealth, health, serverInfo } from "./operation-routes.ts";
import { LoadGate, type OverloadOptions } from "./load-gate.ts";
import {
  CHECK_FAILED,
  NOT_FOUND_API,
  NOT_FOUND_PLAIN,
  ONLY_POST,
  type Reply,
  send,
  WRONG_METHOD,
  WRONG_METHOD_CERBOS,
} from "./replies.ts";
import { CHECK, EVALUATION, EVALUATIONS } from "./question.ts";
import { requestIdLine } from "./request-id.ts";
import { searchRoute } from "./search-route.ts";
import { ClientCertificates, PrivateSocket, readTlsFiles, type TlsOptions } from "./tls.ts";
import type { StreamContext } from "../stream/connection.ts";
import { addStreamRoute, UPGRADE_REQUIRED } from "../stream/stream-route.ts";
import { clearSocketPath, makeSocketFile, type SocketFile } from "./unix-socket.ts";
import { type App, type HttpRequest, type ListenSocket, loadUws, type Uws } from "./uws.ts";

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
  /** File with the bearer tokens of which one is needed to ask; null when everybody may. */
  readonly accessTokens: string | null;
  /** Null for plain text. */
  readonly tls: TlsOptions | null;
  readonly discovery: DiscoveryOptions;
  readonly search: SearchOptions;
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

/** Permission bits of a socket for this user alone. */
const PRIVATE_MODE = 0o600;

/** Starts to serve on every address. Throws `ServeError` when one cannot be had. */
export async function startServer(state: ServingState, options: ServerOptions): Promise<HttpServer> {
  const uws = loadUws();
  const app = await makeApp(uws, options);
  const tokens = options.accessTokens === null ? null : await AccessTokenFile.open(options.accessTokens);
  const memory = new SharedMemory();
  const context: HttpContext = {
    state,
    access: tokens === null ? null : new Access(tokens),
    cors: new Cors(options.cors),
    bodies: new BodyBudget(Math.floor(options.overload.maxBufferedBytes / options.threads)),
    gate: new LoadGate(options.overload),
    memory,
    batches: batchPool(state, options, memory),
    inFlight: 0,
  };
  state.onEngine(() => context.gate.rebase());
  const streams = addStreamRoute(app, context);
  addRoutes(app, context, new Searcher(state, options.search), options);

  const sockets: ListenSocket[] = [];
  const listening: ListenAddress[] = [];
  const files: SocketFile[] = [];
  const fronts: ClientCertificates[] = [];
  const close = (): void => {
    tokens?.close();
    for (const file of files.splice(0)) file.remove();
    for (const front of fronts.splice(0)) front.close();
    app.close();
  };
  try {
    for (const address of options.addresses) {
      if (address.kind === "unix") {
        sockets.push(await listenUnix(app, address.path, options.socketMode, files));
        listening.push(address);
        continue;
      }
      if (options.tls !== null && options.tls.clientAuthorities !== null) {
        const inner = new PrivateSocket();
        files.push(inner);
        sockets.push(await listenUnix(app, inner.path, PRIVATE_MODE, files));
        const front = await ClientCertificates.start(options.tls, inner.path);
        fronts.push(front);
        listening.push({ ...address, port: await front.listen(address.host, address.port) });
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
  const scheme = options.tls === null ? "http" : "https";
  const addresses = listening.map((address) =>
    address.kind === "unix" ? `unix:${address.path}` : `${scheme}://${urlHost(address.host)}:${address.port}`,
  );
  return {
    addresses,
    listening,
    prepare: (engine) => context.batches.prepare(engine),
    close,
    drain: (timeoutMs) => {
      for (const socket of sockets.splice(0)) uws.closeSocket(socket);
      for (const front of fronts) front.stop();
      for (const file of files.splice(0)) file.remove();
      return drain(context, streams, timeoutMs, close);
    },
  };
}

/** The app for the options; throws `ServeError` when TLS cannot be had as they ask for it. */
async function makeApp(uws: Uws, { tls, addresses, threads }: ServerOptions): Promise<App> {
  if (tls === null) return uws.App();
  if (addresses.some(({ kind }) => kind === "unix")) {
    throw new ServeError("EDICT_TLS", "TLS is for TCP; a Unix socket cannot be served beside it");
  }
  if (tls.clientAuthorities !== null) {
    if (threads > 1) throw new ServeError("EDICT_TLS", "client certificates need `server.threads` to be 1");
    return uws.App();
  }
  await readTlsFiles(tls);
  try {
    return uws.SSLApp({ cert_file_name: tls.certificate, key_file_name: tls.key });
  } catch (error) {
    throw new ServeError("EDICT_TLS", `TLS cannot be served: ${oneLine(error)}`, { cause: error });
  }
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

function addRoutes(app: App, context: HttpContext, searcher: Searcher, options: ServerOptions): void {
  const { state, cors } = context;
  const discovery = new Discovery(options.discovery, options.tls !== null);
  const version = readVersion();
  const route = (
    path: string,
    answer: (req: HttpRequest) => Reply,
    lines: (req: HttpRequest) => string = noLines,
  ): void => {
    app.any(path, (res, req) => {
      // A handler that returns without an answer or an abort handler ends the process.
      res.onAborted(ignoreAbort);
      if (cors.preflight(res, req)) return;
      const isHead = req.getMethod() === "head";
      const headers = cors.headers(req.getHeader("origin")) + lines(req);
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

  app.post("/api/check/resources", decisionRoute(context, CHECK));
  route("/api/check/resources", () => WRONG_METHOD_CERBOS);
  page("/api/server_info", WRONG_METHOD_CERBOS, false, () => serverInfo(version));
  page("/_cerbos/health", WRONG_METHOD_CERBOS, false, (req) =>
    cerbosHealth(state, req.getQuery("service") ?? ""),
  );
  app.post(EVALUATION_PATH, decisionRoute(context, EVALUATION));
  app.post(EVALUATIONS_PATH, decisionRoute(context, EVALUATIONS));
  for (const searched of ["subject", "resource", "action"] as const) {
    app.post(SEARCH_PATHS[searched], searchRoute(context, searcher, searched));
  }
  for (const path of [EVALUATION_PATH, EVALUATIONS_PATH, ...Object.values(SEARCH_PATHS)]) {
    route(path, () => ONLY_POST, requestIdLine);
  }
  route("/access/*", () => NOT_FOUND_API, requestIdLine);
  for (const path of [WELL_KNOWN_PATH, `${WELL_KNOWN_PATH}/*`]) {
    page(path, WRONG_METHOD, true, (req) => discovery.answer(req));
  }
  page("/healthz", WRONG_METHOD, true, () => health(state, false));
  page("/readyz", WRONG_METHOD, true, () => health(state, true));
  route("/v1/stream", () => UPGRADE_REQUIRED);
  route("/api/*", () => NOT_FOUND_API);
  route("/*", () => NOT_FOUND_PLAIN);
}

function noLines(): string {
  return "";
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
  context: HttpContext,
  streams: StreamContext,
  timeoutMs: number,
  close: () => void,
): Promise<void> {
  context.state.draining = true;
  for (const connection of streams.connections) connection.drain();
  const deadline = performance.now() + timeoutMs;
  await sleep(DRAIN_GRACE);
  while (true) {
    // Timers come first: what arrived while the process stood still has not been read yet.
    await setImmediate();
    if (performance.now() >= deadline) break;
    if (context.inFlight + streams.inFlight + streams.connections.size === 0) break;
    await sleep(10);
  }
  close();
  await context.batches.close();
}

function urlHost(host: string): string {
  if (host === "") return "0.0.0.0";
  return host.includes(":") ? `[${host}]` : host;
}
