/**
 * The load generator for gRPC, a process of its own: encoded requests over one channel, a fixed number in flight, answers kept as
 * bytes. `grpc-generator.ts <port> <in flight> <seconds> <request file>` prints one JSON line: a LoadResult, and the answers to
 * the first requests, in Base64, for the parent to compare.
 */
import { readFileSync } from "node:fs";

import { splitRequestFile } from "../load/http-requests.ts";
import type { LoadResult } from "../load/load-result.ts";
import { newHistogram, record, summarise } from "../load/latency-histogram.ts";
import { optionalCommonJs } from "./peer.ts";

interface Grpc {
  readonly credentials: { createInsecure(): unknown };
  readonly Client: new (address: string, credentials: unknown) => GrpcClient;
}
interface GrpcClient {
  makeUnaryRequest(
    path: string,
    serialize: (bytes: Buffer) => Buffer,
    deserialize: (bytes: Buffer) => Buffer,
    argument: Buffer,
    callback: (error: Error | null, answer?: Buffer) => void,
  ): void;
  close(): void;
}

const PATH = "/cerbos.svc.v1.CerbosService/CheckResources";
const COMPARED = 20;
const WARM_UP_MILLISECONDS = 1000;

const [port = 0, inFlight = 1, seconds = 1] = process.argv.slice(2, 5).map(Number);
const requests = splitRequestFile(readFileSync(process.argv[5] ?? ""));
const library = await optionalCommonJs<Grpc>("@grpc/grpc-js");
if (library === undefined) throw new Error("grpc-js is not installed");
const client = new library.Client(`127.0.0.1:${port}`, library.credentials.createInsecure());

const same = (bytes: Buffer): Buffer => bytes;

async function ask(request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(PATH, same, same, request, (error, answer) => {
      if (answer === undefined) reject(error ?? new Error("no answer"));
      else resolve(answer);
    });
  });
}

const answers: string[] = [];
for (const request of requests.slice(0, COMPARED)) answers.push((await ask(request)).toString("base64"));

const latencies = newHistogram();
const from = performance.now() + WARM_UP_MILLISECONDS;
const to = from + seconds * 1000;
let turn = 0;
let failed = 0;

async function worker(): Promise<void> {
  for (;;) {
    const started = performance.now();
    if (started >= to) return;
    const request = requests[turn];
    turn = turn + 1 === requests.length ? 0 : turn + 1;
    try {
      await ask(request ?? Buffer.alloc(0));
    } catch {
      failed++;
    }
    const now = performance.now();
    if (now >= from && now < to) record(latencies, now - started);
  }
}

await Promise.all(Array.from({ length: inFlight }, worker));
client.close();
const { count, p50, p99 } = summarise(latencies);
const result: LoadResult = { requests: count, seconds, failed, p50, p99 };
console.log(JSON.stringify({ result, answers }));
