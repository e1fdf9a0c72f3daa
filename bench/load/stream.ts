/**
 * Decisions per second over `WS /v1/stream`: four connections with 64 requests of 10 decisions in flight each, one serving
 * thread, beside a WebSocket echo of the same messages. A sample of the answers is compared with the engine's own.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { unpack } from "msgpackr";

import { Engine } from "../../runtime/index.ts";
import type { BenchOptions } from "../options.ts";
import { median, spread } from "../report/statistics.ts";
import { writeRequestFile } from "./http-requests.ts";
import { loadtestBodies, type RequestBody } from "./loadtest-set.ts";
import { mustNotFail } from "./not-measured.ts";
import { startEcho, startEdict, withServers } from "./servers.ts";
import { generateStreamLoad, type StreamLoad } from "./stream-load.ts";
import { steadily } from "./steadiness.ts";

export interface StreamRow {
  readonly server: string;
  /** Not in results of before 2026-11-22T09: it was 16. */
  readonly framesPerMessage?: number;
  /** Medians over the rounds. */
  readonly requestsPerSecond: number;
  readonly decisionsPerSecond: number;
  /** Requests per second of the best fifth of a second. Not in results of before 2026-11-22T12:30. */
  readonly bestRequestsPerSecond?: number;
  readonly spread: number;
  readonly generatorBusy: number;
}

export interface StreamResult {
  readonly connections: number;
  readonly inFlight: number;
  readonly decisionsPerRequest: number;
  readonly requestBytes: number;
  readonly verified: number;
  readonly rows: readonly StreamRow[];
}

const CONNECTIONS = 4;
const IN_FLIGHT = 64;
/** Some of a connection's requests in a message, and all of them, as a client asks who sends what it was asked for in one turn. */
const FRAMES_PER_MESSAGE = [16, IN_FLIGHT] as const;
const DECISIONS = 10;
const MOST_ROUNDS = 3;

/** `[id, bin]`; ids stay below 128. */
function frame(id: number, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0x92, id, 0xc5, body.byteLength >> 8, body.byteLength & 0xff]), body]);
}

function messagesOf(frames: readonly Buffer[], framesPerMessage: number): readonly Buffer[] {
  return Array.from({ length: Math.ceil(frames.length / framesPerMessage) }, (_, message) =>
    Buffer.concat(frames.slice(message * framesPerMessage, (message + 1) * framesPerMessage)),
  );
}

function resultsOf(response: unknown): unknown {
  return typeof response === "object" && response !== null && "results" in response
    ? response.results
    : response;
}

/** Compares sampled answers with what the engine answers in-process; returns how many were equal, throws at the first that is not. */
async function verify(bundle: Uint8Array, bodies: readonly RequestBody[], load: StreamLoad): Promise<number> {
  const engine = await Engine.load(bundle);
  for (const { id, response } of load.samples) {
    const body = bodies[id];
    if (body === undefined) throw new Error(`the stream answered an id that was not asked: ${id}`);
    const packed: unknown = unpack(Buffer.from(response, "base64"));
    const given: unknown = packed instanceof Uint8Array ? unpack(packed) : undefined;
    const expected: unknown = unpack(engine.checkBytes(body.msgpack, "msgpack").bytes);
    if (!isDeepStrictEqual(resultsOf(given), resultsOf(expected)))
      throw new Error(`the stream answered ${JSON.stringify(given)} instead of ${JSON.stringify(expected)}`);
  }
  return load.samples.length;
}

export async function measureStream(bundle: Uint8Array, options: BenchOptions): Promise<StreamResult> {
  const candidates = loadtestBodies(options.copies).filter((body) => body.decisions === DECISIONS);
  const bodies = Array.from(
    { length: IN_FLIGHT },
    (_, index) => candidates[index % candidates.length],
  ).filter((body) => body !== undefined);
  const frames = bodies.map((body, id) => frame(id, body.msgpack));
  return withServers(async (start, directory) => {
    const bundleFile = join(directory, "loadtest.edict");
    writeFileSync(bundleFile, bundle);
    const servers = [
      { server: await start(startEcho()), path: "/echo" },
      { server: await start(startEdict(bundleFile)), path: "/v1/stream" },
    ];
    const targets = FRAMES_PER_MESSAGE.flatMap((framesPerMessage) => {
      const messageFile = join(directory, `messages-of-${framesPerMessage}`);
      writeRequestFile(messageFile, messagesOf(frames, framesPerMessage));
      return servers.map(({ server, path }) => ({
        server,
        path,
        framesPerMessage,
        messageFile,
        loads: [] as StreamLoad[],
      }));
    });
    let verified = 0;
    for (let round = 0; round < Math.min(MOST_ROUNDS, options.rounds); round++) {
      for (const { server, path, messageFile, loads } of targets) {
        const load = await steadily(() =>
          generateStreamLoad({
            port: server.port,
            path,
            connections: CONNECTIONS,
            seconds: options.seconds,
            messageFile,
          }),
        );
        mustNotFail(server.name, load.failed, "requests of the stream");
        verified += await verify(bundle, bodies, load);
        loads.push(load);
      }
    }
    const rows = targets.map(({ server, framesPerMessage, loads }): StreamRow => {
      const rates = loads.map((load) => load.requests / load.seconds);
      return {
        server: server.name,
        framesPerMessage,
        requestsPerSecond: median(rates),
        decisionsPerSecond: median(rates) * DECISIONS,
        bestRequestsPerSecond: Math.max(...loads.map((load) => load.best)),
        spread: spread(rates),
        generatorBusy: median(loads.map((load) => load.generatorBusy)),
      };
    });
    return {
      connections: CONNECTIONS,
      inFlight: IN_FLIGHT,
      decisionsPerRequest: DECISIONS,
      requestBytes: bodies.reduce((sum, body) => sum + body.msgpack.byteLength, 0) / bodies.length,
      verified,
      rows,
    };
  });
}
