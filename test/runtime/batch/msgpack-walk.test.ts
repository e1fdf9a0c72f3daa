/** Walking over msgpack values finds as many as were written, and never leaves the bytes. */
import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import { countValues, skipValues } from "../../../runtime/batch/msgpack-walk.ts";

const packrs = [new Packr({ useRecords: false }), new Packr({ useRecords: false, variableMapSize: true })];

/** Every header of msgpack: all kinds of values, in all the widths of their lengths. */
const value = fc.oneof(
  fc.jsonValue(),
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.constantFrom(31, 32, 255, 256, 65_535, 65_536).map((length) => "x".repeat(length)),
  fc.constantFrom(0, 255, 256, 65_536).map((length) => new Uint8Array(length)),
  fc.constantFrom(15, 16, 65_536).map((length) => Array.from({ length }, () => 1)),
  fc
    .constantFrom(15, 16, 300)
    .map((length) => Object.fromEntries(Array.from({ length }, (_, at) => [`${at}`, 1]))),
  fc.date({ noInvalidDate: true }),
);

describe("walking over msgpack", () => {
  it("counts the values that were written one after the other", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), fc.constantFrom(...packrs), (values, packr) => {
        const bytes = Buffer.concat(values.map((one) => packr.pack(one)));
        expect(countValues(bytes, 0, bytes.length)).toBe(values.length);
        expect(skipValues(bytes, 0, values.length, bytes.length)).toBe(bytes.length);
      }),
      { numRuns: 300 },
    );
  });

  it("knows the lengths of ext values", () => {
    for (const [header, size] of [
      [[0xd4], 1],
      [[0xd5], 2],
      [[0xd6], 4],
      [[0xd7], 8],
      [[0xd8], 16],
      [[0xc7, 9], 9],
      [[0xc8, 1, 2], 258],
      [[0xc9, 0, 0, 1, 2], 258],
    ] as const) {
      const bytes = Buffer.concat([Buffer.from(header), Buffer.alloc(1 + size, 0xff), Buffer.from([0xc0])]);
      expect(countValues(bytes, 0, bytes.length)).toBe(2);
    }
  });

  it("knows maps whose length takes four bytes", () => {
    const bytes = Uint8Array.from([0xdf, 0, 0, 0, 2, 0xa1, 0x61, 1, 0xa1, 0x62, 2, 0xc0]);
    expect(countValues(bytes, 0, bytes.length)).toBe(2);
  });

  it("ends at the end of the bytes, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), (bytes, at) => {
        const end = skipValues(bytes, at, 1, bytes.length);
        expect(end === -1 || (end > at && end <= bytes.length)).toBe(true);
        const count = countValues(bytes, 0, bytes.length);
        expect(count >= -1 && count <= bytes.length).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("takes no longer for a length that nothing follows", () => {
    expect(skipValues(Uint8Array.from([0xdd, 0xff, 0xff, 0xff, 0xff]), 0, 1, 5)).toBe(-1);
    expect(skipValues(Uint8Array.from([0xdf, 0xff, 0xff, 0xff, 0xff, 0x01]), 0, 1, 6)).toBe(-1);
  });
});
