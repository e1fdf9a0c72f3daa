/** Bodies in several chunks: in order, within their limit, within the budget of all. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BodyBudget, BodyBuffer } from "../../../runtime/http/body.ts";

describe("BodyBuffer", () => {
  it("keeps every byte in order", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), (chunks) => {
        const budget = new BodyBudget(1_000_000);
        const body = new BodyBuffer(budget, 10_000);
        for (const chunk of chunks) expect(body.append(chunk)).toBe("ok");
        expect(Buffer.from(body.bytes()).equals(Buffer.concat(chunks))).toBe(true);
        body.release();
        body.release();
        return budget.used === 0;
      }),
    );
  });

  it("refuses the byte after the limit and keeps what it has", () => {
    const body = new BodyBuffer(new BodyBudget(1_000_000), 5);
    expect(body.append(new Uint8Array(5))).toBe("ok");
    expect(body.append(new Uint8Array(0))).toBe("ok");
    expect(body.append(new Uint8Array(1))).toBe("too-large");
    expect(body.bytes()).toHaveLength(5);
  });

  it("refuses when all bodies together exceed the budget, until one is released", () => {
    const budget = new BodyBudget(200_000);
    const first = new BodyBuffer(budget, 1_000_000);
    const second = new BodyBuffer(budget, 1_000_000);
    expect(first.append(new Uint8Array(80_000))).toBe("ok");
    expect(second.append(new Uint8Array(80_000))).toBe("overloaded");
    first.release();
    expect(second.append(new Uint8Array(80_000))).toBe("ok");
    expect(budget.used).toBeLessThanOrEqual(200_000);
  });
});
