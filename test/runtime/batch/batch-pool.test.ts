/** Large requests with real workers: what they answer, when versions are swapped meanwhile, and when a worker dies. */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { BatchPool } from "../../../runtime/batch/batch-pool.ts";
import type { LargeAnswer } from "../../../runtime/batch/division.ts";
import { plainOptions } from "../../../runtime/guest/options.ts";
import type { Engine } from "../../../runtime/index.ts";
import { SharedMemory } from "../../../runtime/batch/shared-memory.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { TokenVerifier } from "../../../runtime/aux-data/token-verifier.ts";
import { bundleOf, loadEngine } from "../../support/engines.ts";
import { auxDataOptions, inlineKeys, signingKey, signToken } from "../../support/tokens.ts";
import { uniformSources } from "../../support/uniform-policy.ts";
import { IS_BUILT } from "../support/daemon.ts";
import { BATCH_POLICIES, encodeRequest, largeRequest, shown, undivided } from "./support.ts";

const ODD_WORKER = fileURLToPath(new URL("odd-worker.mjs", import.meta.url));

const OPTIONS = { maxResourcesPerRequest: 10_000, clock: () => Date.UTC(2026, 10, 21) };

const request = (count: number, id = "doc"): object => ({
  requestId: "r",
  principal: { id: "alice", roles: ["user"] },
  resources: Array.from({ length: count }, (_, index) => ({
    actions: ["view", "delete"],
    resource: { kind: "doc", id: `${id} ${index}`, attr: { public: index % 2 === 0, tags: ["a"] } },
  })),
});

const responseOf = (answer: LargeAnswer): string =>
  answer.kind === "decided" ? Buffer.concat(answer.pieces).toString("latin1") : answer.reply.status;

describe.skipIf(!IS_BUILT)("a pool of batch workers", () => {
  let bundles: { readonly mixed: Uint8Array; readonly allow: Uint8Array; readonly deny: Uint8Array };
  let pool: BatchPool | null = null;
  beforeAll(async () => {
    bundles = {
      mixed: await bundleOf(BATCH_POLICIES),
      allow: await bundleOf(uniformSources("doc", "ALLOW")),
      deny: await bundleOf(uniformSources("doc", "DENY")),
    };
  });
  afterEach(async () => {
    await pool?.close();
    pool = null;
  });

  const start = (engine: Engine, workers = 2, entry?: string): { pool: BatchPool; state: ServingState } => {
    const state = new ServingState(engine);
    const settings = {
      workers,
      minBytes: 1024,
      engine: plainOptions(engine.options),
      memory: new SharedMemory(),
    };
    pool = new BatchPool(state, entry === undefined ? settings : { ...settings, entry });
    return { pool, state };
  };

  it("answers as the serving thread would, in both formats", async () => {
    const engine = await loadEngine(bundles.mixed, OPTIONS);
    const started = start(engine);
    await started.pool.start();
    for (const [how, format] of [
      ["json", FORMAT_JSON],
      ["msgpack", FORMAT_MSGPACK],
    ] as const) {
      const bytes = encodeRequest(request(5000), how);
      const answers = await Promise.all(
        [1, 2, 3].map(() => started.pool.decide(largeRequest(bytes, format, format))),
      );
      for (const answer of answers) {
        expect(answer.kind === "decided" && answer.pieces.length).toBe(2);
        expect(shown(answer, format)).toEqual(undivided(engine, bytes, format, format));
      }
    }
  });

  it("never answers by two versions, nor by one that serves no more", async () => {
    const allow = await loadEngine(bundles.allow, OPTIONS);
    const deny = await loadEngine(bundles.deny, OPTIONS);
    const { pool: workers, state } = start(allow);
    const bytes = encodeRequest(request(3000), "json");
    const done = new AbortController();
    // Many times during a decision, until that leaves no time to decide.
    let pause = 15;
    const swapping = (async () => {
      for (let turn = 0; !done.signal.aborted; turn++) {
        state.swap(turn % 2 === 0 ? deny : allow);
        await sleep(pause);
      }
    })();
    const seen = new Set<string>();
    const askAll = async (): Promise<void> => {
      for (let round = 0; round < 25 || seen.size < 2; round++) {
        const answer = await workers.decide(largeRequest(bytes, FORMAT_JSON, FORMAT_JSON));
        const serving = state.engine === allow ? "ALLOW" : "DENY";
        if (answer.kind === "refused") {
          expect(answer.reply.status).toBe("503 Service Unavailable");
          pause *= 1.5;
          continue;
        }
        const effects = responseOf(answer).match(/EFFECT_[A-Z]+/g) ?? [];
        expect(effects).toHaveLength(6000);
        expect(new Set(effects)).toEqual(new Set([`EFFECT_${serving}`]));
        seen.add(serving);
      }
    };
    await Promise.all([askAll(), askAll()]);
    done.abort();
    await swapping;
    expect(seen).toEqual(new Set(["ALLOW", "DENY"]));
  });

  it("answers 503 to a request whose worker dies, and goes on", async () => {
    const engine = await loadEngine(bundles.allow, OPTIONS);
    const { pool: workers } = start(engine, 2, ODD_WORKER);
    const fine = largeRequest(encodeRequest(request(500), "json"), FORMAT_JSON, FORMAT_JSON);
    expect(responseOf(await workers.decide(fine))).toContain("EFFECT_ALLOW");
    for (const fate of ["worker: exit", "worker: throw"]) {
      // In the last entry alone, so that one part dies and the other does not.
      const asked = request(500) as { resources: { resource: { id: string } }[] };
      const last = asked.resources.at(-1);
      if (last !== undefined) last.resource.id = fate;
      const answer = await workers.decide(
        largeRequest(encodeRequest(asked, "json"), FORMAT_JSON, FORMAT_JSON),
      );
      expect(answer).toMatchObject({
        kind: "refused",
        reply: { status: "503 Service Unavailable", retryAfter: 1 },
      });
      expect(responseOf(await workers.decide(fine))).toContain("EFFECT_ALLOW");
    }
  });

  it("has the tokens of a request verified once, and lets no part see others", async () => {
    const key = await signingKey("ES256", "k");
    const tokens = await TokenVerifier.start(auxDataOptions(inlineKeys(key.jwk)));
    const { pool: workers } = start(await loadEngine(bundles.mixed, { ...OPTIONS, tokens }));
    const ask = (token: string): Promise<LargeAnswer> => {
      const asked = { ...request(2000), auxData: { jwt: { token } } } as unknown as {
        resources: { actions: string[]; resource: { attr: { level?: number } } }[];
      };
      for (const one of asked.resources) {
        one.actions = ["edit"];
        one.resource.attr.level = 3;
      }
      return workers.decide(largeRequest(encodeRequest(asked, "json"), FORMAT_JSON, FORMAT_JSON));
    };
    for (const [level, effect] of [
      [5, "EFFECT_ALLOW"],
      [2, "EFFECT_DENY"],
      [5, "EFFECT_ALLOW"],
    ] as const) {
      const effects = responseOf(await ask(await signToken(key, { level }))).match(/EFFECT_[A-Z]+/g) ?? [];
      expect(effects).toHaveLength(2000);
      expect(new Set(effects)).toEqual(new Set([effect]));
    }
    await expect(ask("a.b.c")).rejects.toThrow("invalid auxData");
  });

  it("takes so many requests and answers 503 to further ones", async () => {
    const engine = await loadEngine(bundles.allow, OPTIONS);
    const { pool: workers, state } = start(engine, 1);
    const bytes = encodeRequest(request(200), "json");
    const answers = await Promise.all(
      Array.from({ length: 70 }, () => workers.decide(largeRequest(bytes, FORMAT_JSON, FORMAT_JSON))),
    );
    const refused = answers.filter(({ kind }) => kind === "refused");
    expect(refused).toHaveLength(6);
    expect(responseOf(refused[0] as LargeAnswer)).toBe("503 Service Unavailable");
    expect([workers.full, state.shed]).toEqual([false, 6]);
  });

  // Whoever asked in the middle of something (a stream's message) was interrupted by it.
  it("answers nobody before asking has returned, not even to refuse", async () => {
    const engine = await loadEngine(bundles.allow, OPTIONS);
    const { pool: workers } = start(engine, 1);
    Object.defineProperty(workers, "full", { get: () => true });
    const bytes = encodeRequest(request(200), "json");
    const given: LargeAnswer[] = [];
    const answer = workers.decide(largeRequest(bytes, FORMAT_JSON, FORMAT_JSON), (one) => given.push(one));
    expect(given).toEqual([]);
    expect(given).toEqual([await answer]);
  });

  it("decides nothing for a client that is gone", async () => {
    const engine = await loadEngine(bundles.allow, OPTIONS);
    const { pool: workers } = start(engine, 1);
    const gone = largeRequest(encodeRequest(request(200), "json"), FORMAT_JSON, FORMAT_JSON);
    Atomics.store(gone.cancelled, 0, 1);
    expect((await workers.decide(gone)).kind).toBe("refused");
  });

  it("refuses what it was deciding when it is closed", async () => {
    const engine = await loadEngine(bundles.allow, OPTIONS);
    const { pool: workers } = start(engine, 1);
    await workers.start();
    const asked = largeRequest(encodeRequest(request(10_000), "json"), FORMAT_JSON, FORMAT_JSON);
    const answer = workers.decide(asked);
    await workers.close();
    expect(responseOf(await answer)).toBe("503 Service Unavailable");
  });
});
