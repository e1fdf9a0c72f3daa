/** Bodies that somebody has broken on purpose: a page or a refusal, never anything else. */
import fc from "fast-check";
import { pack } from "msgpackr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { RequestError } from "../../../runtime/errors.ts";
import { IS_BUILT } from "../support/daemon.ts";
import { entity, SearchedSet } from "./support.ts";

const BODY = {
  subject: { type: "user", id: "alice", properties: { level: 3, tags: ["a", null, -1.5], text: "ü\u2028" } },
  action: { name: "view", properties: { __proto__x: true } },
  resource: { type: "record", id: "1", properties: { n: 2 ** 40 } },
  context: { hour: 3, deep: { deeper: [{}] } },
  page: { limit: 2, token: "AQIAAAAfAAAAAQBEV2kV_ADDtE6Mc7n3I6jF", properties: { x: 1 } },
};

const SEEDS = {
  json: [BODY, { ...BODY, page: { limit: 1 } }].map((body) => Buffer.from(JSON.stringify(body))),
  msgpack: [BODY, { ...BODY, page: { limit: 1 } }].map((body) => Buffer.from(pack(body))),
};

/** Bytes that mean something in one of the formats. */
const TELLING = [
  0, 0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x7b, 0x7d, 0x80, 0x8f, 0x90, 0xa0, 0xc0, 0xc1, 0xc4, 0xc7, 0xca, 0xcf,
  0xd3, 0xd4, 0xd9, 0xdc, 0xde, 0xdf, 0xff,
];

describe.skipIf(!IS_BUILT)("a broken search body", () => {
  let set: SearchedSet;

  beforeAll(async () => {
    const people = ["alice", "bob"].map((id) => entity("subject", "user", id, { level: 1 }));
    const records = ["1", "2", "3"].map((id) => entity("resource", "record", id, { level: 1 }));
    set = await SearchedSet.open([...people, ...records]);
  }, 120_000);
  afterAll(() => set.close());

  it.each(["json", "msgpack"] as const)(
    "in %s ends in a page or a refusal",
    async (format) => {
      const number = format === "json" ? FORMAT_JSON : FORMAT_MSGPACK;
      const edit = fc.record({
        at: fc.nat(400),
        what: fc.constantFrom("set", "insert", "remove", "cut", "copy"),
        byte: fc.oneof(fc.constantFrom(...TELLING), fc.nat(255)),
        length: fc.integer({ min: 1, max: 12 }),
      });
      let pages = 0;
      let refusals = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom("subject" as const, "resource" as const, "action" as const),
          fc.constantFrom(...SEEDS[format]),
          fc.array(edit, { minLength: 1, maxLength: 3 }),
          async (searched, seed, edits) => {
            let bytes: Buffer = Buffer.from(seed);
            for (const { at, what, byte, length } of edits) {
              const place = at % (bytes.byteLength + 1);
              const before = bytes.subarray(0, place);
              const part = bytes.subarray(place, place + length);
              const behind = bytes.subarray(place + length);
              if (what === "set") bytes = Buffer.concat([before, Buffer.of(byte), bytes.subarray(place + 1)]);
              else if (what === "insert")
                bytes = Buffer.concat([before, Buffer.of(byte), bytes.subarray(place)]);
              else if (what === "remove") bytes = Buffer.concat([before, behind]);
              else if (what === "cut") bytes = Buffer.from(before);
              else bytes = Buffer.concat([before, part, part, behind]);
            }
            try {
              await set.searcher.search({ searched, bytes, input: number, output: number }, () => true);
              pages++;
            } catch (error) {
              expect(error).toBeInstanceOf(RequestError);
              refusals++;
            }
          },
        ),
        { numRuns: 3000 },
      );
      expect(pages).toBeGreaterThan(10);
      expect(refusals).toBeGreaterThan(10);
    },
    300_000,
  );
});
