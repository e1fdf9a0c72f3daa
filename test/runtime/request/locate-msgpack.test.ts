/** A byte offset in a refused msgpack request is turned into a field path. */
import * as fc from "fast-check";
import { pack } from "msgpackr";
import { describe, expect, it } from "vitest";
import { locateMsgpack } from "../../../runtime/request/locate-msgpack.ts";

const REQUEST = {
  principal: {
    id: "x",
    roles: ["a", "b"],
    attr: { big: "y".repeat(300), n: 1.5, deep: { list: [1, 2, { k: null }] } },
  },
  resources: [{ actions: ["read"], resource: { kind: "album", id: "1", attr: { "odd key": true } } }],
};

/** Offset of a string's header in packed bytes. */
function offsetOf(bytes: Uint8Array, text: string): number {
  const found = Buffer.from(bytes).indexOf(
    Buffer.concat([Buffer.from([0xa0 + text.length]), Buffer.from(text)]),
  );
  expect(found).toBeGreaterThanOrEqual(0);
  return found;
}

describe("locateMsgpack", () => {
  const bytes = pack(REQUEST);

  it.each([
    ["id", "principal.id"],
    ["b", "principal.roles[1]"],
    ["k", "principal.attr.deep.list[2].k"],
    ["read", "resources[0].actions[0]"],
    ["album", "resources[0].resource.kind"],
    ["odd key", 'resources[0].resource.attr["odd key"]'],
  ])("finds %s", (text, path) => {
    expect(locateMsgpack(bytes, offsetOf(bytes, text))).toMatchObject({
      path,
      offset: offsetOf(bytes, text),
    });
  });

  it("names the field in which a truncated request ends", () => {
    const cut = bytes.subarray(0, offsetOf(bytes, "album") + 3);
    expect(locateMsgpack(cut, cut.length).path).toBe("resources[0].resource.kind");
  });

  it("steps over every kind of number, text, binary and extension", () => {
    const items = [
      [0xc0],
      [0xc2],
      [0xc4, 2, 1, 2],
      [0xc5, 0, 1, 9],
      [0xc6, 0, 0, 0, 1, 9],
      [0xc7, 1, 5, 9],
      [0xc8, 0, 1, 5, 9],
      [0xc9, 0, 0, 0, 1, 5, 9],
      [0xca, 0, 0, 0, 0],
      [0xcb, 0, 0, 0, 0, 0, 0, 0, 0],
      [0xcc, 1],
      [0xcd, 0, 1],
      [0xce, 0, 0, 0, 1],
      [0xcf, 0, 0, 0, 0, 0, 0, 0, 1],
      [0xd0, 1],
      [0xd1, 0, 1],
      [0xd2, 0, 0, 0, 1],
      [0xd3, 0, 0, 0, 0, 0, 0, 0, 1],
      [0xd4, 1, 1],
      [0xd5, 1, 1, 1],
      [0xd6, 1, 1, 1, 1, 1],
      [0xd7, 1, 1, 1, 1, 1, 1, 1, 1, 1],
      [0xd8, 1, ...Array.from({ length: 16 }, () => 1)],
      [0xd9, 1, 0x61],
      [0xda, 0, 1, 0x61],
      [0xdb, 0, 0, 0, 1, 0x61],
      [0xdc, 0, 1, 0xc0],
      [0xdd, 0, 0, 0, 1, 0xc0],
      [0xde, 0, 1, 0xa1, 0x61, 0xc0],
      [0xdf, 0, 0, 0, 1, 0xa1, 0x61, 0xc0],
      [0x80],
      [0x90],
      [0xff],
    ];
    const packed = new Uint8Array([0xdc, 0, items.length, ...items.flat()]);
    let offset = 3;
    for (const [index, item] of items.entries()) {
      expect(locateMsgpack(packed, offset).path, `item ${index}`).toBe(`[${index}]`);
      offset += item.length;
    }
  });

  it("answers for any bytes and any offset", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: -5, max: 300 }), (noise, offset) => {
        const found = locateMsgpack(noise, offset);
        expect(found.offset).toBeGreaterThanOrEqual(0);
        expect(found.offset).toBeLessThanOrEqual(noise.length);
        expect(found.token.length).toBeLessThan(500);
      }),
      { numRuns: 2000 },
    );
  });

  it("does not choke on deep input or on counts that lie", () => {
    const deep = new Uint8Array(500_000).fill(0x91);
    expect(locateMsgpack(deep, deep.length).path.length).toBeLessThan(1000);
    expect(locateMsgpack(new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff, 1]), 6).path).toBe("[0]");
  });
});
