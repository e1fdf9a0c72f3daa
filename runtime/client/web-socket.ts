/**
 * The client's side of a WebSocket (RFC 6455), as far as `/v1/stream` needs it: binary messages over TCP or a Unix socket. Node 20
 * has no WebSocket of its own. No compression, no subprotocols; a server that answers anything else is closed.
 */
import { createHash, randomBytes } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";
import type { Address } from "./address.ts";

/** Largest message accepted from the server, in bytes. */
const MAX_MESSAGE = 256 * 1024 * 1024;

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const CONTINUATION = 0;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

export interface WebSocketEvents {
  message(bytes: Uint8Array): void;
  /** Called exactly once, also when the connection never came about. */
  closed(reason: string): void;
}

/** An open WebSocket. */
export class ClientSocket {
  readonly #socket: Socket;
  readonly #events: WebSocketEvents;
  /** Bytes that are no whole frame yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes that the next frame needs before it is worth looking again. */
  #needed = 2;
  #fragments: Buffer[] = [];
  #open = true;

  /** Connects; `headers` are further ones of the handshake. Rejects when the server does not accept, or after `timeoutMs`; `events.closed` is not called then. */
  static connect(
    address: Address,
    path: string,
    timeoutMs: number,
    events: WebSocketEvents,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<ClientSocket> {
    const key = randomBytes(16).toString("base64");
    const expected = createHash("sha1")
      .update(key + GUID)
      .digest("base64");
    return new Promise((resolve, reject) => {
      const call = request({
        ...address.target,
        path,
        agent: false,
        headers: {
          ...headers,
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Version": "13",
          "Sec-WebSocket-Key": key,
        },
      });
      const timer = setTimeout(() => call.destroy(new Error("the server did not answer in time")), timeoutMs);
      call.on("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      call.on("response", (response) => {
        clearTimeout(timer);
        response.resume();
        reject(new Error(`the server answered ${response.statusCode} instead of a WebSocket`));
      });
      call.on("upgrade", (response, socket, head) => {
        clearTimeout(timer);
        if (response.headers["sec-websocket-accept"] !== expected) {
          socket.destroy();
          reject(new Error("the server's handshake is wrong"));
          return;
        }
        const opened = new ClientSocket(socket, events);
        resolve(opened);
        // Not before the caller has it.
        if (head.byteLength > 0) queueMicrotask(() => opened.#receive(head));
      });
      call.end();
    });
  }

  private constructor(socket: Socket, events: WebSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#end(error.message));
    socket.on("close", () => this.#end("the connection was lost"));
  }

  /** Sends a binary message; `message` is copied. */
  send(message: Uint8Array): void {
    this.#write(BINARY, message);
  }

  /** Stops and continues reading. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Lets the process end while the connection is idle, or not. */
  hold(isBusy: boolean): void {
    if (isBusy) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (this.#open) this.#write(CLOSE, new Uint8Array([0x03, 0xe8]));
    this.#socket.end();
    this.#end("closed");
  }

  #end(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#socket.destroySoon();
    this.#events.closed(reason);
  }

  #write(opcode: number, payload: Uint8Array): void {
    const length = payload.byteLength;
    const width = length < 126 ? 0 : length < 0x1_00_00 ? 2 : 8;
    // The payload starts at a multiple of 4, so that it can be masked by words.
    const start = width === 8 ? 16 : 8;
    const head = start - 2 - width - 4;
    const bytes = new Uint8Array((start + length + 3) & ~3);
    const view = new DataView(bytes.buffer);
    bytes[head] = 0x80 | opcode;
    bytes[head + 1] = 0x80 | (width === 0 ? length : width === 2 ? 126 : 127);
    if (width === 2) view.setUint16(head + 2, length);
    else if (width === 8) view.setBigUint64(head + 2, BigInt(length));
    bytes.set(randomBytes(4), start - 4);
    bytes.set(payload, start);
    const words = new Uint32Array(bytes.buffer);
    const mask = words[start / 4 - 1] ?? 0;
    for (let index = start / 4; index < words.length; index++) words[index] = (words[index] ?? 0) ^ mask;
    this.#socket.write(bytes.subarray(head, start + length));
  }

  #receive(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.byteLength;
    if (this.#pendingBytes < this.#needed) return;
    const bytes = this.#pending.length === 1 ? chunk : Buffer.concat(this.#pending);
    let at = 0;
    while (this.#open) {
      const end = this.#frame(bytes, at);
      if (end < 0) break;
      at = end;
    }
    const rest = bytes.subarray(at);
    this.#pending = rest.byteLength === 0 ? [] : [rest];
    this.#pendingBytes = rest.byteLength;
  }

  /** Takes the frame at `at`; returns its end, or -1 when it is not all there. */
  #frame(bytes: Buffer, at: number): number {
    const available = bytes.byteLength - at;
    const short = (needed: number): -1 => {
      this.#needed = needed;
      return -1;
    };
    if (available < 2) return short(2);
    const first = bytes[at] ?? 0;
    let length = (bytes[at + 1] ?? 0) & 0x7f;
    const width = length === 126 ? 2 : length === 127 ? 8 : 0;
    if (available < 2 + width) return short(2 + width);
    if (width === 2) length = bytes.readUInt16BE(at + 2);
    else if (width === 8) length = Number(bytes.readBigUInt64BE(at + 2));
    const isMasked = ((bytes[at + 1] ?? 0) & 0x80) !== 0;
    if (isMasked || (first & 0x70) !== 0 || length > MAX_MESSAGE) {
      this.#end("the server broke the protocol");
      return -1;
    }
    const start = at + 2 + width;
    if (bytes.byteLength < start + length) return short(2 + width + length);
    this.#take(first & 0x0f, (first & 0x80) !== 0, bytes.subarray(start, start + length));
    return start + length;
  }

  #take(opcode: number, isLast: boolean, payload: Buffer): void {
    if (opcode === BINARY && isLast && this.#fragments.length === 0) this.#events.message(payload);
    else if (opcode === BINARY || opcode === CONTINUATION) {
      this.#fragments.push(payload);
      const size = this.#fragments.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (size > MAX_MESSAGE) this.#end("the server broke the protocol");
      else if (isLast) this.#events.message(Buffer.concat(this.#fragments.splice(0)));
    } else if (opcode === PING) this.#write(PONG, Buffer.from(payload));
    else if (opcode === CLOSE) {
      const code = payload.byteLength >= 2 ? payload.readUInt16BE(0) : 1005;
      const reason = payload.subarray(2).toString("utf8");
      this.#write(CLOSE, Buffer.from(payload.subarray(0, 2)));
      this.#end(`the server closed the stream (${code}${reason === "" ? "" : `: ${reason}`})`);
    } else if (opcode !== PONG) this.#end("the server broke the protocol");
  }
}
