/**
 * The load generator for `/v1/stream`, a process of its own and as cheap as Node allows: messages are masked and encoded once,
 * written by `net` as they are, and answers are counted by their lengths without decoding them. Each connection keeps a fixed
 * number of requests in flight, as messages of many frames: a message is sent again when all of its frames are answered. Some
 * answers are kept for the parent to verify.
 * `stream-generator.ts <port> <path> <connections> <seconds> <message file>` prints one JSON line (StreamLoad). The message file
 * has the layout of http-requests.ts: the payloads of the messages that each connection has in flight, one set for all. In echo
 * mode (path `/echo`) a message counts when its bytes are back.
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

import { splitRequestFile } from "./http-requests.ts";
import type { StreamLoad } from "./stream-load.ts";
import {
  headLength,
  isBinary,
  maskedMessage,
  MOST_HEAD,
  payloadLength,
  upgradeRequest,
} from "./web-socket-frames.ts";

const [port = 0] = process.argv.slice(2, 3).map(Number);
const path = process.argv[3] ?? "";
const [connectionCount = 1, seconds = 1] = process.argv.slice(4, 6).map(Number);
const isEcho = path === "/echo";

const WARM_UP_MILLISECONDS = 1000;
/** Length of the times of which the best is reported. */
const WINDOW_MILLISECONDS = 200;
const READ_BUFFER = 1024 * 1024;
/** One answer in this many is kept, and never more than `MOST_SAMPLES`. */
const SAMPLE_EVERY = 20_000;
const MOST_SAMPLES = 200;
const NOTHING = Buffer.alloc(0);

const payloads = splitRequestFile(readFileSync(process.argv[6] ?? ""));
const messages = payloads.map(maskedMessage);
/** Frames of each message; ids run through the messages in order. */
const framesOf = payloads.map(countFrames);
const messageOfId = framesOf.flatMap((frames, message) => Array.from({ length: frames }, () => message));

let answers = 0;
let failed = 0;
let counting = false;
let running = true;
const samples: { id: number; response: string }[] = [];

/** Walks over `[id, bin]` frames. */
function countFrames(payload: Buffer): number {
  let frames = 0;
  for (let at = 0; at < payload.byteLength; frames++) at = frameEnd(payload, at);
  return frames;
}

/** Position of the `bin` head of the frame at `at`: ids below 128 take one byte, others up to 65,535 three. */
function binAt(bytes: Buffer, at: number): number {
  return bytes[at + 1] === 0xcd ? at + 4 : at + 2;
}

/** End of the frame at `at`; -1 when it is not an answer that carries a `bin`. */
function frameEnd(bytes: Buffer, at: number): number {
  const bin = binAt(bytes, at);
  const kind = bytes[bin];
  if (kind === 0xc4) return bin + 2 + (bytes[bin + 1] ?? 0);
  return kind === 0xc5 ? bin + 3 + bytes.readUInt16BE(bin + 1) : -1;
}

function lost(): void {
  if (running) failed++;
}

class StreamConnection {
  readonly socket: Socket;
  /** Answers that each message still waits for. */
  readonly #open = [...framesOf];
  #upgraded = false;
  #rest: Buffer = NOTHING;

  constructor() {
    this.socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.alloc(READ_BUFFER),
        callback: (length, buffer) => {
          this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      },
    });
    this.socket.on("error", lost).on("close", lost);
    this.socket.write(upgradeRequest(path));
  }

  #receive(chunk: Buffer): void {
    let bytes = this.#rest.byteLength === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = bytes.indexOf("\r\n\r\n");
      if (!bytes.toString("latin1").startsWith("HTTP/1.1 101") || end < 0) throw new Error("no upgrade");
      this.#upgraded = true;
      bytes = bytes.subarray(end + 4);
      for (const message of messages) this.socket.write(message);
    }
    this.#rest = this.#takeMessages(bytes);
  }

  /** Takes the whole messages in `bytes` and returns a copy of what is left. */
  #takeMessages(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes.byteLength - at >= 2) {
      const head = headLength(bytes, at);
      if (bytes.byteLength - at < Math.min(head, MOST_HEAD)) break;
      const end = at + head + payloadLength(bytes, at);
      if (end > bytes.byteLength) break;
      if (isBinary(bytes, at)) {
        if (isEcho) this.#echoed(bytes, at + head);
        else this.#answered(bytes, at + head, end);
      }
      at = end;
    }
    return at === bytes.byteLength ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  /** A whole message of ours is back. */
  #echoed(bytes: Buffer, at: number): void {
    const message = messageOfId[idAt(bytes, at)] ?? 0;
    if (counting) answers += framesOf[message] ?? 0;
    if (running) this.socket.write(messages[message] ?? "");
  }

  /** Counts the frames of one message from the daemon. */
  #answered(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      // The notice of the version comes first and alone is no answer: [nil, {...}].
      if (bytes[at + 1] === 0xc0) {
        at = noticeEnd(bytes, at);
        continue;
      }
      const end = frameEnd(bytes, at);
      if (end < 0) {
        failed++;
        return;
      }
      const id = idAt(bytes, at);
      if (counting && ++answers % SAMPLE_EVERY === 1 && samples.length < MOST_SAMPLES)
        samples.push({ id, response: bytes.toString("base64", binAt(bytes, at), end) });
      const message = messageOfId[id] ?? 0;
      const open = (this.#open[message] ?? 0) - 1;
      this.#open[message] = open === 0 ? (framesOf[message] ?? 0) : open;
      if (open === 0 && running) this.socket.write(messages[message] ?? "");
      at = end;
    }
  }
}

function idAt(bytes: Buffer, at: number): number {
  return bytes[at + 1] === 0xcd ? bytes.readUInt16BE(at + 2) : (bytes[at + 1] ?? 0);
}

/** End of `[nil, {bundle: "<up to 31 characters>"}]`. */
function noticeEnd(bytes: Buffer, at: number): number {
  // array, nil, map of one (msgpackr writes it with a length of 16 bits), key of 6 characters with its head; then a string.
  const text = at + (bytes[at + 2] === 0xde ? 5 : 3) + 7;
  const first = bytes[text] ?? 0;
  return first === 0xd9 ? text + 2 + (bytes[text + 1] ?? 0) : text + 1 + (first & 0x1f);
}

const connections = Array.from({ length: connectionCount }, () => new StreamConnection());
setTimeout(() => {
  counting = true;
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  let best = 0;
  let windowStart = started;
  let before = 0;
  const windows = setInterval(() => {
    const now = performance.now();
    best = Math.max(best, ((answers - before) * 1000) / (now - windowStart));
    windowStart = now;
    before = answers;
  }, WINDOW_MILLISECONDS);
  setTimeout(() => {
    running = false;
    clearInterval(windows);
    const cpu = process.cpuUsage(cpuBefore);
    const elapsed = performance.now() - started;
    const result: StreamLoad = {
      requests: answers,
      seconds: elapsed / 1000,
      best,
      failed,
      generatorBusy: (cpu.user + cpu.system) / 1000 / elapsed,
      samples,
    };
    for (const connection of connections) connection.socket.destroy();
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }, seconds * 1000);
}, WARM_UP_MILLISECONDS);
