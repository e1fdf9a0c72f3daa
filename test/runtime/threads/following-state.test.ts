/** When a thread that follows the first one changes its version: with the shared epoch, and only to what it has prepared. */
import { beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../../runtime/index.ts";
import { FollowingState } from "../../../runtime/threads/following-state.ts";
import { compilePolicies } from "../support/bundles.ts";
import { IS_BUILT, POLICIES } from "../support/daemon.ts";

describe.skipIf(!IS_BUILT)("a following state", () => {
  let first: Engine;
  let second: Engine;

  beforeAll(async () => {
    const bundle = await compilePolicies(POLICIES);
    first = await Engine.load(bundle);
    second = Engine.start(first.compiled);
  }, 60_000);

  const state = (epoch: Int32Array): FollowingState => new FollowingState(first, epoch, new Int32Array(3), 1);

  it("serves what it prepared from the moment the epoch says so", () => {
    const epoch = new Int32Array(new SharedArrayBuffer(4));
    const following = state(epoch);
    const served: Engine[] = [];
    following.onEngine((engine) => served.push(engine));
    following.prepare(1, second);
    expect(following.engine).toBe(first);
    Atomics.store(epoch, 0, 1);
    expect(following.engine).toBe(second);
    expect(served).toEqual([first, second]);
  });

  it("keeps the old version when the attempt is abandoned", () => {
    const epoch = new Int32Array(new SharedArrayBuffer(4));
    const following = state(epoch);
    following.prepare(1, second);
    following.abandon(1);
    expect(following.engine).toBe(first);
    following.prepare(2, second);
    // An attempt that was abandoned ends late.
    following.prepare(1, first);
    Atomics.store(epoch, 0, 2);
    expect(following.engine).toBe(second);
  });

  it("does not keep a version that was abandoned before it was prepared", () => {
    const epoch = new Int32Array(new SharedArrayBuffer(4));
    const following = state(epoch);
    following.abandon(1);
    following.prepare(1, second);
    Atomics.store(epoch, 0, 1);
    expect(() => following.engine).toThrow(/not prepared/);
  });

  it("decides nothing by a version that it has not prepared", () => {
    const epoch = new Int32Array(new SharedArrayBuffer(4));
    const following = state(epoch);
    Atomics.store(epoch, 0, 1);
    expect(() => following.engine).toThrow(/not prepared/);
  });

  it("counts the traps of all threads", () => {
    const following = new FollowingState(first, new Int32Array(1), Int32Array.from([2, 0, 5]), 1);
    following.noteTrap();
    expect(following.traps).toBe(8);
    expect(following.threads).toBe(3);
  });
});
