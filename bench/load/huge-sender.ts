/**
 * Sends the same large request at a fixed rate, at most one in flight on each connection, as a process of its own: what goes on beside
 * the small requests that are measured. It is as little in their way as it can be: of the lowest priority, and it reads no more of an
 * answer than its length. `huge-sender.ts <port> <connections> <seconds> <rate> <request file>` prints one JSON line (HugeLoad).
 */
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setPriority } from "node:os";

import { splitRequestFile } from "./http-requests.ts";
import { median } from "../report/statistics.ts";

/** What it reports. */
export interface HugeLoad {
  readonly answers: number;
  readonly failed: number;
  /** Median over the answers, in milliseconds. */
  readonly milliseconds: number;
  readonly answerBytes: number;
}

setPriority(19);
const [port = 0, connections = 1, seconds = 1, rate = 1] = process.argv.slice(2, 6).map(Number);
const [request = Buffer.alloc(0)] = splitRequestFile(readFileSync(process.argv[6] ?? ""));
const end = performance.now() + seconds * 1000;
const times: number[] = [];
let failed = 0;
let answerBytes = 0;

/** Milliseconds from one request of a connection to its next. */
const interval = (1000 * connections) / rate;

/** Asks until the time is over; connection `index` begins that many requests later than the first. */
function ask(index: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let began = 0;
    let due = performance.now() + (index * interval) / connections;
    let head = "";
    /** Bytes of the answer that are missing; -1 while its head is. */
    let missing = -1;
    const send = (): void => {
      began = performance.now();
      head = "";
      missing = -1;
      socket.write(request);
    };
    const sendWhenDue = (): void => {
      setTimeout(send, Math.max(0, due - performance.now()));
    };
    socket.on("connect", sendWhenDue);
    socket.on("error", () => failed++);
    socket.on("close", () => resolve());
    socket.on("data", (chunk: Buffer) => {
      if (missing < 0) {
        head += chunk.toString("latin1");
        const headEnd = head.indexOf("\r\n\r\n");
        if (headEnd < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (!head.startsWith("HTTP/1.1 200")) failed++;
        answerBytes = length;
        missing = headEnd + 4 + length - head.length;
      } else missing -= chunk.length;
      if (missing > 0) return;
      times.push(performance.now() - began);
      due = Math.max(due + interval, performance.now());
      if (due < end) sendWhenDue();
      else socket.destroy();
    });
  });
}

await Promise.all(Array.from({ length: connections }, (_, index) => ask(index)));
const result: HugeLoad = { answers: times.length, failed, milliseconds: median(times), answerBytes };
console.log(JSON.stringify(result));
