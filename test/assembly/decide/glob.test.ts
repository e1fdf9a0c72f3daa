/** Globs in the guest: the image layout the compiler writes, matched by the code that decides. */
import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { IMAGE_BASE } from "../../../assembly/abi.ts";
import { Blob } from "../../../compiler/emit/blob.ts";
import { Matchers } from "../../../compiler/emit/matchers.ts";
import { Symbols } from "../../../compiler/emit/symbols.ts";
import { globMatches, parseGlob } from "../../../compiler/ir/glob.ts";
import { GLOB_CASES } from "../../support/glob-cases.ts";
import { buildGuest, BUILDS, type Guest } from "../support/build-guest.ts";

describe.each(BUILDS)("globs in the %s guest", async (build) => {
  const guest = await buildGuest(build);

  test.each(GLOB_CASES)("$pattern on $text is $want", ({ pattern, text, want }) => {
    expect(matchInGuest(guest, pattern, text)).toBe(want);
  });

  test("agrees with the compiler's matcher on random patterns and texts", () => {
    const patterns = fc.stringMatching(/^[ab:*?]{0,8}\*[ab:*?]{0,4}$/u);
    const texts = fc.stringMatching(/^[ab:c]{0,12}$/u);
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        expect(matchInGuest(guest, pattern, text)).toBe(globMatches(parseGlob(pattern) ?? [], text));
      }),
      { numRuns: 500 },
    );
  });

  test("gives up when the budget is used up instead of running on", () => {
    const text = "a".repeat(200_000);
    expect(matchInGuest(guest, "*a*a*a*a*b", text, 1000n)).toBe(false);
    expect(guest.function("outOfFuel")()).toBeTruthy();
  });
});

/** Writes the glob into an image at IMAGE_BASE, the text behind it, and matches. */
function matchInGuest(guest: Guest, pattern: string, text: string, fuel?: bigint): boolean {
  const blob = new Blob();
  const [kind, value] = new Matchers(blob, new Symbols()).matcher(pattern);
  const image = blob.finish();
  const bytes = new TextEncoder().encode(text);
  guest.reset(fuel);
  const at = guest.allocate(image.length + bytes.length + 64) + image.length + 32;
  guest.bytes.set(image, IMAGE_BASE);
  guest.bytes.set(bytes, at);
  return Boolean(guest.function("globMatches")(kind, value, 0, at, bytes.length));
}
