/** A denial that comes or goes while workers decide: an answer says what holds when it is given, and names the reason for it. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { setEnvironmentData } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FORMAT_JSON } from "../../../assembly/abi.ts";
import { TokenVerifier } from "../../../runtime/aux-data/token-verifier.ts";
import { BatchPool, type PoolAnswer } from "../../../runtime/batch/batch-pool.ts";
import { SharedMemory } from "../../../runtime/batch/shared-memory.ts";
import { plainOptions } from "../../../runtime/guest/options.ts";
import { sumOfCounters } from "../../../runtime/observe/counters.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { bundleOf, loadEngine } from "../../support/engines.ts";
import { auxDataOptions, inlineKeys, type SigningKey, signingKey, signToken } from "../../support/tokens.ts";
import { IS_BUILT } from "../support/daemon.ts";
import { BATCH_POLICIES, encodeRequest, largeRequest } from "./support.ts";

const HELD_WORKER = fileURLToPath(new URL("held-worker.mjs", import.meta.url));

/** Of held-worker.mjs: the results there are, and how many of them may go. */
const RESULTS = new Int32Array(new SharedArrayBuffer(8));
const [MADE, FREE] = [0, 1];
const ALL = 2 ** 31 - 1;
setEnvironmentData("edict-test-results", RESULTS);

function free(count: number): void {
  Atomics.store(RESULTS, FREE, count);
  Atomics.notify(RESULTS, FREE);
}

/** From now on the worker keeps its results back; returns how many it has made. */
function hold(): number {
  const made = Atomics.load(RESULTS, MADE);
  free(made);
  return made;
}

async function untilMade(count: number): Promise<void> {
  for (let wait = 0; wait < 2000 && Atomics.load(RESULTS, MADE) < count; wait++) await sleep(10);
  expect(Atomics.load(RESULTS, MADE)).toBe(count);
}

const COUNT = 40;

/** Entries that the policies allow to `view`, and to `edit` with a token of level 5. */
const request = (action: string, token?: string): Uint8Array =>
  encodeRequest(
    {
      requestId: "r",
      principal: { id: "alice", roles: ["user"] },
      resources: Array.from({ length: COUNT }, (_, index) => ({
        actions: [action],
        resource: { kind: "doc", id: `${index}`, attr: { public: true, tags: ["a"], level: 3 } },
      })),
      ...(token === undefined ? {} : { auxData: { jwt: { token } } }),
    },
    "json",
  );

function effectsOf(answer: PoolAnswer): readonly string[] {
  if (answer.kind === "refused") return [answer.reply.status];
  const effects =
    Buffer.concat(answer.pieces)
      .toString("latin1")
      .match(/EFFECT_[A-Z]+/g) ?? [];
  expect(effects).toHaveLength(COUNT);
  return [...new Set(effects)];
}

describe.skipIf(!IS_BUILT)("a denial, while a large request is being decided", () => {
  let key: SigningKey;
  let state: ServingState;
  let pool: BatchPool;

  beforeAll(async () => {
    key = await signingKey("ES256", "k");
    const tokens = await TokenVerifier.start(auxDataOptions(inlineKeys(key.jwk)));
    const engine = await loadEngine(await bundleOf(BATCH_POLICIES), { tokens });
    state = new ServingState(engine);
    pool = new BatchPool(state, {
      workers: 1,
      // Nothing is divided.
      minBytes: 1024 * 1024,
      engine: plainOptions(engine.options),
      memory: new SharedMemory(),
      entry: HELD_WORKER,
    });
    free(ALL);
    await pool.start();
  });
  beforeEach(() => {
    state.deny(null);
    state.counters.all.fill(0);
  });
  afterEach(() => free(ALL));
  afterAll(() => pool.close());

  /** Has `bytes` decided; each of `during` comes between a result of the worker and its way back. What `use` was given, and what the state said then. */
  async function decide(
    bytes: Uint8Array,
    ...during: readonly (() => void)[]
  ): Promise<{ readonly answer: PoolAnswer; readonly denialThen: string | null }> {
    let made = hold();
    let denialThen: string | null = null;
    const answer = pool.decide(largeRequest(bytes, FORMAT_JSON, FORMAT_JSON), () => {
      denialThen = state.denial;
    });
    for (const step of during) {
      await untilMade(++made);
      step();
      free(made);
    }
    free(ALL);
    return { answer: await answer, denialThen };
  }

  const counted = (): readonly number[] =>
    (["large", "failClosed", "allowed"] as const).map((name) => sumOfCounters(state.counters.all, name));

  // It was answered by the policies, with the reason of a denial beside it.
  it("that comes denies the request, too", async () => {
    const { answer, denialThen } = await decide(request("view"), () => state.deny("stale"));
    expect(effectsOf(answer)).toEqual(["EFFECT_DENY"]);
    expect(answer).toMatchObject({ denial: "stale" });
    expect(answer.kind === "decided" && answer.engine).toBe(state.engine);
    expect(denialThen).toBe("stale");
    expect(counted()).toEqual([0, 1, 0]);
  });

  // It was denied, and nothing said why.
  it("that goes lets the policies decide", async () => {
    state.deny("stale");
    const { answer, denialThen } = await decide(request("view"), () => state.deny(null));
    expect(effectsOf(answer)).toEqual(["EFFECT_ALLOW"]);
    expect(answer).toMatchObject({ denial: null });
    expect(denialThen).toBeNull();
    expect(counted()).toEqual([1, 0, COUNT]);
  });

  it("whose reason changes is named by the present one", async () => {
    state.deny("stale");
    const { answer } = await decide(request("view"), () => state.deny("another"));
    expect(effectsOf(answer)).toEqual(["EFFECT_DENY"]);
    expect(answer).toMatchObject({ denial: "another" });
  });

  it("that comes and goes, while the tokens of the request are verified, leaves no trace", async () => {
    const asked = request("edit", await signToken(key, { level: 5 }));
    // Between asking for the claims and deciding by them, and then while that result is on its way.
    const { answer } = await decide(
      asked,
      () => state.deny("stale"),
      () => state.deny(null),
    );
    expect(effectsOf(answer)).toEqual(["EFFECT_ALLOW"]);
    expect(answer).toMatchObject({ denial: null });
    expect(counted()).toEqual([1, 0, COUNT]);
  });

  it("that keeps coming and going ends in a refusal", async () => {
    const turns = [0, 1, 2].map((turn) => () => state.deny(turn % 2 === 0 ? "stale" : null));
    const { answer } = await decide(request("view"), ...turns);
    expect(answer).toMatchObject({ kind: "refused", reply: { status: "503 Service Unavailable" } });
    expect(counted()).toEqual([0, 0, 0]);
  });
});
