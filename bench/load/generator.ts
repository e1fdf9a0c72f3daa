/**
 * The load generator of our own, a process of its own: keep-alive connections, one request in flight on each, a new
 * one as soon as the answer is complete. Counts answers by Content-Length and parses nothing else.
 * `generator.ts <port> <connections> <seconds> <request file>` prints one JSON line (LoadResult).
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

import { splitRequestFile } from "./http-requests.ts";
import type { LoadResult } from "./load-result.ts";

const [port = 0, connections = 1, seconds = 1] = process.argv.slice(2, 5).map(Number);
const requests = splitRequestFile(readFileSync(process.argv[5] ?? ""));
if (requests.length === 0) throw new Error("no requests to send");

const HEAD_END = Buffer.from("\r\n\r\n", "latin1");
/** Latency histogram: one bucket per 10 µs, the last one for everything slower. */
const BUCKET_MICROSECONDS = 10;
const buckets = new Uint32Array(100_000);

let turn = 0;
let answers = 0;
let failed = 0;
let running = true;
const sockets: Socket[] = [];

function contentLength(head: string): number {
  const at = head.search(/content-length: /i);
  return at < 0 ? 0 : Number.parseInt(head.slice(at + 16), 10);
}

function lost(): void {
  if (running) failed++;
}

/** One connection; answers never overlap because only one request is in flight. */
function openConnection(): void {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  sockets.push(socket);
  let sentAt = 0;
  /** Bytes of the current answer still to come; 0 while waiting for its head. */
  let missing = 0;
  let early: Buffer | undefined;

  const send = (): void => {
    sentAt = performance.now();
    socket.write(requests[turn] ?? HEAD_END);
    turn = turn + 1 === requests.length ? 0 : turn + 1;
  };
  const answered = (): void => {
    answers++;
    const bucket =
      Math.min(buckets.length - 1, ((performance.now() - sentAt) * 1000) / BUCKET_MICROSECONDS) | 0;
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    if (running) send();
  };

  socket.on("connect", send);
  socket.on("data", (chunk: Buffer) => {
    if (missing > 0) {
      missing -= chunk.byteLength;
      if (missing <= 0) answered();
      return;
    }
    const bytes = early === undefined ? chunk : Buffer.concat([early, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd < 0) {
      early = bytes;
      return;
    }
    early = undefined;
    const head = bytes.toString("latin1", 0, headEnd);
    if (!head.startsWith("HTTP/1.1 2")) failed++;
    missing = headEnd + HEAD_END.byteLength + contentLength(head) - bytes.byteLength;
    if (missing <= 0) answered();
  });
  socket.on("error", lost);
  socket.on("close", lost);
}

function percentile(fraction: number): number {
  let rest = answers * fraction;
  for (let bucket = 0; bucket < buckets.length; bucket++) {
    rest -= buckets[bucket] ?? 0;
    if (rest <= 0) return (bucket + 1) * BUCKET_MICROSECONDS;
  }
  return buckets.length * BUCKET_MICROSECONDS;
}

const started = performance.now();
for (let index = 0; index < connections; index++) openConnection();
setTimeout(() => {
  running = false;
  const result: LoadResult = {
    requests: answers,
    seconds: (performance.now() - started) / 1000,
    failed,
    p50: percentile(0.5),
    p99: percentile(0.99),
  };
  for (const socket of sockets) socket.destroy();
  console.log(JSON.stringify(result));
}, seconds * 1000);
