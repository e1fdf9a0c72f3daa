/** What stream-generator.ts reports, and how it is started. */
import { runGenerator } from "./processes.ts";

export interface StreamLoad {
  /** Requests answered. */
  readonly requests: number;
  readonly seconds: number;
  /** The most requests per second of any fifth of a second. */
  readonly best: number;
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

export async function generateStreamLoad(plan: StreamPlan): Promise<StreamLoad> {
  const { port, path, connections, seconds, messageFile } = plan;
  return runGenerator("stream-generator.ts", [port, path, connections, seconds, messageFile], seconds);
}
