/** Frames of the stream against an independent msgpack: what is read where, and that nothing broken is taken. */
import fc from "fast-check";
import { pack, unpack, unpackMultiple } from "msgpackr";
import { describe, expect, it } from "vitest";
import { FrameReader, FrameWriter } from "../../../runtime/stream/frames.ts";

const IDS = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_295, 2n ** 63n + 5n];

describe("FrameReader", () => {
  it("finds id and request of every id width", () => {
    const reader = new FrameReader();
    for (const id of IDS) {
      const bytes = pack([id, { a: 1 }]);
      expect(reader.read(bytes, 0)).toBe(bytes.byteLength);
      expect(bytes.subarray(reader.idStart, reader.idEnd)).toEqual(pack(id));
      expect(unpack(bytes.subarray(reader.bodyStart, reader.bodyEnd))).toEqual({ a: 1 });
      expect(reader.isBin).toBe(false);
    }
  });

  it("walks over frames whose requests are `bin`, of every length width", () => {
    const bodies = [0, 1, 255, 256, 65_535, 65_536].map((size) => Buffer.alloc(size, 7));
    const message = Buffer.concat(bodies.map((body, index) => pack([index, body])));
    const reader = new FrameReader();
    let at = 0;
    for (const body of bodies) {
      at = reader.read(message, at);
      expect(reader.isBin).toBe(true);
      expect(message.subarray(reader.bodyStart, reader.bodyEnd).equals(body)).toBe(true);
    }
    expect(at).toBe(message.byteLength);
  });

  it("refuses what is no frame, and never points outside the message", () => {
    const broken = [
      [],
      [0x92],
      [0x92, 0x01],
      [0x93, 0x01, 0x80, 0x80],
      [0x92, 0xff, 0x80],
      [0x92, 0xa1, 0x61, 0x80],
      [0x92, 0xcc],
      [0x92, 0xcf, 1, 2, 3],
      [0x92, 0x01, 0xc4, 5, 1],
      [0x92, 0x01, 0xc6, 0xff, 0xff, 0xff, 0xff],
      [0x92, 0x01, 0xc5, 0x00],
    ];
    for (const bytes of broken) expect(new FrameReader().read(Uint8Array.from(bytes), 0)).toBe(-1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(0x92, 0x93), (tail, head) => {
        const bytes = Uint8Array.from([head, ...tail]);
        const reader = new FrameReader();
        const end = reader.read(bytes, 0);
        if (end < 0) return;
        expect(end).toBeLessThanOrEqual(bytes.byteLength);
        expect(reader.bodyStart).toBeLessThanOrEqual(reader.bodyEnd);
        expect(reader.bodyEnd).toBe(end);
        expect(reader.idEnd).toBeLessThanOrEqual(reader.bodyStart);
      }),
    );
  });
});

describe("FrameWriter", () => {
  it("writes what any msgpack reads, also beyond its first size", () => {
    const writer = new FrameWriter();
    const large = Buffer.alloc(400_000, 1);
    writer.notice({ bundle: "b" });
    writer.response(pack(300), pack({ results: [] }), false);
    writer.response(pack(1), Buffer.alloc(300, 2), true, { denyReason: "x" });
    writer.response(pack(2), large, true);
    writer.error(pack(3), pack({ code: 3, message: "m", details: [] }));
    expect(unpackMultiple(Buffer.from(writer.bytes()))).toEqual([
      [null, { bundle: "b" }],
      [300, { results: [] }],
      [1, Buffer.alloc(300, 2), { denyReason: "x" }],
      [2, large],
      [3, null, { code: 3, message: "m", details: [] }],
    ]);
    writer.clear();
    expect(writer.length).toBe(0);
  });
});
