/** Bodies in several chunks: in order, within their limit, within the budget of all. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SharedMemory } from "../../../runtime/batch/shared-memory.ts";
import { BodyBudget, BodyBuffer } from "../../../runtime/http/body.ts";

const memory = new SharedMemory();

describe("BodyBuffer", () => {
  it("keeps every byte in order", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const budget = new BodyBudget(1_000_000);
        const body = new BodyBuffer(budget, 10_000, memory);
        for (const chunk of chunks) body.append(chunk);
        expect(body.state).toBe("ok");
        expect(Buffer.from(body.bytes()).equals(Buffer.concat(chunks))).toBe(true);
        body.release();
        body.release();
        return budget.used === 0;
      }),
    );
  });

  it("takes as much as the limit, and nothing any more after the byte that exceeds it", () => {
    const budget = new BodyBudget(1_000_000);
    const body = new BodyBuffer(budget, 5, memory);
    body.append(new Uint8Array(5));
    body.append(new Uint8Array(0));
    expect([body.state, body.bytes().length, body.dropped]).toEqual(["ok", 5, 0]);
    body.append(new Uint8Array(1));
    body.append(new Uint8Array(3));
    expect([body.state, body.bytes().length, body.dropped, budget.used]).toEqual(["too-large", 0, 4, 0]);
  });

  it("refuses when all bodies together exceed the budget, until one is released", () => {
    const budget = new BodyBudget(600_000);
    const first = new BodyBuffer(budget, 1_000_000, memory);
    const second = new BodyBuffer(budget, 1_000_000, memory);
    first.append(new Uint8Array(80_000));
    second.append(new Uint8Array(80_000));
    expect([first.state, second.state]).toEqual(["ok", "overloaded"]);
    first.release();
    const third = new BodyBuffer(budget, 1_000_000, memory);
    third.append(new Uint8Array(80_000));
    expect(third.state).toBe("ok");
    expect(budget.used).toBeLessThanOrEqual(600_000);
  });
});
