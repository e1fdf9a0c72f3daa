/** Searches share the thread: with each other, with the event loop, and only so many of them. */
import { describe, expect, it } from "vitest";
import { SearchTurns } from "../../../runtime/search/search-turns.ts";

/** Work of so many steps, each of which takes `ms`. */
function work(steps: number, ms: number, note: () => void): () => boolean {
  let left = steps;
  return () => {
    const end = performance.now() + ms;
    while (performance.now() < end);
    note();
    return --left === 0;
  };
}

const always = (): boolean => true;

describe("searches of a thread", () => {
  it("take turns, so that a short one need not wait for a long one", async () => {
    const turns = new SearchTurns();
    const order: string[] = [];
    const long = turns
      .run(
        work(50, 0.5, () => undefined),
        always,
      )
      .then(() => order.push("long"));
    const short = turns
      .run(
        work(2, 0.5, () => undefined),
        always,
      )
      .then(() => order.push("short"));
    await Promise.all([long, short]);
    expect(order).toEqual(["short", "long"]);
  });

  it("leave turns of the event loop to everything else", async () => {
    const turns = new SearchTurns();
    let other = 0;
    let isDone = false;
    const count = (): void => {
      other++;
      if (!isDone) setImmediate(count);
    };
    setImmediate(count);
    await turns.run(
      work(40, 1, () => undefined),
      always,
    );
    isDone = true;
    // 40 ms of work in slices of 2 ms, and a step more.
    expect(other).toBeGreaterThanOrEqual(10);
  });

  it("end when nobody wants them any more", async () => {
    const turns = new SearchTurns();
    let steps = 0;
    const ended = await turns.run(
      () => {
        steps++;
        return false;
      },
      () => steps < 3,
    );
    expect([ended, steps]).toEqual([false, 3]);
  });

  it("fail alone", async () => {
    const turns = new SearchTurns();
    const failing = turns.run(() => {
      throw new Error("no");
    }, always);
    const other = turns.run(
      work(3, 0, () => undefined),
      always,
    );
    await expect(failing).rejects.toThrow("no");
    expect(await other).toBe(true);
  });

  it("are refused beyond so many, and taken again when some have ended", async () => {
    const turns = new SearchTurns(2);
    const both = [1, 2].map(() =>
      turns.run(
        work(2, 0, () => undefined),
        always,
      ),
    );
    await expect(turns.run(always, always)).rejects.toMatchObject({ code: "EDICT_SEARCHES_OVERLOADED" });
    await Promise.all(both);
    expect(await turns.run(always, always)).toBe(true);
  });
});
