/** Rounds of a benchmark on a machine that loses its processors now and then. */
import { describe, expect, it, vi } from "vitest";

import { Steadiness, StolenWatch } from "../../../bench/load/steadiness.ts";

interface Round {
  /** Share that is stolen. */
  readonly stolen?: number;
  /** How long the fixed work takes behind it. */
  readonly probe?: number;
}

const MINUTES = 60_000;

/** A machine that does to each round in turn what `rounds` say, and whose fixed work takes 10 ms when nothing else is said. */
function machine(rounds: readonly Round[], { patienceMs = 15 * MINUTES, counts = true } = {}) {
  let busy = 0;
  let stolen = 0;
  let at = 0;
  const rests: number[] = [];
  const said: string[] = [];
  const steadiness = new Steadiness({
    probe: () => rounds[at - 1]?.probe ?? 10,
    read: () => (counts ? { busy, stolen } : undefined),
    rest: async (milliseconds) => {
      rests.push(milliseconds);
    },
    patienceMs,
    say: (text) => said.push(text),
  });
  /** A round that gives its number. */
  const round = (): Promise<number> =>
    steadiness.round(() => {
      const share = rounds[at]?.stolen ?? 0;
      busy += 1000 * (1 - share);
      stolen += 1000 * share;
      return at++;
    });
  return { steadiness, round, rests, said };
}

describe("a round of a benchmark", () => {
  it("is measured once while the machine is steady", async () => {
    const { round, rests, steadiness } = machine([{}, { stolen: 0.03, probe: 11 }]);
    expect([await round(), await round()]).toEqual([0, 1]);
    expect(rests).toEqual([]);
    expect(steadiness.takeSteal()).toMatchObject({ rounds: 2, median: 0.015, worst: 0.03 });
  });

  it("is measured again after rests that grow, until nothing is taken away", async () => {
    const { round, rests, said, steadiness } = machine([{ stolen: 0.5 }, { stolen: 0.3 }, { stolen: 0.01 }]);
    expect(await round()).toBe(2);
    expect(rests).toEqual([10_000, 20_000]);
    expect(steadiness.rested).toBe(30_000);
    expect(said[0]).toContain("50% of the processor was taken away, the rest 0% slower: again after 10 s");
    expect(steadiness.takeSteal()).toMatchObject({ rounds: 1, median: 0.01, worst: 0.01 });
  });

  it("is measured again while the processor is slower than it can be", async () => {
    const { round, rests, said, steadiness } = machine([{ probe: 20 }, { probe: 16 }, { probe: 10 }, {}]);
    // The third one begins slowly, only the fourth is all fast.
    expect(await round()).toBe(3);
    expect(rests).toHaveLength(3);
    expect(said[0]).toContain("0% of the processor was taken away, the rest 50% slower");
    expect(steadiness.takeSteal()).toMatchObject({ medianSlowness: 0, worstSlowness: 0 });
  });

  it("is the least disturbed one when none is steady", async () => {
    const shares = [0.5, 0.2, 0.4, 0.6, 0.3].map((stolen) => ({ stolen }));
    const { round, rests, steadiness } = machine(shares);
    expect(await round()).toBe(1);
    expect(rests).toHaveLength(4);
    expect(steadiness.takeSteal()?.worst).toBe(0.2);
    expect(steadiness.takeSteal()).toBeUndefined();
  });

  it("is taken as it is after one for which rests were of no use, until one is steady by itself", async () => {
    const disturbed = { stolen: 0.5 };
    const { round, rests } = machine([...Array.from({ length: 6 }, () => disturbed), {}, disturbed, {}]);
    expect(await round()).toBe(0);
    expect(rests).toHaveLength(4);
    expect([await round(), await round()]).toEqual([5, 6]);
    expect(rests).toHaveLength(4);
    expect(await round()).toBe(8);
    expect(rests).toHaveLength(5);
  });

  it("is taken as it is when patience is at its end, and where nothing is counted", async () => {
    const impatient = machine([{ stolen: 0.5 }], { patienceMs: 0 });
    expect(await impatient.round()).toBe(0);
    expect(impatient.rests).toEqual([]);
    expect(impatient.steadiness.takeSteal()?.worst).toBe(0.5);
    const uncounted = machine([{ stolen: 0.5 }], { counts: false });
    expect(await uncounted.round()).toBe(0);
    expect(uncounted.steadiness.takeSteal()?.worst).toBe(0);
  });
});

describe("what the host takes away while it is watched", () => {
  it("is told of any time meanwhile", () => {
    vi.useFakeTimers({ now: 10_000 });
    try {
      // From the tenth look to the twentieth, half of what is wanted.
      let looks = 0;
      const stolen = (): number => Math.min(10, Math.max(0, looks - 10)) * 5;
      const watch = new StolenWatch(() => ({ busy: ++looks * 10 - stolen(), stolen: stolen() }));
      vi.advanceTimersByTime(3000);
      watch.stop();
      expect(watch.between(10_000, 10_900)).toBe(0);
      expect(watch.between(10_900, 11_900)).toBe(0.5);
      expect(watch.between(11_900, 13_000)).toBe(0);
      expect(watch.between(10_000, 99_000)).toBeGreaterThan(0.1);
      vi.advanceTimersByTime(3000);
      expect(looks).toBe(32);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is unknown where it is not counted", () => {
    const watch = new StolenWatch(() => undefined);
    watch.stop();
    expect(watch.between(0, 1)).toBeUndefined();
  });

  it("is rested from as long as patience lasts", async () => {
    const { steadiness, rests } = machine([], { patienceMs: 50_000 });
    expect([await steadiness.rest(30_000), await steadiness.rest(30_000)]).toEqual([true, false]);
    expect(rests).toEqual([30_000]);
    expect(steadiness.rested).toBe(30_000);
  });
});
