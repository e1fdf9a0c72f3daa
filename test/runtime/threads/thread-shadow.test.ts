/** What a serving thread does when it is told which candidate to decide by, step by step and without a thread. */
import { setImmediate as turn } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FORMAT_JSON } from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/index.ts";
import { type SlotName, sumOfCounters } from "../../../runtime/observe/counters.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import type { FromThread, ShadowOrder } from "../../../runtime/threads/messages.ts";
import { ThreadShadow } from "../../../runtime/threads/thread-shadow.ts";
import { compileVersions, type VersionName } from "../admin/support.ts";
import { albumRequest, IS_BUILT } from "../support/daemon.ts";

const REQUEST = new TextEncoder().encode(JSON.stringify(albumRequest()));

const order = (id: number, { compiled }: Engine): ShadowOrder => ({ id, compiled, sample: 1 });

describe.skipIf(!IS_BUILT)("the shadow of a serving thread", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;
  let second: Engine;
  let third: Engine;
  let state: ServingState;
  let told: FromThread[];
  let shadow: ThreadShadow;

  beforeAll(async () => {
    bundles = await compileVersions();
    [second, third] = await Promise.all([Engine.load(bundles.second), Engine.load(bundles.third)]);
  }, 120_000);

  beforeEach(async () => {
    state = new ServingState(await Engine.load(bundles.first));
    told = [];
    shadow = new ThreadShadow(
      async ({ bundle }) => (bundle.digest === second.bundle.digest ? second : third),
      (message) => void told.push(message),
    );
  });

  const count = (name: SlotName): number => sumOfCounters(state.counters.all, name);

  function decide(requests: number): void {
    for (let index = 0; index < requests; index++) state.engine.decide(REQUEST, FORMAT_JSON, FORMAT_JSON, 0);
  }

  // Beyond the answer, whatever is counted is counted for the new candidate.
  it("compares nothing with the candidate before once it has answered for the next one", async () => {
    await shadow.obey(state, order(1, second));
    decide(64);
    await shadow.obey(state, order(2, third));
    expect(told).toEqual([
      { kind: "shadowing", id: 1 },
      { kind: "shadowing", id: 2 },
    ]);
    for (let index = 0; index < 10; index++) await turn();
    expect(count("shadowed")).toBe(0);
    // The next one is compared.
    decide(1);
    while (count("shadowed") === 0) await turn();
    expect([count("shadowed"), count("shadowChanged")]).toEqual([1, 0]);
  });

  it("compares nothing once it was told to end", async () => {
    await shadow.obey(state, order(1, second));
    decide(64);
    await shadow.obey(state, null);
    for (let index = 0; index < 10; index++) await turn();
    expect(count("shadowed")).toBe(0);
    expect(state.counters.samples).toBe(false);
  });

  it("answers for the last of two orders alone", async () => {
    await Promise.all([shadow.obey(state, order(1, second)), shadow.obey(state, order(2, third))]);
    expect(told).toEqual([{ kind: "shadowing", id: 2 }]);
  });

  it("says of which versions a change is", async () => {
    await shadow.obey(state, order(1, second));
    const serving = state.engine.bundle.shortDigest;
    decide(1);
    while (told.length < 2) await turn();
    expect(told[1]).toMatchObject({
      kind: "changes",
      changes: [{ serving, candidate: second.bundle.shortDigest, action: "view" }],
    });
  });

  it("says why a candidate cannot be prepared, and samples for none", async () => {
    const failing = new ThreadShadow(
      () => Promise.reject(new Error("no memory")),
      (message) => void told.push(message),
    );
    await failing.obey(state, order(3, second));
    expect(told).toEqual([{ kind: "shadow-refused", id: 3, message: "no memory" }]);
    expect(state.counters.samples).toBe(false);
  });
});
