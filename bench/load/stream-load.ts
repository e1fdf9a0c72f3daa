/** What stream-generator.ts reports, and how it is started. */
import { fileURLToPath } from "node:url";

import { runToEnd } from "./processes.ts";

export interface StreamLoad {
  /** Requests answered. */
  readonly requests: number;
  readonly seconds: number;
  /** Lost connections, and answers that carry no response. */
  readonly failed: number;
  /** CPU time of the generator in the measured time, as a fraction of one core: near 1, it is the limit. */
  readonly generatorBusy: number;
  /** Some answers: the request's id, and the response as a msgpack `bin` in Base64. */
  readonly samples: readonly { readonly id: number; readonly response: string }[];
}

export interface StreamPlan {
  readonly port: number;
  /** `/v1/stream`, or `/echo` of the echo server. */
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly messageFile: string;
}

const GENERATOR = fileURLToPath(new URL("stream-generator.ts", import.meta.url));

export async function generateStreamLoad(plan: StreamPlan): Promise<StreamLoad> {
  const args = [plan.port, plan.path, plan.connections, plan.seconds, plan.messageFile].map(String);
  const output = await runToEnd(
    process.execPath,
    ["--import", "tsx", GENERATOR, ...args],
    {},
    plan.seconds + 20,
  );
  const result: StreamLoad = JSON.parse(output);
  return result;
}
