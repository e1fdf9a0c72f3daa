/** How long a failing thread is waited for, when the daemon gives up, and what health says meanwhile. */
import { describe, expect, it } from "vitest";
import { ThreadHealth } from "../../../runtime/threads/thread-health.ts";

const PATIENCE = { startMs: 1, answerMs: 1, backOffMs: 100, failures: 4, stableMs: 1000 };

describe("ThreadHealth", () => {
  it("waits longer for every failure in a row, and gives up", () => {
    const health = new ThreadHealth(PATIENCE);
    expect([0, 1, 2, 3].map((now) => health.failed(1, "why", now))).toEqual([100, 200, 400, null]);
  });

  it("forgets failures of a thread that has served long enough, and no others", () => {
    const health = new ThreadHealth(PATIENCE);
    health.failed(1, "why", 0);
    health.serves(1, 10);
    expect(health.failed(1, "why", 500)).toBe(200);
    health.serves(1, 600);
    expect(health.failed(1, "why", 1600)).toBe(100);
    // The time it was down does not count as serving.
    expect(health.failed(1, "why", 9999)).toBe(200);
    expect(health.failed(2, "why", 9999)).toBe(100);
  });

  it("names threads that are down or silent until they are back", () => {
    const health = new ThreadHealth(PATIENCE);
    health.failed(1, "thread 1 fell", 0);
    health.silent(2);
    expect(health.reasons).toEqual(["thread 1 fell", "serving thread 2 does not answer"]);
    health.serves(1, 1);
    expect(health.heard(2)).toBe(true);
    expect(health.heard(2)).toBe(false);
    expect(health.reasons).toEqual([]);
  });
});
