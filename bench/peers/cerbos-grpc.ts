/** The real Cerbos over gRPC, by which its own load test asks: the same requests, its answers compared with edict's. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

import { Engine } from "../../runtime/index.ts";
import { writeRequestFile } from "../load/http-requests.ts";
import { type LoadResult, rate } from "../load/load-result.ts";
import { loadtestBodies, loadtestPolicies, writeSources } from "../load/loadtest-set.ts";
import { mustNotFail } from "../load/not-measured.ts";
import { freePort, runToEnd } from "../load/processes.ts";
import { CERBOS_MISSING, hasCerbos, startCerbos, withServers } from "../load/servers.ts";
import type { BenchOptions } from "../options.ts";
import { median, spread } from "../report/statistics.ts";
import { grpcMessages } from "./grpc-messages.ts";
import { optionalPackage } from "./peer.ts";
import type { CheckRequest } from "./rules.ts";

export interface CerbosGrpcResult {
  readonly inFlight: number;
  readonly requestBytes: number;
  readonly requestsPerSecond: number;
  readonly spread: number;
  /** Microseconds, closed loop. */
  readonly p50: number;
  readonly p99: number;
  readonly comparedAnswers: number;
}

const GENERATOR = fileURLToPath(new URL("grpc-generator.ts", import.meta.url));

interface Response {
  readonly results: readonly { readonly actions: Readonly<Record<string, string>> }[];
}

/** The result, or why there is none. */
export async function measureCerbosGrpc(
  bundle: Uint8Array,
  options: BenchOptions,
): Promise<CerbosGrpcResult | string> {
  if (!hasCerbos()) return CERBOS_MISSING;
  const messages = await grpcMessages();
  if (messages === undefined || (await optionalPackage("@grpc/grpc-js")) === undefined)
    return "gRPC is not installed: run `npm ci --prefix bench/peers`; Cerbos over gRPC was left out";
  const engine = await Engine.load(bundle);
  const bodies = loadtestBodies(options.copies);
  const requests = bodies.map((body) => {
    const request: CheckRequest = JSON.parse(Buffer.from(body.json).toString());
    return Buffer.from(messages.encode(request));
  });
  return withServers(async (start, directory) => {
    const policies = join(directory, "policies");
    writeSources(policies, loadtestPolicies(options.copies));
    const requestFile = join(directory, "grpc.requests");
    writeRequestFile(requestFile, requests);
    const port = await freePort();
    await start(startCerbos(policies, port));
    const loads: LoadResult[] = [];
    let compared = 0;
    for (let round = 0; round < Math.min(3, options.rounds); round++) {
      const output = await runToEnd(
        process.execPath,
        [
          "--import",
          "tsx",
          GENERATOR,
          ...[port, options.connections, options.seconds].map(String),
          requestFile,
        ],
        {},
        options.seconds + 40,
      );
      const { result, answers }: { result: LoadResult; answers: string[] } = JSON.parse(output);
      mustNotFail("Cerbos", result.failed, "requests over gRPC");
      for (const [index, answer] of answers.entries()) {
        const given = messages.decode(Buffer.from(answer, "base64"));
        const { bytes } = engine.checkBytes(bodies[index]?.json ?? new Uint8Array(0), "json");
        const expected: Response = JSON.parse(Buffer.from(bytes).toString());
        if (
          !isDeepStrictEqual(
            given.map((actions) => ({ ...actions })),
            expected.results.map(({ actions }) => actions),
          )
        )
          throw new Error(`Cerbos decides body ${index} otherwise over gRPC: ${JSON.stringify(given)}`);
        compared++;
      }
      loads.push(result);
    }
    const rates = loads.map(rate);
    return {
      inFlight: options.connections,
      requestBytes: requests.reduce((sum, request) => sum + request.byteLength, 0) / requests.length,
      requestsPerSecond: median(rates),
      spread: spread(rates),
      p50: median(loads.map((load) => load.p50)),
      p99: median(loads.map((load) => load.p99)),
      comparedAnswers: compared,
    };
  });
}
