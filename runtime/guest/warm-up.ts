/**
 * Runs requests through a new engine before it serves, so that the optimising tier is in when it is swapped in.
 * The requests ask about the policies' own kinds with an action no rule names; answers are thrown away.
 */
import { setImmediate } from "node:timers/promises";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";
import type { Engine } from "./engine.ts";

/** Rounds in all, and between two yields to the serving thread; one round is two decisions of about 2 µs. */
const ROUNDS = 400;
const ROUNDS_PER_TURN = 20;

/** Decides `ROUNDS` made-up requests, yielding to other work in between. */
export async function warmUp(engine: Engine): Promise<void> {
  const bytes = new TextEncoder().encode(
    JSON.stringify({
      requestId: "warm-up",
      includeMeta: true,
      principal: {
        id: "warm-up",
        roles: ["warm-up", "user"],
        attr: { a: 1.5, b: ["x", "é\n"], c: { d: true } },
      },
      resources: ["first", "second"].map((id) => ({
        actions: ["warm-up", "read"],
        resource: { kind: "warm_up", id, attr: { owner: "warm-up", tags: ["x", null, -1] } },
      })),
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    engine.decide(bytes, FORMAT_JSON, round % 2 === 0 ? FORMAT_JSON : FORMAT_MSGPACK, 0);
    if (round % ROUNDS_PER_TURN === 0) await setImmediate();
  }
}
