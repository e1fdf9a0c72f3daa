/** Shared memory that is used again, and not kept without bound. */
import { describe, expect, it } from "vitest";
import { SharedMemory } from "../../../runtime/batch/shared-memory.ts";

const MIB = 1024 * 1024;

describe("SharedMemory", () => {
  it("gives at least what was asked for, and the same memory again", () => {
    const memory = new SharedMemory();
    for (const bytes of [1, 65_536, 65_537, 3 * MIB]) {
      const taken = memory.take(bytes);
      expect(taken.byteLength).toBe(SharedMemory.sizeFor(bytes));
      expect(taken.byteLength).toBeGreaterThanOrEqual(bytes);
      memory.give(taken);
      expect(memory.take(bytes)).toBe(taken);
      expect(memory.take(bytes)).not.toBe(taken);
    }
    expect(memory.kept).toBe(0);
  });

  it("keeps 32 MiB at most", () => {
    const memory = new SharedMemory();
    const taken = Array.from({ length: 10 }, () => memory.take(8 * MIB));
    for (const one of taken) memory.give(one);
    expect(memory.kept).toBe(32 * MIB);
  });
});
