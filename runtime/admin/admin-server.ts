/**
 * The admin listener: HTTP for operators, on an address of its own that never answers a check. It shares nothing with the data
 * port but the process, and everything about it is bounded: connections, headers, bodies, time. What the routes do is in
 * admin-routes.ts; who is let in, in tokens.ts.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { ListenAddress } from "../config/address.ts";
import { AdminError, EdictError, ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { clearSocketPath, makeSocketFile, type SocketFile } from "../http/unix-socket.ts";
import { log, throttledLog } from "../observe/log.ts";
import type { AdminReply, AdminRoutes } from "./admin-routes.ts";
import type { AdminOptions } from "./options.ts";
import { isAuthorized, readTokens } from "./tokens.ts";

/** Most bytes of a body: a digest and a number fit many times. */
const MAX_BODY = 16 * 1024;

const MAX_CONNECTIONS = 64;
const MAX_HEADER = 16 * 1024;

/** Milliseconds until the head of a request must have arrived, and all of it, which may be 32 MiB. Its answer may take as long as a swap does. */
const HEAD_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 60_000;
const KEEP_ALIVE = 5_000;
/** How often that is looked at. */
const CHECK_INTERVAL = 1_000;

/** Only the owner of the process may use a Unix socket. */
const SOCKET_MODE = 0o600;

/** At most one line per this many milliseconds about somebody who was not let in. */
const REFUSAL_LOG_INTERVAL = 10_000;

export interface AdminServer {
  /** As in `http://127.0.0.1:3593` or `unix:/run/edict-admin.sock`, with the real port. */
  readonly address: string;
  close(): void;
}

/** Starts to listen. Throws `ServeError` when it cannot, and when a TCP address has no token to protect it. */
export async function startAdminServer(
  address: ListenAddress,
  { tokenFile }: AdminOptions,
  routes: AdminRoutes,
): Promise<AdminServer> {
  if (tokenFile === null && address.kind === "tcp") {
    throw new ServeError(
      "EDICT_ADMIN_TOKEN",
      "the admin listener needs a token: give a file with `--admin-token-file`, or use a Unix socket",
    );
  }
  // Fails now rather than at the first request.
  if (tokenFile !== null) await readTokens(tokenFile);
  const logRefusal = throttledLog(REFUSAL_LOG_INTERVAL);
  const server = createServer({
    maxHeaderSize: MAX_HEADER,
    requestTimeout: REQUEST_TIMEOUT,
    headersTimeout: HEAD_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE,
    connectionsCheckingInterval: CHECK_INTERVAL,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request, response) => {
    void answer(request, response, tokenFile, routes, logRefusal);
  });
  const file = await listen(server, address);
  server.on("error", (error) => log(`the admin listener failed: ${oneLine(error)}`));
  return {
    address: nameOf(address, server),
    close: () => {
      file?.remove();
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Answers one request. Never rejects. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  tokenFile: string | null,
  routes: AdminRoutes,
  logRefusal: (message: string) => void,
): Promise<void> {
  let reply: AdminReply;
  try {
    if (tokenFile !== null && !isAuthorized(request.headers.authorization, await readTokens(tokenFile))) {
      throw new AdminError("EDICT_ADMIN_UNAUTHORIZED", "a valid bearer token is needed");
    }
    const path = new URL(request.url ?? "/", "http://admin").pathname;
    const body = { text: () => readBody(request), chunks: request as AsyncIterable<Buffer> };
    reply = await routes.answer(request.method ?? "GET", path, body);
  } catch (error) {
    reply = failure(error);
    if (reply.status === 401) logRefusal("an admin request without a valid token was refused");
    else if (reply.status >= 500) log(`an admin request failed: ${oneLine(error)}`);
  }
  if (response.destroyed) return;
  response.writeHead(reply.status, {
    "Content-Type": reply.contentType,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    ...(reply.status === 401 ? { "WWW-Authenticate": "Bearer" } : {}),
    // A body that was not read to its end would be taken for the next request.
    ...(request.complete ? {} : { Connection: "close" }),
  });
  response.end(request.method === "HEAD" ? "" : reply.body);
}

/** The body of a request, at most MAX_BODY bytes. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > MAX_BODY) throw new AdminError("EDICT_ADMIN_REQUEST", `the body is over ${MAX_BODY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Status codes of what was not done; 409 when it could not be, for a reason that the code names. */
const STATUSES: Readonly<Record<string, number>> = {
  EDICT_ADMIN_REQUEST: 400,
  EDICT_ADMIN_UNAUTHORIZED: 401,
  EDICT_ADMIN_NOT_FOUND: 404,
  EDICT_ADMIN_BUSY: 503,
  EDICT_ADMIN_TOKEN: 503,
  EDICT_VERSION_UNKNOWN: 404,
  EDICT_DIRECTORY_INVALID: 400,
  EDICT_DIRECTORY_TOO_LARGE: 413,
  EDICT_DIRECTORY_NOT_KEPT: 503,
};

function failure(error: unknown): AdminReply {
  const isOurs = error instanceof EdictError;
  const code = isOurs ? error.code : "EDICT_UNEXPECTED";
  const message = isOurs ? error.message : "the request failed; the log says why";
  return {
    status: isOurs ? (STATUSES[code] ?? 409) : 500,
    contentType: "application/json",
    body: JSON.stringify({ code, message }),
  };
}

/** Makes the server listen; returns the file of a Unix socket. */
async function listen(server: Server, address: ListenAddress): Promise<SocketFile | null> {
  if (address.kind === "unix") {
    await clearSocketPath(address.path);
    const failed = once(server, "error");
    const file = makeSocketFile(address.path, SOCKET_MODE, () => server.listen(address.path));
    if (file !== null) return file;
    const reason = await Promise.race([failed.then(([error]) => oneLine(error)), once(server, "listening")]);
    throw new ServeError("EDICT_LISTEN", `cannot listen on \`unix:${address.path}\`: ${String(reason)}`);
  }
  const { host, port } = address;
  try {
    server.listen(host === "" ? { port } : { host, port });
    await once(server, "listening");
  } catch (error) {
    throw new ServeError("EDICT_LISTEN", `cannot listen on \`${host}:${port}\`: ${oneLine(error)}`, {
      cause: error,
    });
  }
  return null;
}

function nameOf(address: ListenAddress, server: Server): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  const host = address.host === "" ? "0.0.0.0" : address.host;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
