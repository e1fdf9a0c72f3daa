/** Attributes in JSON: values against JSON.parse, repeated keys, and the projection to slots. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { BUILDS } from "../support/build-guest.ts";
import { toJson } from "./bodies.ts";
import { type DecoderHost, type Outcome, startDecoder } from "./decoder-host.ts";
import { contentOf, parseJson, plain } from "./reference.ts";

const encoder = new TextEncoder();
const SEED = 20260807;

/** A body with this text as the principal's only projected attribute. */
function withAttr(value: string): string {
  return `{"principal":{"attr":{"a":${value}}}}`;
}

/** The same, with an attribute that no policy reads. */
function withSkipped(value: string): string {
  return `{"principal":{"attr":{"unread":${value}}}}`;
}

/** Both, behind one that has made room for the values of more. */
function withRoom(value: string): string {
  return `{"principal":{"attr":{"b":"x","a":${value},"unread":${value}}}}`;
}

/** An object with these keys. */
function objectOf(names: readonly string[]): string {
  return `{${names.map((name) => `"${name}":0`).join()}}`;
}

describe.each(BUILDS)("%s build", (build) => {
  let host: DecoderHost;

  beforeAll(async () => {
    host = await startDecoder(build);
    host.project(["a", "b", "department", "very_long_attribute_name"], ["a", "x", "owner", "id"]);
  });

  const decode = (text: string, options?: Parameters<DecoderHost["decode"]>[2]): Outcome =>
    host.decode("json", encoder.encode(text), options);
  const status = (text: string): number => decode(text).status;

  it("reads numbers as JSON.parse does", () => {
    const samples = [
      "0",
      "-0",
      "1",
      "-1",
      "12345678",
      "123456789",
      "1234567890123456",
      "9007199254740993",
      "0.1",
      "-12.75",
    ];
    samples.push(
      "1e5",
      "1E+5",
      "2e-7",
      "1.7976931348623157e308",
      "5e-324",
      "1e-400",
      "123456.789e3",
      "0.1234567890123456789",
    );
    samples.push(
      "100000000000000000000000",
      "3.141592653589793",
      "0e0",
      "0.0",
      "99999999.99999999",
      "1.00000000000000000000",
    );
    for (const sample of samples) {
      expect(status(withAttr(sample)), sample).toBe(abi.STATUS_OK);
      expect(Object.is(host.request().pairs.get(0), JSON.parse(sample)), sample).toBe(true);
      // Where the object before had the same keys.
      for (const before of ['"x"', "1"]) {
        expect(status(withRoom(before))).toBe(abi.STATUS_OK);
        expect(status(withRoom(sample)), sample).toBe(abi.STATUS_OK);
        expect(Object.is(host.request().pairs.get(0), JSON.parse(sample)), sample).toBe(true);
      }
    }
    for (const sample of [
      "01",
      "-",
      "+1",
      ".5",
      "1.",
      "1.e3",
      "1e",
      "1e+",
      "--1",
      "0x1",
      "1e400",
      "-1e400",
      "00",
      "-01",
      "9".repeat(400),
    ]) {
      expect(status(withAttr(sample)), sample).not.toBe(abi.STATUS_OK);
      expect(status(withSkipped(sample)), sample).not.toBe(abi.STATUS_OK);
      expect(status(withRoom("1"))).toBe(abi.STATUS_OK);
      expect(status(withRoom(sample)), sample).not.toBe(abi.STATUS_OK);
    }
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer({ min: 0, max: 20 }),
        (number, digits) => {
          for (const text of [JSON.stringify(number), number.toExponential(digits), number.toFixed(digits)]) {
            // Rounding to few digits may overflow, which is another case.
            if (!Number.isFinite(Number(text))) continue;
            expect(status(withAttr(text)), text).toBe(abi.STATUS_OK);
            expect(host.request().pairs.get(0), text).toBe(JSON.parse(text));
          }
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("agrees with JSON.parse on every short text", () => {
    // All texts up to 4 tokens, as an attribute value and as one that is skipped.
    const tokens = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      "0",
      "1",
      "-",
      ".",
      "e",
      "null",
      "a",
      " ",
      "\u0001",
      '"a"',
    ];
    const wrong: string[] = [];
    let texts = [""];
    for (let length = 0; length < (build === "release" ? 4 : 3); length++) {
      texts = texts.flatMap((text) => tokens.map((token) => text + token));
      for (const text of texts) {
        for (const body of [withAttr(text), withSkipped(text)]) {
          const wanted = parseJson(encoder.encode(body));
          const isRight = wanted !== undefined && contentOf(wanted) !== undefined;
          if ((status(body) === abi.STATUS_OK) !== isRight) wrong.push(body);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it("builds any value that JSON.parse builds", () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }),
        fc.constantFrom(0, 1, 2),
        (value, indent) => {
          const text = JSON.stringify(value, null, indent);
          expect(status(withAttr(text))).toBe(abi.STATUS_OK);
          expect(host.request().pairs.get(0)).toEqual(JSON.parse(text));
          expect(status(withSkipped(text))).toBe(abi.STATUS_OK);
          expect(host.request().attr).toEqual({ unread: JSON.parse(text) });
        },
      ),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it("reads a text of any length, with anything at any place, where the object before had the same keys", () => {
    const odd = ['"', "\\", "\\n", "\\u0041", "\u0001", "\u00e9", "\u007f", ""];
    for (let length = 0; length < 70; length++) {
      for (const piece of odd) {
        const before = "y".repeat(length);
        for (const text of [`"${before}${piece}zz"`, `"${before}${piece}"`]) {
          const wanted = parseJson(encoder.encode(withAttr(text)));
          expect(status(withAttr('"x"'))).toBe(abi.STATUS_OK);
          expect(status(withAttr(text)) === abi.STATUS_OK, text).toBe(wanted !== undefined);
          if (wanted !== undefined) expect(host.request().pairs.get(0), text).toBe(JSON.parse(text));
          expect(status(withSkipped('"x"'))).toBe(abi.STATUS_OK);
          expect(status(withSkipped(text)) === abi.STATUS_OK, text).toBe(wanted !== undefined);
        }
      }
    }
  });

  it("validates UTF-8 wherever a sequence stands", () => {
    const pieces = [
      [0xc0, 0x80],
      [0xc3, 0xa9],
      [0xed, 0xa0, 0x80],
      [0xe0, 0x80, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
      [0xf0, 0x9f, 0x98, 0x80],
    ];
    pieces.push(
      [0x80],
      [0xff],
      [0xe2, 0x82],
      [0xf0, 0x9f, 0x98],
      [0xe2, 0x82, 0xac],
      [0xf0, 0x8f, 0xbf, 0xbf],
      [0xf5, 0x80, 0x80, 0x80],
    );
    for (const piece of pieces) {
      for (let before = 0; before < 36; before++) {
        const open = encoder.encode(`{"requestId":"${"x".repeat(before)}`);
        const body = Uint8Array.from([...open, ...piece, ...encoder.encode('yyy"}')]);
        const valid = parseJson(body) !== undefined;
        expect(host.decode("json", body).status, `${piece.join()} at ${before}`).toBe(
          valid ? abi.STATUS_OK : abi.STATUS_UTF8,
        );
      }
    }
  });

  it("finds a repeated key among many, at any place, in time linear in the body", () => {
    for (const count of [2, 15, 16, 17, 18, 40, 1000]) {
      const keys = Array.from({ length: count }, (_, index) => `key_${index}${"z".repeat(index % 40)}`);
      for (const embed of [withAttr, withSkipped, (text: string) => `{"principal":{"attr":${text}}}`]) {
        expect(status(embed(objectOf(keys)))).toBe(abi.STATUS_OK);
        for (const again of [0, count >> 1, count - 1]) {
          expect(status(embed(objectOf([...keys, keys[again] ?? ""]))), `${again} of ${count}`).toBe(
            abi.STATUS_DUPLICATE_KEY,
          );
        }
      }
    }
    const many = Array.from({ length: 60_000 }, (_, index) => `"${index}":0`).join();
    expect(status(`{"principal":{"attr":{${many}}}}`)).toBe(abi.STATUS_OK);
  });

  it("follows objects whose keys change from one to the next", () => {
    const names = [
      "a",
      "x",
      "owner",
      "id",
      "unread",
      "very_long_attribute_name",
      "é",
      'quote"d',
      "back\\slash",
      "",
      "0123456789abcde",
    ];
    const attr = fc
      .uniqueArray(fc.constantFrom(...names), { maxLength: names.length })
      .map((keys) => Object.fromEntries(keys.map((key, index) => [key, index % 2 ? index : { k: key }])));
    fc.assert(
      fc.property(fc.array(attr, { maxLength: 8 }), fc.array(attr, { maxLength: 2 }), (attrs, principals) => {
        for (const principal of principals) {
          const value = {
            principal: { attr: principal },
            resources: attrs.map((each) => ({ resource: { attr: each } })),
          };
          const body = toJson(value);
          expect(host.decode("json", body).status).toBe(abi.STATUS_OK);
          const { resources, attr: decoded, pairs } = host.request();
          expect(decoded).toEqual(principal);
          const slots = new Map(
            ["a", "b", "department", "very_long_attribute_name"].map((name, slot) => [name, slot]),
          );
          expect(pairs).toEqual(
            new Map(
              Object.entries(principal).flatMap(([key, item]) => {
                const slot = slots.get(key);
                return slot === undefined ? [] : [[slot, item]];
              }),
            ),
          );
          resources.forEach((resource, index) => {
            const wanted = attrs[index] as Record<string, unknown>;
            expect(resource.attr).toEqual(wanted);
            const wantedPairs = ["a", "x", "owner", "id"].flatMap((name, slot) =>
              name in wanted ? [[slot, wanted[name]]] : [],
            );
            expect(new Map([...resource.pairs].sort(([left], [right]) => left - right))).toEqual(
              new Map(wantedPairs as [number, unknown][]),
            );
          });
        }
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it("forgets remembered keys when the projection changes", () => {
    const body = '{"principal":{"attr":{"a":1,"b":2}}}';
    for (const names of [
      ["a", "b"],
      ["b", "a"],
      ["b"],
      [],
      ["a", "b", "department", "very_long_attribute_name"],
    ]) {
      host.project(names, ["a", "x", "owner", "id"]);
      expect(status(body)).toBe(abi.STATUS_OK);
      const wanted = names.flatMap((name, slot) =>
        name === "a" ? [[slot, 1]] : name === "b" ? [[slot, 2]] : [],
      );
      expect(new Map([...host.request().pairs].sort(([left], [right]) => left - right))).toEqual(
        new Map(wanted as [number, number][]),
      );
    }
  });

  it("builds a JSON text of its own for globals", () => {
    const decodeJsonValue = host.guest.function("decodeJsonValue");
    const valueStatus = host.guest.function("jsonValueStatus");
    const buildText = (text: string, after: string): unknown => {
      host.resetArena();
      const bytes = encoder.encode(text + after);
      const at = host.write(bytes);
      const value = BigInt.asUintN(64, decodeJsonValue(at, bytes.length - after.length) as bigint);
      return valueStatus() === abi.STATUS_OK ? host.value(value) : `status ${valueStatus() as number}`;
    };
    expect(buildText("12", "34")).toBe(12);
    expect(buildText(' {"a":[1,"x",null,true,{"b":"\\u00e9"}]} ', "")).toEqual({
      a: [1, "x", null, true, { b: "é" }],
    });
    expect(buildText('"a"', '"')).toBe("a");
    expect(buildText("tru", "e")).toBe(`status ${abi.STATUS_TRUNCATED}`);
    expect(buildText('{"a":1,"a":1}', "")).toBe(`status ${abi.STATUS_DUPLICATE_KEY}`);
    expect(buildText("1 2", "")).toBe(`status ${abi.STATUS_TRAILING}`);
    expect(plain(parseJson(encoder.encode("[1]")) ?? null)).toEqual(buildText("[1]", ""));
  });

  it("takes whole numbers for ints there, of any size that 64 bits hold", () => {
    const decodeWhole = host.guest.function("decodeWholeNumbers");
    const tagsOf = (texts: readonly string[]): unknown =>
      texts.map((text) => {
        host.resetArena();
        const bytes = encoder.encode(text);
        const value = BigInt.asUintN(64, decodeWhole(host.write(bytes), bytes.length) as bigint);
        const tag = value < 0xfff8_0000_0000_0000n ? abi.TAG_DOUBLE : Number((value >> 32n) & 0xffn);
        return [
          tag,
          tag === abi.TAG_DOUBLE ? null : host.guest.view.getBigInt64(Number(value & 0xffff_ffffn), true),
        ];
      });
    expect(tagsOf(["5", "-3", "-0", "9223372036854775807", "-9223372036854775808"])).toEqual([
      [abi.TAG_INT, 5n],
      [abi.TAG_INT, -3n],
      [abi.TAG_INT, 0n],
      [abi.TAG_INT, 2n ** 63n - 1n],
      [abi.TAG_INT, -(2n ** 63n)],
    ]);
    expect(tagsOf(["9223372036854775808", "18446744073709551615"])).toEqual([
      [abi.TAG_UINT, -(2n ** 63n)],
      [abi.TAG_UINT, -1n],
    ]);
    const doubles = [
      "18446744073709551616",
      "-9223372036854775809",
      "5.0",
      "1e3",
      "99999999999999999999999999",
    ];
    expect(tagsOf(doubles)).toEqual(doubles.map(() => [abi.TAG_DOUBLE, null]));
  });
});
