/**
 * `WS /v1/stream`: accepts connections and hands their messages to connection.ts. Which frames there are is said in frames.ts.
 * No browser gets in from an origin that the cross-origin rules do not allow, since browsers do not ask before they connect.
 */
import type { HttpContext } from "../http/decision-route.ts";
import {
  CODE_UNAVAILABLE,
  CODE_UNIMPLEMENTED,
  errorReply,
  type Reply,
  send,
  TOO_BUSY,
} from "../http/replies.ts";
import type { App, HttpRequest, HttpResponse, SocketContext, WebSocket } from "../http/uws.ts";
import { log } from "../observe/log.ts";
import { StreamConnection, type StreamContext } from "./connection.ts";

/** Most connections of one thread; each holds some kilobytes, what it buffers is counted elsewhere. */
const MAX_CONNECTIONS = 4096;

/** Unsent bytes at which uWebSockets.js would drop a message: a paused connection and the largest single answer stay below. */
const MAX_UNSENT = 256 * 1024 * 1024;

/** Seconds without traffic after which a connection is closed; uWebSockets.js pings in time. */
const IDLE_TIMEOUT = 120;

/** What a message may hold on top of the largest request. */
const FRAME_ROOM = 1024;

/** WebSocket messages are not compressed: clients are near, and compressing costs more than deciding. */
const NO_COMPRESSION = 0;

export const UPGRADE_REQUIRED: Reply = errorReply(
  "426 Upgrade Required",
  CODE_UNIMPLEMENTED,
  "`/v1/stream` is a WebSocket",
);
const FULL: Reply = {
  ...errorReply("503 Service Unavailable", CODE_UNAVAILABLE, "too many streams are open"),
  retryAfter: 1,
};
const FOREIGN = errorReply("403 Forbidden", CODE_UNAVAILABLE, "the origin is not allowed");

interface StreamData {
  connection: StreamConnection | null;
}

/** Adds the route; returns what draining needs. */
export function addStreamRoute(app: App, context: HttpContext): StreamContext {
  const { state, bodies, gate, memory, batches, cors, access } = context;
  const streams: StreamContext = {
    state,
    bodies,
    gate,
    memory,
    batches,
    connections: new Set(),
    inFlight: 0,
  };
  gate.watch({ isNeeded: () => streams.connections.size > 0, relieve: () => closeStalest(streams) });
  app.ws<StreamData>("/v1/stream", {
    maxPayloadLength: state.engine.options.maxBodyBytes + FRAME_ROOM,
    maxBackpressure: MAX_UNSENT,
    idleTimeout: IDLE_TIMEOUT,
    sendPingsAutomatically: true,
    compression: NO_COMPRESSION,
    upgrade(res: HttpResponse, req: HttpRequest, socketContext: SocketContext) {
      const origin = req.getHeader("origin");
      const isFull = state.draining || streams.connections.size >= MAX_CONNECTIONS;
      const overload = isFull ? FULL : gate.admits() ? null : TOO_BUSY;
      const forbidden = overload === null ? (access?.refusal(req, "check") ?? null) : null;
      const refusal = cors.admits(origin) ? (overload ?? forbidden) : FOREIGN;
      if (refusal !== null) {
        if (refusal === forbidden) state.counters.add("unauthorized");
        send(res, refusal, cors.headers(origin), true);
        return;
      }
      const data: StreamData = { connection: null };
      res.upgrade(
        data,
        req.getHeader("sec-websocket-key"),
        req.getHeader("sec-websocket-protocol"),
        req.getHeader("sec-websocket-extensions"),
        socketContext,
      );
    },
    open(socket) {
      const connection = new StreamConnection(streams, socket);
      socket.getUserData().connection = connection;
      streams.connections.add(connection);
    },
    message(socket, message, isBinary) {
      if (isBinary) socket.getUserData().connection?.receive(new Uint8Array(message));
      else socket.end(UNSUPPORTED, "messages are binary");
    },
    drain(socket: WebSocket<StreamData>) {
      socket.getUserData().connection?.drained();
    },
    close(socket) {
      const { connection } = socket.getUserData();
      if (connection === null) return;
      streams.connections.delete(connection);
      connection.closed();
    },
  });
  return streams;
}

/** Turns of the load gate (50 ms each at least) without a whole message after which a connection may be closed to free memory. */
const STALE = 200;

/** Most connections closed at a time to free memory. */
const MAX_CLOSED = 256;

/**
 * Closes the connections that have said nothing for longest. uWebSockets.js keeps the beginnings of messages, which nobody
 * here sees, so whoever leaves many messages unfinished looks idle.
 */
function closeStalest(streams: StreamContext): void {
  const stale = [...streams.connections].filter(({ heardAt }) => streams.gate.turns - heardAt > STALE);
  const chosen = stale.toSorted((one, other) => one.heardAt - other.heardAt).slice(0, MAX_CLOSED);
  if (chosen.length > 0) log(`memory is short: ${chosen.length} silent streams are closed`);
  for (const connection of chosen) connection.drop();
}

/** Close code of a message of a kind that is not taken (RFC 6455 section 7.4.1). */
const UNSUPPORTED = 1003;
