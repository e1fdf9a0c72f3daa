/** Chooses the load generator: `wrk` where it is installed and faster, else our own in Node. */
import { rate, type LoadPlan, type LoadResult } from "./load-result.ts";
import { runGenerator } from "./processes.ts";
import { hasWrk, runWrk } from "./wrk.ts";

/** A load generator: a process of its own that puts load on one server. */
export interface Generator {
  readonly name: string;
  run(plan: LoadPlan): Promise<LoadResult>;
}

const ownGenerator: Generator = {
  name: "bench/load/generator.ts (Node)",
  run: ({ port, connections, seconds, requestFile }) =>
    runGenerator<LoadResult>("generator.ts", [port, connections, seconds, requestFile], seconds),
};

const wrkGenerator: Generator = { name: "wrk", run: runWrk };

/** The generator that gets more out of the echo server, and what each of them got (requests/s). */
export interface GeneratorChoice {
  readonly generator: Generator;
  readonly echoRates: Readonly<Record<string, number>>;
}

/** Tries both on the echo server for `plan.seconds`, after a second of warm-up. */
export async function chooseGenerator(plan: LoadPlan): Promise<GeneratorChoice> {
  const candidates = hasWrk() ? [wrkGenerator, ownGenerator] : [ownGenerator];
  const echoRates: Record<string, number> = {};
  let best = ownGenerator;
  let bestRate = -1;
  for (const candidate of candidates) {
    await candidate.run({ ...plan, seconds: 1 });
    const reached = rate(await candidate.run(plan));
    echoRates[candidate.name] = Math.round(reached);
    if (reached > bestRate) {
      best = candidate;
      bestRate = reached;
    }
  }
  return { generator: best, echoRates };
}
