/** Classes and case folding of regular expressions, on both builds of the guest. What a pattern matches is not tested here. */
import { beforeAll, describe, expect, it } from "vitest";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";

type Range = readonly [low: number, high: number];

/** Assigned after Unicode 15.0, so unassigned here whatever the runtime that runs the tests knows. */
const LATER = [0x1c89, 0x2ffc, 0x31e4, 0x31ef, 0xa7cb, 0x1_05c0, 0x1_e5d0, 0x2_ebf0, 0x2_ee5d];
const TWO_LETTERS =
  "Cc Cf Cn Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs";

const has = (all: readonly Range[], rune: number): boolean =>
  all.some(([low, high]) => low <= rune && rune <= high);

describe.each(BUILDS)("unicode of regular expressions, %s", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });

  function find(name: string): number {
    guest.reset();
    const bytes = Buffer.from(name);
    const place = guest.allocate(bytes.length + 8);
    guest.bytes.set(bytes, place);
    return Number(guest.function("findUnicodeClass")(place, bytes.length));
  }

  function ranges(name: string): readonly Range[] {
    const index = find(name);
    expect(index, name).toBeGreaterThanOrEqual(0);
    const size = Number(guest.function("unicodeClassSize")(index));
    const into = guest.allocate(size * 8);
    guest.function("unicodeClassRanges")(index, into);
    return Array.from({ length: size }, (_, range): Range => {
      const place = into + range * 8;
      return [guest.view.getUint32(place, true), guest.view.getUint32(place + 4, true)];
    });
  }

  const foldNext = (rune: number): number => Number(guest.function("foldNext")(rune));
  const hasFold = (low: number, high: number): boolean => Boolean(guest.function("hasFold")(low, high));

  it("finds names whatever their case, blanks, underlines and hyphens", () => {
    for (const name of ["lowercase_letter", "LowercaseLetter", "LOWERCASE LETTER", "lowercase-letter", "ll"])
      expect(find(name), name).toBeGreaterThanOrEqual(0);
    expect(ranges("Letter")).toEqual(ranges("L"));
    expect(ranges("gREEK")).toEqual(ranges("Greek"));
  });

  it("refuses unknown names, prefixes, longer names and scripts of several words", () => {
    for (const name of ["", "Gree", "Greeks", "Grek", "Old_Italic", "OldItalic", "Unknown", "Lx", "é"])
      expect(find(name), name).toBe(-1);
    expect(find("L".repeat(100_000))).toBe(-1);
  });

  it("puts every code point in exactly one category of two letters", () => {
    const all = TWO_LETTERS.split(" ")
      .flatMap((name) => ranges(name))
      .toSorted(([a], [b]) => a - b);
    let next = 0;
    for (const [low, high] of all) {
      expect(low).toBe(next);
      next = high + 1;
    }
    expect(next).toBe(0x11_00_00);
  });

  it("agrees with the runtime about letters that Unicode 15.0 has", () => {
    const letters = ranges("L");
    const unassigned = ranges("Cn");
    const greek = ranges("Greek");
    for (let rune = 0; rune < 0x3_00_00; rune++) {
      if (has(unassigned, rune)) continue;
      const text = String.fromCodePoint(rune);
      if (has(letters, rune) !== /^\p{L}$/u.test(text)) expect.fail(`letter ${rune.toString(16)}`);
      if (has(greek, rune) !== /^\p{Script=Greek}$/u.test(text)) expect.fail(`Greek ${rune.toString(16)}`);
    }
  });

  it("leaves what later versions of Unicode assign unassigned", () => {
    for (const rune of LATER) {
      expect(has(ranges("Cn"), rune), rune.toString(16)).toBe(true);
      expect(has(ranges("Assigned"), rune), rune.toString(16)).toBe(false);
    }
    expect(ranges("Any")).toEqual([[0, 0x10_ff_ff]]);
    expect(ranges("ASCII")).toEqual([[0, 0x7f]]);
  });

  it("goes round all code points that are equal under simple folding", () => {
    const orbits = [
      [0x41, 0x61],
      [0x4b, 0x6b, 0x21_2a],
      [0x53, 0x73, 0x1_7f],
      [0x1_c4, 0x1_c5, 0x1_c6],
      [0x3_45, 0x3_99, 0x3_b9, 0x1f_be],
      [0xdf, 0x1e_9e],
      [0x1_e9_00, 0x1_e9_22],
    ];
    for (const orbit of orbits)
      orbit.forEach((rune, index) => expect(foldNext(rune)).toBe(orbit[(index + 1) % orbit.length]));
    for (const alone of [0, 0x30, 0x40, 0x5b, 0x1_30, 0x1_31, 0x3_90, 0x1f_d3, 0xfb_05, 0x4e_00, 0x10_ff_ff])
      expect(foldNext(alone), alone.toString(16)).toBe(alone);
  });

  it("comes back from every code point, and says for single ones whether they fold", () => {
    for (let rune = 0; rune < 0x1_f0_00; rune++) {
      let at = foldNext(rune);
      for (let turn = 0; turn < 4 && at !== rune; turn++) at = foldNext(at);
      if (at !== rune) expect.fail(`no way back to ${rune.toString(16)}`);
      if (hasFold(rune, rune) !== (foldNext(rune) !== rune)) expect.fail(`hasFold ${rune.toString(16)}`);
    }
  });

  it("says whether anything in a range folds", () => {
    expect(hasFold(0, 0x40)).toBe(false);
    expect(hasFold(0, 0x41)).toBe(true);
    expect(hasFold(0x5b, 0x60)).toBe(false);
    expect(hasFold(0x5b, 0x61)).toBe(true);
    expect(hasFold(0x4e_00, 0x9f_ff)).toBe(false);
    expect(hasFold(0x1_e9_44, 0x10_ff_ff)).toBe(false);
  });
});
