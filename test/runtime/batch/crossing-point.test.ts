/** From where on requests go to workers: learnt from what they cost, within bounds, unless it is configured. */
import { describe, expect, it } from "vitest";
import { CrossingPoint } from "../../../runtime/batch/crossing-point.ts";

const many = (tell: () => void): void => {
  for (let time = 0; time < 500; time++) tell();
};

describe("the crossing point", () => {
  it("is where deciding takes four times as long as handing over", () => {
    const point = new CrossingPoint(0);
    many(() => point.noteDecided(100_000, 1000));
    many(() => point.noteOverhead(200));
    expect(point.bytes).toBeCloseTo(80_000, -2);
  });

  it("falls when deciding becomes slower and rises when handing over does", () => {
    const point = new CrossingPoint(0);
    const first = point.bytes;
    many(() => point.noteDecided(1000, 12));
    expect(point.bytes).toBeLessThan(first);
    const second = point.bytes;
    many(() => point.noteOverhead(400));
    expect(point.bytes).toBeGreaterThan(second);
  });

  it("stays within bounds whatever it is told", () => {
    const point = new CrossingPoint(0);
    many(() => point.noteOverhead(1e9));
    expect(point.bytes).toBe(256 * 1024);
    many(() => point.noteOverhead(-5));
    many(() => point.noteDecided(1, 1e9));
    point.noteDecided(0, 1);
    expect(point.bytes).toBe(16 * 1024);
  });

  it("is what the configuration says", () => {
    const point = new CrossingPoint(5000);
    many(() => point.noteOverhead(1000));
    expect(point.bytes).toBe(5000);
  });
});
