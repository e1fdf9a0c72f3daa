/** The multiplied load-test set; needs the corpus. */
import { unpack } from "msgpackr";
import { describe, expect, it } from "vitest";

import { hasCorpus, loadtestBodies, loadtestPolicies } from "../../../bench/load/loadtest-set.ts";

describe.skipIf(!hasCorpus())("the load-test set (skipped without the corpus)", () => {
  it("has 9 policy files and 3 schemas per copy, every one different", () => {
    const sources = loadtestPolicies(3);
    expect(sources.filter(({ path }) => path.endsWith(".yaml"))).toHaveLength(27);
    expect(sources.filter(({ path }) => path.endsWith(".json"))).toHaveLength(9);
    expect(new Set(sources.map(({ path }) => path)).size).toBe(sources.length);
    expect(sources.filter(({ path, text }) => path.includes("@N@") || text.includes("@N@"))).toEqual([]);
    expect(sources.some(({ text }) => text.includes("leave_request_00002"))).toBe(true);
  });

  it("asks 10 and 11 decisions in turn, the same in both encodings", () => {
    const bodies = loadtestBodies(2);
    expect(bodies.map(({ decisions }) => decisions)).toEqual([10, 11, 10, 11]);
    for (const { json, msgpack } of bodies) {
      expect(unpack(Buffer.from(msgpack))).toEqual(JSON.parse(Buffer.from(json).toString()));
    }
  });
});
