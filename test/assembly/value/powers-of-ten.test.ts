/** The static table of powers of ten against exact integers. */
import { describe, expect, it } from "vitest";
import { BUILDS, buildGuest } from "../support/build-guest.ts";

/** floor(10^k / 2^(p - 127)) with p = floor(log2(10^k)). */
function power(k: number): bigint {
  if (k >= 0) {
    const exact = 10n ** BigInt(k);
    const extra = BigInt(exact.toString(2).length - 128);
    return extra > 0n ? exact >> extra : exact << -extra;
  }
  const divisor = 10n ** BigInt(-k);
  const shift = BigInt(divisor.toString(2).length + 127);
  const quotient = (1n << shift) / divisor;
  return quotient >= 1n << 128n ? (1n << (shift - 1n)) / divisor : quotient;
}

describe.each(BUILDS)("the table of powers of ten (%s build)", (build) => {
  it("holds the leading 128 bits of every power, rounded down", async () => {
    const guest = await buildGuest(build);
    const first = Number(guest.global("POWER_MIN"));
    const last = Number(guest.global("POWER_MAX"));
    const exact = Number(guest.global("POWER_EXACT_MAX"));
    const start = Number(guest.global("POWERS_OF_TEN"));
    expect([first, last]).toEqual([-342, 324]);
    for (let k = first; k <= last; k++) {
      const entry = start + 16 * (k - first);
      const stored = (guest.view.getBigUint64(entry, true) << 64n) | guest.view.getBigUint64(entry + 8, true);
      expect(stored, `10^${k}`).toBe(power(k));
    }
    // A power is exact when its odd part fits.
    expect(5n ** BigInt(exact) < 1n << 128n && 5n ** BigInt(exact + 1) >= 1n << 128n).toBe(true);
  });
});
