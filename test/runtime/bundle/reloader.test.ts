/** What a source has refused bundles for, and what the operator does meanwhile. */
import { describe, expect, it } from "vitest";
import { MemorySequenceStore } from "../../../runtime/bundle/accept.ts";
import { Reloader } from "../../../runtime/bundle/reloader.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { Freshness } from "../../../runtime/source/freshness.ts";
import type { FetchedBundle } from "../../../runtime/source/source.ts";
import { MemoryVersionStore } from "../../../runtime/source/version-store.ts";
import { ServingThreads } from "../../../runtime/threads/serving-threads.ts";
import { buildBundle } from "../support/built-bundles.ts";
import { DENYING_POLICIES, IS_BUILT, POLICIES } from "../support/daemon.ts";

interface Rig {
  readonly state: ServingState;
  readonly reloader: Reloader;
  /** Has the source give this once, and nothing newer from then on. */
  readonly give: (bytes: Uint8Array) => void;
  /** How often the source has shown that what serves is what it has. */
  readonly confirmations: () => number;
}

async function rig(serving: Uint8Array): Promise<Rig> {
  const state = new ServingState(await Engine.load(serving));
  let next: FetchedBundle | "unchanged" = "unchanged";
  const source = {
    name: "source",
    fetch: async () => {
      const given = next;
      next = "unchanged" as const;
      return given;
    },
    forget: () => undefined,
    watch: () => () => undefined,
  };
  const freshness = new Freshness({ staleAfterMs: null, failClosedAfterMs: 1000 });
  let confirmations = 0;
  freshness.onConfirm = () => {
    confirmations++;
  };
  const reloader = new Reloader(state, {
    source,
    acceptance: { engine: {}, verifyKeys: null, sequences: new MemorySequenceStore() },
    store: new MemoryVersionStore(),
    freshness,
    threads: new ServingThreads(1),
    follower: null,
  });
  return {
    state,
    reloader,
    give: (bytes) => {
      next = { bytes, label: "", warnings: "" };
    },
    confirmations: () => confirmations,
  };
}

describe.skipIf(!IS_BUILT)("a reloader whose source has a bundle that was refused", () => {
  it("is not reassured by a rollback: the source still has nothing that is good", async () => {
    const [file, denying] = await Promise.all([buildBundle(POLICIES, 5), buildBundle(DENYING_POLICIES, 6)]);
    const { state, reloader, give, confirmations } = await rig(file);
    give(Buffer.from("no bundle at all"));
    await reloader.changed();
    const failure = state.lastFailure;
    expect(failure).not.toBeNull();
    await reloader.serve(denying, true);
    for (let asked = 0; asked < 3; asked++) {
      await reloader.changed();
      expect(confirmations()).toBe(0);
      expect(state.lastFailure).toMatchObject({ code: failure?.code, message: failure?.message });
    }
    give(denying);
    await reloader.changed();
    expect(confirmations()).toBe(1);
    expect(state.lastFailure).toBeNull();
  });

  it("is reassured when the operator has that very bundle serve", async () => {
    const [older, newer] = await Promise.all([buildBundle(POLICIES, 5), buildBundle(DENYING_POLICIES, 6)]);
    const { state, reloader, give, confirmations } = await rig(older);
    give(newer);
    await reloader.changed();
    expect(confirmations()).toBe(1);
    // Its sequence is lower than what has been accepted.
    give(older);
    await reloader.changed();
    await reloader.changed();
    expect(confirmations()).toBe(1);
    expect(state.lastFailure).not.toBeNull();
    await reloader.serve(older, true);
    await reloader.changed();
    expect(confirmations()).toBe(2);
    expect(state.lastFailure).toBeNull();
  });
});
