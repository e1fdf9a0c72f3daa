/**
 * A TCP connection that sends whatever it is told and understands what comes back: HTTP/1.1 responses, then, once
 * upgraded, WebSocket frames. Knows nothing of requests; a response that is no HTTP is an error of its own.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface RawResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface RawFrame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

const HEAD_END = Buffer.from("\r\n\r\n");
const BYTES_16 = 126;
const BYTES_64 = 127;

export class RawConnection {
  readonly responses: RawResponse[] = [];
  readonly frames: RawFrame[] = [];
  /** What the server sent that is neither a response nor a frame; null for nothing. */
  nonsense: string | null = null;
  closed = false;
  readonly #socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #wake: (() => void) | null = null;
  /** Whether the next response is to a HEAD, and has no body whatever its headers say. */
  expectsHead = false;

  static async open(port: number): Promise<RawConnection> {
    const socket = connect({ host: "127.0.0.1", port });
    await once(socket, "connect");
    return new RawConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      this.#read();
      this.#wake?.();
    });
    socket.on("error", () => this.#end());
    socket.on("close", () => this.#end());
  }

  write(bytes: Uint8Array): void {
    if (!this.closed) this.#socket.write(bytes);
  }

  /** Ends the connection from this side, at once. */
  destroy(): void {
    this.#socket.destroy();
    this.#end();
  }

  /** Waits until the condition holds, the connection is closed or the time is up; whether the condition holds. */
  async until(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    while (!condition() && !this.closed && this.nonsense === null) {
      const left = deadline - performance.now();
      if (left <= 0) break;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = null;
    return condition();
  }

  #end(): void {
    this.closed = true;
    this.#wake?.();
  }

  #read(): void {
    while (this.#pending.length > 0 && this.nonsense === null) {
      const used = this.#upgraded ? this.#readFrame() : this.#readResponse();
      if (used === 0) return;
      this.#pending = this.#pending.subarray(used);
    }
  }

  /** Bytes of the response at the start, 0 when it is not all there. */
  #readResponse(): number {
    const bytes = this.#pending;
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return 0;
    const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${first} `)?.[1]);
    const headers = new Map<string, string>();
    for (const line of lines) {
      const at = line.indexOf(":");
      headers.set(line.slice(0, at).toLowerCase(), line.slice(at + 1).trim());
    }
    const length = Number(headers.get("content-length") ?? 0);
    if (
      !Number.isInteger(status) ||
      !Number.isInteger(length) ||
      lines.some((line) => !/^[\w-]+:[^\r\n]*$/.test(line))
    ) {
      this.nonsense = bytes.subarray(0, 300).toString("latin1");
      return 0;
    }
    const start = end + HEAD_END.length;
    if (status === 101) this.#upgraded = true;
    const hasBody = status !== 101 && status !== 204 && !this.expectsHead;
    const size = hasBody ? length : 0;
    if (bytes.length < start + size) return 0;
    this.responses.push({ status, headers, body: Buffer.from(bytes.subarray(start, start + size)) });
    return start + size;
  }

  #readFrame(): number {
    const bytes = this.#pending;
    const [first = 0, second = 0] = bytes;
    if (bytes.length < 2) return 0;
    const width = (second & 0x7f) === BYTES_16 ? 2 : (second & 0x7f) === BYTES_64 ? 8 : 0;
    if (bytes.length < 2 + width) return 0;
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0) this.nonsense = `frame ${first} ${second}`;
    const length =
      width === 0 ? second & 0x7f : width === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    const start = 2 + width;
    if (bytes.length < start + length) return 0;
    this.frames.push({
      opcode: first & 0x0f,
      isFinal: (first & 0x80) !== 0,
      payload: Buffer.from(bytes.subarray(start, start + length)),
    });
    return start + length;
  }
}
