/**
 * The HTTP server of one serving thread: routes, listening, draining. Decisions are made in check-route.ts; policies
 * are loaded and replaced elsewhere, through the serving state.
 */
import { once } from "node:events";
import { chmod, unlink } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ListenAddress } from "../config/address.ts";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { readVersion } from "../version.ts";
import { BodyBudget } from "./body.ts";
import { checkRoute, type HttpContext } from "./check-route.ts";
import { Cors, type CorsOptions } from "./cors.ts";
import { cerbosHealth, health, serverInfo } from "./operation-routes.ts";
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
import { type App, type HttpRequest, type ListenSocket, loadUws, type Uws } from "./uws.ts";

export interface ServerOptions {
  readonly addresses: readonly ListenAddress[];
  readonly cors: CorsOptions;
  /** Permission bits of a Unix socket. */
  readonly socketMode: number;
  /** How many threads share the budgets, and whether another thread of this process listens on the addresses already. */
  readonly threads: number;
  readonly joins: boolean;
}

/** A server that accepts requests. */
export interface HttpServer {
  /** As in `http://127.0.0.1:3592` or `unix:/run/edict.sock`, with the real port. */
  readonly addresses: readonly string[];
  /** The same as values. */
  readonly listening: readonly ListenAddress[];
  /** Refuses new connections, lets requests in flight finish for at most `timeoutMs`, then closes everything. */
  drain(timeoutMs: number): Promise<void>;
}

const MIB = 1024 * 1024;

/** Bytes that bodies arriving in several chunks may hold together, on all threads. */
const BODY_BUDGET = 256 * MIB;

/** Milliseconds that keep-alive clients get to notice `Connection: close` before their sockets are closed. */
const DRAIN_GRACE = 100;

/** Starts to serve on every address. Throws `ServeError` when one cannot be had. */
export async function startServer(state: ServingState, options: ServerOptions): Promise<HttpServer> {
  const uws = loadUws();
  const app = uws.App();
  const context: HttpContext = {
    state,
    cors: new Cors(options.cors),
    bodies: new BodyBudget(BODY_BUDGET / options.threads),
    inFlight: 0,
  };
  const streams = addStreamRoute(app, context);
  addRoutes(app, context);

  const sockets: ListenSocket[] = [];
  const listening: ListenAddress[] = [];
  for (const address of options.addresses) {
    const socket = await listen(app, address, options);
    sockets.push(socket);
    if (address.kind === "unix") {
      await chmod(address.path, options.socketMode);
      listening.push(address);
    } else listening.push({ ...address, port: uws.getSocketPort(socket) });
  }
  const addresses = listening.map((address) =>
    address.kind === "unix" ? `unix:${address.path}` : `http://${urlHost(address.host)}:${address.port}`,
  );
  return {
    addresses,
    listening,
    drain: (timeoutMs) => drain(uws, app, context, streams, sockets, timeoutMs),
  };
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

async function listen(app: App, given: ListenAddress, options: ServerOptions): Promise<ListenSocket> {
  let address = given;
  if (address.kind === "unix") await clearStaleSocket(address.path);
  else if (!options.joins) {
    const free = await probePort(address.host, address.port);
    // A port that uWebSockets.js lets the kernel choose cannot be joined by other threads.
    if (options.threads > 1) address = { ...address, port: free };
  }
  const socket = await new Promise<ListenSocket | false>((resolve) => {
    if (address.kind === "unix") app.listen_unix(resolve, address.path);
    else if (address.host === "") app.listen(address.port, resolve);
    else app.listen(address.host, address.port, resolve);
  });
  if (socket === false) {
    const name = address.kind === "unix" ? address.path : `${address.host}:${address.port}`;
    throw new ServeError("EDICT_LISTEN", `cannot listen on \`${name}\``);
  }
  return socket;
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

/** Removes the socket file that a dead process left behind; fails when a living one serves it. */
async function clearStaleSocket(path: string): Promise<void> {
  const probe = connect({ path });
  try {
    await once(probe, "connect");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ECONNREFUSED") await unlink(path);
    else if (code !== "ENOENT") {
      throw new ServeError("EDICT_LISTEN", `cannot listen on \`unix:${path}\`: ${oneLine(error)}`, {
        cause: error,
      });
    }
    return;
  } finally {
    probe.destroy();
  }
  throw new ServeError("EDICT_LISTEN", `cannot listen on \`unix:${path}\`: another process serves it`);
}

async function drain(
  uws: Uws,
  app: App,
  context: HttpContext,
  streams: StreamContext,
  sockets: ListenSocket[],
  timeoutMs: number,
): Promise<void> {
  context.state.draining = true;
  for (const socket of sockets.splice(0)) uws.closeSocket(socket);
  for (const connection of streams.connections) connection.drain();
  const deadline = performance.now() + timeoutMs;
  await sleep(DRAIN_GRACE);
  while (performance.now() < deadline) {
    if (context.inFlight + streams.inFlight + streams.connections.size === 0) break;
    await sleep(10);
  }
  app.close();
}

function urlHost(host: string): string {
  if (host === "") return "0.0.0.0";
  return host.includes(":") ? `[${host}]` : host;
}
