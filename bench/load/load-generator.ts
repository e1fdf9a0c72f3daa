/**
 * The load generator for latencies, a process of its own. Open loop: request n is due at start + n / rate, whatever the
 * server does, is sent on the connection that has been free for longest, and its latency counts from the moment it was due:
 * waiting for a free connection counts too (no coordinated omission). Like HTTP clients for POST, a connection has one request
 * in flight. With rate 0 it is a closed loop: a connection asks again once it is answered. The event loop never sleeps, so
 * that no timer decides when a request leaves; the process takes a whole core.
 * `load-generator.ts <port> <connections> <seconds> <rate> <request file>` prints one JSON line (GeneratedLoad).
 */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

import { AnswerReader } from "./answer-reader.ts";
import { splitRequestFile } from "./http-requests.ts";
import { newHistogram, record, summarise } from "./latency-histogram.ts";
import type { GeneratedLoad, LoadSecond } from "./generated-load.ts";

const [port = 0, connectionCount = 1, seconds = 1, rate = 0] = process.argv.slice(2, 6).map(Number);
const requests = splitRequestFile(readFileSync(process.argv[6] ?? ""));
if (requests.length === 0) throw new Error("no requests to send");

/** Before anything is recorded: code is compiled, caches are filled. */
const WARM_UP_MILLISECONDS = 1000;
/** After the last request was due: how long answers are waited for. */
const PATIENCE_MILLISECONDS = 5000;
const READ_BUFFER = 256 * 1024;
/** Far less than a request and far more than what times lose when they are added and subtracted. */
const ROUNDING = 1e-6;

/** When measuring starts and ends, by `performance.now`. */
let measureFrom = 0;
let measureTo = 0;
const latencies = newHistogram();
/** How late requests were sent for which a connection was free. */
const lags = newHistogram();
const perSecond = Array.from({ length: Math.ceil(seconds) }, newHistogram);
const sizes = new Map<number, number>();
/** Requests that were due while measuring. */
let wanted = 0;
let failed = 0;
let finished = false;
let turn = 0;
/** The one that is free for longest comes first. */
const free: Connection[] = [];
/** Sends what is overdue; null while nothing is. */
let catchUp: (() => void) | null = null;

class Connection {
  readonly socket: Socket;
  /** When the request in flight was due, -1 when there is none. */
  #due = -1;
  #isLost = false;

  constructor(ready: () => void) {
    const reader = new AnswerReader((ok, length) => this.#answered(ok, length));
    this.socket = connect({
      host: "127.0.0.1",
      port,
      noDelay: true,
      onread: {
        buffer: Buffer.alloc(READ_BUFFER),
        callback: (length, buffer) => {
          reader.read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
          return true;
        },
      },
    });
    const lost = (): void => {
      if (finished || this.#isLost) return;
      this.#isLost = true;
      // In the open loop, what was in flight is found in the end: it was due and has no answer.
      failed += rate === 0 && this.#due >= 0 ? 1 : 0;
      this.#due = -1;
    };
    this.socket.once("connect", ready).on("error", lost).on("close", lost);
  }

  get isIdle(): boolean {
    return this.#due < 0;
  }

  /** Sends the next request, which was due at `due`. */
  ask(due: number): void {
    this.#due = due;
    const request = requests[turn];
    turn = turn + 1 === requests.length ? 0 : turn + 1;
    if (request !== undefined) this.socket.write(request);
  }

  #answered(ok: boolean, bodyLength: number): void {
    const due = this.#due;
    this.#due = -1;
    const now = performance.now();
    if (due >= measureFrom && due < measureTo) {
      record(latencies, now - due);
      const second = perSecond[Math.floor((due - measureFrom) / 1000)];
      if (second !== undefined) record(second, now - due);
      sizes.set(bodyLength, (sizes.get(bodyLength) ?? 0) + 1);
      if (!ok) failed++;
    }
    if (rate > 0) {
      free.push(this);
      catchUp?.();
    } else if (now < measureTo) this.ask(now);
  }
}

/** Connects all, then calls back. */
async function openConnections(): Promise<Connection[]> {
  const opened: Connection[] = [];
  for (let index = 0; index < connectionCount; index++) {
    await new Promise<void>((resolve, reject) => {
      const connection = new Connection(resolve);
      connection.socket.once("error", reject);
      opened.push(connection);
    });
  }
  return opened;
}

/** Sends the requests that are due, and comes back as soon as the event loop has looked at the sockets. */
function deal(connections: readonly Connection[], start: number): void {
  free.push(...connections);
  const interval = 1000 / rate;
  let dealt = 0;
  const dueAt = (): number => start + dealt * interval;
  /** The first request that is due at `time` or later. */
  const numberAt = (time: number): number => Math.ceil((time - start) / interval - ROUNDING);
  const sendDue = (now: number): void => {
    for (let due = dueAt(); due <= now && due < measureTo; due = dueAt()) {
      const connection = free.shift();
      if (connection === undefined) {
        // What is due now waits for the server, not for this process, and is sent as soon as an answer comes.
        catchUp ??= () => sendDue(performance.now());
        return;
      }
      connection.ask(due);
      dealt++;
      if (due < measureFrom) continue;
      wanted++;
      if (catchUp === null) record(lags, now - due);
    }
    catchUp = null;
  };
  const step = (): void => {
    const now = performance.now();
    sendDue(now);
    if (dueAt() < measureTo && now < measureTo + PATIENCE_MILLISECONDS) {
      setImmediate(step);
      return;
    }
    // What has never been sent was wanted as well.
    wanted += Math.max(0, numberAt(measureTo) - Math.max(dealt, numberAt(measureFrom)));
    finish(connections);
  };
  step();
}

function finish(connections: readonly Connection[]): void {
  const isDone = (): boolean => connections.every((connection) => connection.isIdle);
  const wait = (): void => {
    if (!isDone() && performance.now() < measureTo + PATIENCE_MILLISECONDS) {
      setTimeout(wait, 5);
      return;
    }
    finished = true;
    for (const connection of connections) connection.socket.destroy();
    report();
  };
  wait();
}

function report(): void {
  const startedAt = performance.timeOrigin + measureFrom;
  const result: GeneratedLoad = {
    intendedRate: rate,
    rate: latencies.totalCount / seconds,
    // In the open loop, requests without any answer have failed as well.
    failed: failed + (rate === 0 ? 0 : Math.max(0, wanted - latencies.totalCount)),
    latency: summarise(latencies),
    lagP99: lags.getValueAtPercentile(99),
    seconds: perSecond.map((histogram, index): LoadSecond => ({
      startedAt: startedAt + index * 1000,
      count: histogram.totalCount,
      p99: histogram.getValueAtPercentile(99),
      max: histogram.maxValue,
    })),
    sizes: Object.fromEntries([...sizes].sort(([a], [b]) => a - b)),
  };
  console.log(JSON.stringify(result));
}

const connections = await openConnections();
const start = performance.now();
measureFrom = start + WARM_UP_MILLISECONDS;
measureTo = measureFrom + seconds * 1000;
if (rate > 0) deal(connections, start);
else {
  for (const connection of connections) connection.ask(performance.now());
  setTimeout(() => finish(connections), measureTo - performance.now());
}
