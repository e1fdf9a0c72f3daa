/** The table hash is written twice, in the compiler and in the guest: they must agree on every input. */
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { hashBytes } from "../../../compiler/emit/hash.ts";
import { buildGuest, BUILDS } from "../support/build-guest.ts";

describe.each(BUILDS)("byte ranges in the %s guest", async (build) => {
  const guest = await buildGuest(build);

  function write(bytes: Uint8Array): number {
    const at = guest.allocate(bytes.length + 8);
    guest.bytes.set(bytes, at);
    return at;
  }

  test("hash like the compiler", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        guest.reset();
        expect(Number(guest.function("hashBytes")(write(bytes), bytes.length)) >>> 0).toBe(hashBytes(bytes));
      }),
    );
  });

  test("compare equal and ordered like Buffer", () => {
    const bytes = fc.uint8Array({ maxLength: 20 });
    fc.assert(
      fc.property(bytes, bytes, (left, right) => {
        guest.reset();
        const [a, b] = [write(left), write(right)];
        const order = Number(guest.function("compareBytes")(a, left.length, b, right.length));
        expect(Math.sign(order)).toBe(Buffer.compare(left, right));
        const shorter = Math.min(left.length, right.length);
        const same = Buffer.compare(left.subarray(0, shorter), right.subarray(0, shorter)) === 0;
        expect(Boolean(guest.function("equalBytes")(a, b, shorter))).toBe(same);
      }),
    );
  });
});
