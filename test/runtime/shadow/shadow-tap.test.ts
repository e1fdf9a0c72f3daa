/** What a thread does for a shadow is bounded: requests that wait, their bytes, and changes that are reported. */
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON } from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/index.ts";
import { type SlotName, sumOfCounters, ThreadCounters } from "../../../runtime/observe/counters.ts";
import type { ShadowChange } from "../../../runtime/shadow/decision-change.ts";
import { ShadowTap } from "../../../runtime/shadow/shadow-tap.ts";
import { compileVersions } from "../admin/support.ts";
import { albumRequest, IS_BUILT } from "../support/daemon.ts";

const NOTHING = new Uint8Array(0);

/** Waits until so many requests are compared. */
async function compared(count: () => number, wanted: number): Promise<void> {
  // What the candidate takes is left to the requests several times over, so a slow machine takes long.
  while (count() < wanted) await sleep(5);
  expect(count()).toBe(wanted);
}

describe.skipIf(!IS_BUILT)("the tap of a shadow", () => {
  let live: Engine;
  let candidate: Engine;

  beforeAll(async () => {
    const { first, second } = await compileVersions();
    [live, candidate] = await Promise.all([Engine.load(first), Engine.load(second)]);
  }, 120_000);

  function start(): {
    readonly tap: ShadowTap;
    readonly counters: ThreadCounters;
    readonly reported: ShadowChange[];
    readonly count: (name: SlotName) => number;
  } {
    const counters = new ThreadCounters();
    const reported: ShadowChange[] = [];
    const report = (changes: readonly ShadowChange[]): void => void reported.push(...changes);
    const tap = new ShadowTap(candidate, () => live, { counters, sample: 1, report });
    return { tap, counters, reported, count: (name) => sumOfCounters(counters.all, name) };
  }

  const request = new TextEncoder().encode(JSON.stringify(albumRequest()));

  it("drops and counts what comes faster than it may be compared", async () => {
    const { tap, count } = start();
    for (let index = 0; index < 100; index++) tap.offer(request, FORMAT_JSON, NOTHING);
    expect(count("shadowDropped")).toBe(36);
    await compared(() => count("shadowed"), 64);
    expect(count("shadowChanged")).toBe(64);
  });

  it("drops what is too long to wait", async () => {
    const { tap, count } = start();
    const long = new Uint8Array(2 * 1024 * 1024).fill(0x20);
    tap.offer(long, FORMAT_JSON, NOTHING);
    expect(count("shadowDropped")).toBe(1);
    tap.offer(request, FORMAT_JSON, NOTHING);
    await compared(() => count("shadowed"), 1);
  });

  it("does not read bytes after they were offered", async () => {
    const { tap, reported, count } = start();
    const own = request.slice();
    tap.offer(own, FORMAT_JSON, NOTHING);
    own.fill(0);
    await compared(() => count("shadowed"), 1);
    expect(reported).toHaveLength(1);
    expect(reported[0]).toMatchObject({ action: "view", old: { effect: "EFFECT_ALLOW" } });
  });

  it("says of which versions a change is", async () => {
    const { tap, reported, count } = start();
    tap.offer(request, FORMAT_JSON, NOTHING);
    await compared(() => count("shadowed"), 1);
    const versions = { serving: live.bundle.shortDigest, candidate: candidate.bundle.shortDigest };
    expect(reported).toMatchObject([versions]);
  });

  // What waited in a tap that another had replaced was counted for the candidate of the other.
  it("compares nothing more once it is closed", async () => {
    const { tap, counters, reported, count } = start();
    counters.tap = tap;
    for (let index = 0; index < 64; index++) tap.offer(request, FORMAT_JSON, NOTHING);
    tap.close();
    expect(counters.tap).toBeNull();
    const next = ShadowTap.begin(candidate, { engine: live, counters }, 1, () => undefined);
    tap.offer(request, FORMAT_JSON, NOTHING);
    for (let index = 0; index < 10; index++) await turn();
    expect([count("shadowed"), count("shadowDropped"), reported.length]).toEqual([0, 0, 0]);
    // And it leaves alone what has taken its place.
    tap.close();
    expect(counters.tap).toBe(next);
    next.offer(request, FORMAT_JSON, NOTHING);
    await compared(() => count("shadowed"), 1);
  });

  it("reports some changes and counts all", async () => {
    const { tap, reported, count } = start();
    const [entry] = (albumRequest() as { readonly resources: readonly object[] }).resources;
    const resources = Array.from({ length: 50 }, () => entry);
    const many = new TextEncoder().encode(JSON.stringify({ ...albumRequest(), resources }));
    for (let index = 0; index < 10; index++) tap.offer(many, FORMAT_JSON, NOTHING);
    await compared(() => count("shadowed"), 10);
    expect(count("shadowDecisionsChanged")).toBe(500);
    // A hundred at once, and at most twenty of one request.
    expect(reported.length).toBeGreaterThanOrEqual(100);
    expect(reported.length).toBeLessThanOrEqual(200);
  });

  it("compares nothing once the candidate serves", async () => {
    const counters = new ThreadCounters();
    const tap = new ShadowTap(candidate, () => candidate, { counters, sample: 1, report: () => undefined });
    tap.offer(request, FORMAT_JSON, NOTHING);
    await sleep(50);
    expect(sumOfCounters(counters.all, "shadowed")).toBe(0);
  });
});
