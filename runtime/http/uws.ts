/**
 * Loads uWebSockets.js and declares the part of its API that edict uses. The package is a native addon with a binary
 * per Node version, so loading it can fail on a machine where everything else works; that is said in plain words.
 */
import { createRequire } from "node:module";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";

/** Strings or bytes; bytes are copied before the call returns. */
export type Bytes = string | ArrayBuffer | Uint8Array;

/** A response; invalid after `end` or once `onAborted` was called. */
export interface HttpResponse {
  writeStatus(status: string | Uint8Array): HttpResponse;
  writeHeader(name: string, value: string | Uint8Array): HttpResponse;
  end(body?: Bytes, closeConnection?: boolean): HttpResponse;
  /**
   * Sends a piece of a body of `totalSize` bytes. Answers whether all of the piece was taken (the rest must be given again once
   * `onWritable` says from where on), and whether the body is complete, after which the response is invalid.
   */
  tryEnd(piece: Bytes, totalSize: number): [boolean, boolean];
  /** `offset` is the first byte of the body that was not taken. Returns whether what is left was taken now. */
  onWritable(handler: (offset: number) => boolean): HttpResponse;
  /** Only without arguments: given a length, the alias leaves the response open, and the process dies of it. */
  endWithoutBody(): HttpResponse;
  /** How many bytes of the body were taken so far. */
  getWriteOffset(): number;
  /** Closes the connection at once; the abort handler is called. */
  close(): HttpResponse;
  /** A later call replaces the handler. */
  onAborted(handler: () => void): HttpResponse;
  /** Chunks are detached when the handler returns. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): HttpResponse;
  cork(callback: () => void): HttpResponse;
  /** Stops and continues reading from the connection; what was read already is still handled. */
  pause(): void;
  resume(): void;
  /** Turns the connection into a WebSocket; `open` is called before it returns. */
  upgrade(data: unknown, key: string, protocol: string, extensions: string, context: SocketContext): void;
}

/** Opaque: what an upgrade handler hands on. */
export type SocketContext = { readonly socketContext: never };

/** A WebSocket; valid until the close handler was called. */
export interface WebSocket<Data = unknown> {
  /** 1 when it was sent, 0 when it waits to be, 2 when it was dropped. Bytes are copied. */
  send(message: Bytes, isBinary?: boolean): number;
  /** Bytes that wait to be sent. */
  getBufferedAmount(): number;
  /** Sends a close frame; the close handler is called before it returns. */
  end(code?: number, reason?: string): void;
  /** Closes at once. */
  close(): void;
  cork(callback: () => void): void;
  getUserData(): Data;
}

export interface WebSocketBehavior<Data> {
  readonly maxPayloadLength: number;
  readonly maxBackpressure: number;
  readonly idleTimeout: number;
  readonly sendPingsAutomatically: boolean;
  readonly compression: number;
  upgrade(res: HttpResponse, req: HttpRequest, context: SocketContext): void;
  open(socket: WebSocket<Data>): void;
  /** `message` is detached when the handler returns. The socket is corked meanwhile. */
  message(socket: WebSocket<Data>, message: ArrayBuffer, isBinary: boolean): void;
  drain(socket: WebSocket<Data>): void;
  close(socket: WebSocket<Data>, code: number, message: ArrayBuffer): void;
}

/** A request; valid only until the route handler returns. */
export interface HttpRequest {
  getHeader(lowerCaseName: string): string;
  getUrl(): string;
  /** Lower-case. */
  getMethod(): string;
  /** The decoded value, or undefined or "" when absent. */
  getQuery(name: string): string | undefined;
}

export type Handler = (res: HttpResponse, req: HttpRequest) => void;

/** Opaque handle of a listening socket. */
export type ListenSocket = { readonly listenSocket: never };

export interface App {
  get(pattern: string, handler: Handler): App;
  post(pattern: string, handler: Handler): App;
  any(pattern: string, handler: Handler): App;
  ws<Data>(pattern: string, behavior: WebSocketBehavior<Data>): App;
  listen(host: string, port: number, callback: (socket: ListenSocket | false) => void): App;
  /** Without a host: every interface, IPv6 and IPv4. */
  listen(port: number, callback: (socket: ListenSocket | false) => void): App;
  listen_unix(callback: (socket: ListenSocket | false) => void, path: string): App;
  /** Closes all sockets at once. */
  close(): App;
}

/** PEM files of an app that speaks TLS. */
export interface TlsFiles {
  readonly cert_file_name: string;
  readonly key_file_name: string;
}

export interface Uws {
  App(): App;
  /** Throws when it cannot use the files. */
  SSLApp(files: TlsFiles): App;
  readonly closeSocket: (socket: ListenSocket) => void;
  readonly getSocketPort: (socket: ListenSocket) => number;
}

/** The official build's names for two functions that the alias calls otherwise. */
interface OfficialNames {
  readonly us_listen_socket_close: (socket: ListenSocket) => void;
  readonly us_socket_local_port: (socket: ListenSocket) => number;
}

/** Loads the addon. Throws `ServeError` when this Node has no binary for it. */
export function loadUws(): Uws {
  try {
    const loaded = createRequire(import.meta.url)("uWebSockets.js") as Uws & Partial<OfficialNames>;
    return {
      App: () => loaded.App(),
      SSLApp: (files) => loaded.SSLApp(files),
      closeSocket: (socket) => (loaded.us_listen_socket_close ?? loaded.closeSocket)(socket),
      getSocketPort: (socket) => (loaded.us_socket_local_port ?? loaded.getSocketPort)(socket),
    };
  } catch (error) {
    throw new ServeError(
      "EDICT_SERVER_UNAVAILABLE",
      `uWebSockets.js has no binary for Node ${process.version} on ${process.platform} ${process.arch}; use Node 20, ` +
        `or install the official uWebSockets.js build for your Node under the same name (see README.md): ${oneLine(error)}`,
      { cause: error },
    );
  }
}
