/** One candidate after another: each is counted, promoted and cleared as itself, whatever is under way when the next one comes. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FORMAT_JSON } from "../../../assembly/abi.ts";
import { Control, type VersionControl } from "../../../runtime/admin/control.ts";
import { VersionHold } from "../../../runtime/admin/version-hold.ts";
import { type AcceptedBundle, MemorySequenceStore } from "../../../runtime/bundle/accept.ts";
import { Engine } from "../../../runtime/index.ts";
import { allocateCounters, ThreadCounters } from "../../../runtime/observe/counters.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import type { ShadowChange } from "../../../runtime/shadow/decision-change.ts";
import { ChangeReport } from "../../../runtime/shadow/report.ts";
import { Shadow, type ShadowParts } from "../../../runtime/shadow/shadow.ts";
import type { BundleSource } from "../../../runtime/source/source.ts";
import { compileVersions, type VersionName } from "../admin/support.ts";
import { albumRequest, IS_BUILT, temporaryDirectory } from "../support/daemon.ts";

/** More than wait in a tap. */
const MANY = 100;

/** Gives what is published, once. */
class Published implements BundleSource {
  readonly name = "published";
  #next: Uint8Array | null = null;

  publish(bytes: Uint8Array): void {
    this.#next = bytes;
  }

  async fetch(): ReturnType<BundleSource["fetch"]> {
    const bytes = this.#next;
    this.#next = null;
    return bytes === null ? "unchanged" : { bytes, label: "", warnings: "" };
  }

  forget(): void {
    // What is tried again is published again.
  }

  watch(): () => void {
    return () => undefined;
  }
}

/** The serving threads but the first: they obey one order after the other, and a test says what happens meanwhile. */
class OtherThreads {
  onChanges: (changes: readonly ShadowChange[]) => void = () => undefined;
  /** Digest of what they decide by. */
  digest: string | null = null;
  /** Runs while they prepare the candidate of an order. */
  during: () => Promise<void> | void = () => undefined;
  #quiet: Promise<unknown> = Promise.resolve();

  shadow(candidate: Engine | null): Promise<void> {
    const obeyed = this.#quiet.then(() => this.#obey(candidate));
    this.#quiet = obeyed.catch(() => undefined);
    return obeyed;
  }

  async #obey(candidate: Engine | null): Promise<void> {
    this.digest = null;
    if (candidate === null) return;
    await this.during();
    this.digest = candidate.bundle.digest;
  }
}

/** A daemon's shadow with the first version serving, and the other threads as a test has them. */
class World {
  readonly source = new Published();
  readonly threads = new OtherThreads();
  readonly state: ServingState;
  readonly second: ThreadCounters;
  readonly shadow: Shadow;
  readonly #request = new TextEncoder().encode(JSON.stringify(albumRequest()));

  constructor(live: Engine, report: ShadowParts["report"] = () => undefined) {
    const counters = allocateCounters(2);
    this.state = new ServingState(live, new Int32Array(2), 0, new Int32Array(2), counters);
    this.second = new ThreadCounters(counters, 1);
    const { source, threads, state } = this;
    const acceptance = { engine: {}, verifyKeys: null, sequences: new MemorySequenceStore() };
    this.shadow = new Shadow({ source, sample: 1, state, threads, acceptance, report });
  }

  async offer(bytes: Uint8Array): Promise<void> {
    this.source.publish(bytes);
    await this.shadow.refresh();
  }

  /** Requests that the first thread decides in one turn. */
  decide(requests: number): void {
    for (let index = 0; index < requests; index++) {
      this.state.engine.decide(this.#request, FORMAT_JSON, FORMAT_JSON, 0);
    }
  }

  /** Lets whatever was to be compared in the next turns be compared. */
  async rest(): Promise<void> {
    for (let index = 0; index < 10; index++) await turn();
  }

  /** What the status, the first thread and the others take for the candidate. */
  get candidates(): readonly (string | boolean | null)[] {
    return [this.shadow.status.digest, this.state.counters.tap !== null, this.threads.digest];
  }

  async control(serve: VersionControl["serve"]): Promise<Control> {
    const store = { versions: () => [], read: async () => null };
    const versions = { serve, reload: async () => undefined };
    const { state, shadow } = this;
    return new Control({ state, versions, store, hold: await VersionHold.open(null), shadow });
  }
}

const refuse = (): Promise<AcceptedBundle> => Promise.reject(new Error("nothing was to be promoted"));

describe.skipIf(!IS_BUILT)("a candidate that follows another", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;
  let live: Engine;
  let digests: Readonly<Record<VersionName, string>>;
  let world: World;

  beforeAll(async () => {
    bundles = await compileVersions();
    const digestOf = async (name: VersionName): Promise<string> =>
      (await Engine.load(bundles[name])).bundle.digest;
    const [first, second, third] = [digestOf("first"), digestOf("second"), digestOf("third")];
    digests = { first: await first, second: await second, third: await third };
  }, 120_000);

  beforeEach(async () => {
    live = await Engine.load(bundles.first);
    world = new World(live);
  });

  /** The candidate there is. */
  function candidateOf({ shadow }: World): AcceptedBundle {
    if (shadow.candidate === null) throw new Error("there is no candidate");
    return shadow.candidate;
  }

  // What waited for the candidate before was compared with that and counted for the new one, which could then be promoted unseen.
  it("is not counted what waited for the one before", async () => {
    await world.offer(bundles.third);
    world.threads.during = () => world.decide(MANY);
    await world.offer(bundles.second);
    await world.rest();
    const { requests, digest } = world.shadow.status;
    expect(digest).toBe(digests.second);
    expect(requests).toEqual({ compared: 0, changed: 0, dropped: 0, failed: 0 });
    const control = await world.control(refuse);
    await expect(control.promote(0)).rejects.toMatchObject({ code: "EDICT_NOTHING_COMPARED" });
  });

  it("does not count for the one before while the threads go over to it", async () => {
    await world.offer(bundles.second);
    const control = await world.control(refuse);
    world.threads.during = async () => {
      // Another thread has it already, and nobody has compared anything with the one before.
      world.second.add("shadowed", 5);
      expect(world.shadow.status).toMatchObject({ digest: digests.second, requests: { compared: 0 } });
      await expect(control.promote(0)).rejects.toMatchObject({ code: "EDICT_NOTHING_COMPARED" });
    };
    await world.offer(bundles.third);
    expect(world.shadow.status).toMatchObject({ problem: null, digest: digests.third });
  });

  it("stays when it comes while the one before is promoted", async () => {
    await world.offer(bundles.third);
    const promoted = candidateOf(world);
    const control = await world.control(async () => {
      await world.offer(bundles.second);
      world.state.swap(promoted.engine);
      return promoted;
    });
    await control.promote(null);
    expect(world.state.engine.bundle.digest).toBe(digests.third);
    expect(world.candidates).toEqual([digests.second, true, digests.second]);
  });

  it("stays on every thread when the one before is cleared while they prepare it", async () => {
    await world.offer(bundles.third);
    const before = candidateOf(world);
    const cleared: Promise<void>[] = [];
    world.threads.during = () => {
      cleared.push(world.shadow.clear(before));
    };
    await world.offer(bundles.second);
    expect(cleared).toHaveLength(1);
    await Promise.all(cleared);
    expect(world.candidates).toEqual([digests.second, true, digests.second]);
  });

  it("leaves none when a thread cannot prepare it, since the others have let the one before go", async () => {
    await world.offer(bundles.third);
    const control = await world.control(refuse);
    world.threads.during = () => Promise.reject(new Error("thread 1 cannot"));
    await world.offer(bundles.second);
    expect(world.candidates).toEqual([null, false, null]);
    expect(world.shadow.status.problem).toContain("thread 1 cannot");
    await expect(control.promote(null)).rejects.toThrow("there is no candidate: thread 1 cannot");
    // And one that can be prepared comes after it.
    world.threads.during = () => undefined;
    await world.offer(bundles.second);
    expect(world.candidates).toEqual([digests.second, true, digests.second]);
  });

  it("is cleared when it is the one that was promoted, on every thread", async () => {
    await world.offer(bundles.third);
    await world.shadow.clear(candidateOf(world));
    expect(world.candidates).toEqual([null, false, null]);
  });

  it("is not sampled for once the shadow is closed, even when it was being prepared", async () => {
    world.threads.during = () => world.shadow.close();
    await world.offer(bundles.second);
    expect(world.state.counters.tap).toBeNull();
  });

  // The report took the versions of the moment at which a change arrived, which after a promotion were others.
  it("is not named in the report of what was found about the one before", async () => {
    const scratch = await temporaryDirectory();
    const file = join(scratch.path, "changes.ndjson");
    const report = new ChangeReport(file);
    world = new World(live, (changes) => report.write(changes));
    // Another thread has found a change, and posts it when the first one has gone on to other versions.
    const found: ShadowChange[] = [];
    const other = new World(live, (changes) => void found.push(...changes));
    await other.offer(bundles.second);
    other.decide(1);
    while (found.length === 0) await turn();
    await world.offer(bundles.third);
    world.state.swap(await Engine.load(bundles.second));
    world.threads.onChanges(structuredClone(found));
    let text = "";
    while (!text.endsWith("\n")) text = await readFile(file, "utf8").catch(() => "");
    expect(JSON.parse(text)).toMatchObject({
      event: "shadow-change",
      serving: digests.first.slice(0, 12),
      candidate: digests.second.slice(0, 12),
      action: "view",
    });
    await scratch.remove();
  });
});
