/**
 * Requests over one connection to `/v1/stream`: those of one tick are the frames of one message. The connection is opened with the
 * first request and again after it was lost; what was in flight then counts as unavailable, and is asked again by the client.
 */
import { pack, unpack, unpackMultiple } from "msgpackr";
import type { CheckRequest, CheckResponse } from "../guest/messages.ts";
import type { Address } from "./address.ts";
import { type Outcome, type Transport, unavailable } from "./transport.ts";
import { ClientSocket } from "./web-socket.ts";

/** The gRPC code of an answer that is worth another try. */
const CODE_UNAVAILABLE = 14;
/** The gRPC code of a failure inside the server. */
const CODE_INTERNAL = 13;

/** Most frames and bytes in one message; the server takes 1,024 frames and its largest body. */
const MAX_FRAMES = 512;
const MAX_MESSAGE = 1024 * 1024;

interface Waiting {
  readonly resolve: (outcome: Outcome) => void;
  readonly timer: NodeJS.Timeout;
}

export class StreamTransport implements Transport {
  readonly #address: Address;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #waiting = new Map<number, Waiting>();
  #connecting: Promise<ClientSocket> | null = null;
  #socket: ClientSocket | null = null;
  #nextId = 0;

  /** `headers` are further ones of the handshake. */
  constructor(address: Address, headers: Readonly<Record<string, string>> = {}) {
    this.#address = address;
    this.#headers = headers;
  }

  send(requests: readonly CheckRequest[], timeoutMs: number): readonly Promise<Outcome>[] {
    const frames: Buffer[] = [];
    const ids: number[] = [];
    const outcomes = requests.map(
      (request) =>
        new Promise<Outcome>((resolve) => {
          const id = this.#nextId;
          this.#nextId = (id + 1) >>> 0;
          const timer = setTimeout(() => this.#settle(id, unavailable("no answer in time")), timeoutMs);
          this.#waiting.set(id, { resolve, timer });
          // As JSON says it, so that both transports leave out the same and ask the same.
          frames.push(pack([id, pack(JSON.parse(JSON.stringify(request)))]));
          ids.push(id);
        }),
    );
    this.#hold();
    this.#connect(timeoutMs).then(
      (socket) => sendFrames(socket, frames),
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error);
        for (const id of ids) this.#settle(id, unavailable(message));
      },
    );
    return outcomes;
  }

  close(): void {
    this.#socket?.close();
  }

  #connect(timeoutMs: number): Promise<ClientSocket> {
    if (this.#socket !== null) return Promise.resolve(this.#socket);
    const events = {
      message: (bytes: Uint8Array) => this.#receive(bytes),
      closed: (reason: string) => {
        this.#socket = null;
        for (const id of this.#waiting.keys()) this.#settle(id, unavailable(reason));
      },
    };
    this.#connecting ??= ClientSocket.connect(this.#address, "/v1/stream", timeoutMs, events, this.#headers)
      .then((socket) => {
        this.#socket = socket;
        this.#hold();
        return socket;
      })
      .finally(() => {
        this.#connecting = null;
      });
    return this.#connecting;
  }

  #receive(bytes: Uint8Array): void {
    let frames: unknown[];
    try {
      frames = unpackMultiple(Buffer.from(bytes)) ?? [];
    } catch {
      this.#socket?.close();
      return;
    }
    for (const frame of frames) {
      if (!Array.isArray(frame) || typeof frame[0] !== "number") continue;
      this.#settle(frame[0], readAnswer(frame));
    }
  }

  #settle(id: number, outcome: Outcome): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(outcome);
    this.#hold();
  }

  /** An idle connection does not keep the process alive. */
  #hold(): void {
    this.#socket?.hold(this.#waiting.size > 0);
  }
}

/** Sends frames in as few messages as the server takes. */
function sendFrames(socket: ClientSocket, frames: readonly Buffer[]): void {
  let message: Buffer[] = [];
  let size = 0;
  for (const frame of frames) {
    if (message.length === MAX_FRAMES || (size > 0 && size + frame.byteLength > MAX_MESSAGE)) {
      socket.send(Buffer.concat(message));
      message = [];
      size = 0;
    }
    message.push(frame);
    size += frame.byteLength;
  }
  socket.send(Buffer.concat(message));
}

function readAnswer(frame: readonly unknown[]): Outcome {
  const [, body, extra] = frame;
  if (body === null) {
    const { code, message, retryAfter } = (extra ?? {}) as Readonly<Record<string, unknown>>;
    const text = typeof message === "string" ? message : "no message";
    if (code === CODE_UNAVAILABLE) {
      return unavailable(text, typeof retryAfter === "number" ? retryAfter * 1000 : undefined);
    }
    if (code === CODE_INTERNAL) return { kind: "unavailable", message: text, isFinal: true };
    return { kind: "refused", message: text };
  }
  try {
    const response = (body instanceof Uint8Array ? unpack(body) : body) as CheckResponse | null;
    if (Array.isArray(response?.results)) return { kind: "response", response };
  } catch {
    // What cannot be read is no decision.
  }
  return { kind: "unavailable", message: "the server's answer is no decision", isFinal: true };
}
