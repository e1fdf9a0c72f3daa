/** What the parts of a daemon are told when what serves changes. */
import { describe, expect, it, vi } from "vitest";
import { Engine } from "../../../runtime/guest/engine.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { buildBundle } from "../support/built-bundles.ts";
import { DENYING_POLICIES, IS_BUILT, POLICIES } from "../support/daemon.ts";

describe.skipIf(!IS_BUILT)("a serving state", () => {
  it("tells every listener, whatever another one throws, and says so", async () => {
    const [first, second] = await Promise.all([buildBundle(POLICIES, 5), buildBundle(DENYING_POLICIES, 6)]);
    const state = new ServingState(await Engine.load(first));
    let calls = 0;
    state.onEngine(() => {
      if (++calls > 1) throw new Error("no file descriptor left");
    });
    const told: (string | null)[] = [];
    state.onEngine(({ bundle }) => told.push(`${bundle.manifest.sequence} ${state.denial} ${state.signer}`));
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      state.swap(await Engine.load(second), "key");
      state.deny("stale");
      expect(written.mock.calls.map(([text]) => String(text))).toEqual([
        expect.stringContaining("no file descriptor left"),
        expect.stringContaining("no file descriptor left"),
      ]);
    } finally {
      written.mockRestore();
    }
    expect(calls).toBe(3);
    expect(told).toEqual(["5 null null", "6 null key", "6 stale key"]);
  });
});
