/** The writers of responses: strings, headers and values in both formats, the bounds of the output, and call ids. */
import fc from "fast-check";
import { unpack } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import { IMAGE_BASE } from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { encode as buildValue, type Value } from "../support/values.ts";

const SEED = 20260807;
/** The output region, far from the arena. */
const OUT = IMAGE_BASE + 0x80_0000;
const SIZE = 0x10_0000;
const SLACK = 32;

describe.each(BUILDS)("%s build", (build) => {
  let guest: Guest;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  beforeAll(async () => {
    guest = await buildGuest(build);
  });

  /** Begins an output with room for `size` bytes. */
  function open(size = SIZE): void {
    guest.reset();
    guest.bytes.fill(0xee, OUT, OUT + size + SLACK + 64);
    guest.function("setOutput")(OUT, OUT + size + SLACK);
  }
  const written = (): Uint8Array => guest.bytes.slice(OUT, Number(guest.global("position")));
  const isFull = (): boolean => Number(guest.global("outputFull")) === 1;
  function place(text: string | Uint8Array): [start: number, length: number] {
    const bytes = typeof text === "string" ? encoder.encode(text) : text;
    const start = guest.allocate(bytes.length + 16);
    guest.bytes.set(bytes, start);
    return [start, bytes.length];
  }
  function json(value: Value): string | undefined {
    open();
    return guest.function("jsonValue")(BigInt.asIntN(64, buildValue(guest, value))) === 1
      ? decoder.decode(written())
      : undefined;
  }
  function msgpack(value: Value): unknown {
    open();
    return guest.function("msgpackValue")(BigInt.asIntN(64, buildValue(guest, value))) === 1
      ? unpack(written())
      : undefined;
  }

  it("escapes strings as Go's protojson does", () => {
    open();
    const text =
      Array.from({ length: 0x81 }, (_, point) => String.fromCodePoint(point)).join("") + "é\u2028<&>日本";
    guest.function("jsonString")(...place(text), 0);
    const out = decoder.decode(written());
    expect(JSON.parse(out)).toBe(text);
    expect(out).toContain("\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f");
    expect(out).toContain("\\u001f");
    expect(out).toContain("\u007f\u0080é\u2028<&>日本");
    expect(out).not.toContain("\\/");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 80 }), (given) => {
        open();
        guest.function("jsonString")(...place(given), 0);
        expect(JSON.parse(decoder.decode(written()))).toBe(given);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it("copies plain strings of any length", () => {
    for (let length = 0; length < 150; length++) {
      open();
      const text = "abcdefghijklmnopqrstuvwxyz".repeat(6).slice(0, length);
      guest.function("jsonString")(...place(text), 1);
      expect(decoder.decode(written())).toBe(`"${text}"`);
    }
  });

  it("never writes past the end, and says so", () => {
    const value: Value = [
      1.5,
      "text \n with escapes",
      new Map<Value, Value>([
        ["key", "x".repeat(90)],
        ["b", true],
      ]),
      null,
      -7n,
    ];
    for (const name of ["jsonValue", "msgpackValue"]) {
      open();
      guest.function(name)(BigInt.asIntN(64, buildValue(guest, value)));
      const whole = written();
      expect(isFull()).toBe(false);
      for (let size = 0; size < whole.length; size++) {
        open(size);
        guest.function(name)(BigInt.asIntN(64, buildValue(guest, value)));
        expect(isFull(), `${name} ${size}`).toBe(true);
        expect(Number(guest.global("position"))).toBeLessThanOrEqual(OUT + size);
        expect(
          [...guest.bytes.subarray(OUT + size + SLACK, OUT + size + SLACK + 64)].every(
            (byte) => byte === 0xee,
          ),
        ).toBe(true);
      }
      open(whole.length + 40);
      guest.function(name)(BigInt.asIntN(64, buildValue(guest, value)));
      expect(isFull()).toBe(false);
      expect(written()).toEqual(whole);
    }
  });

  it("chooses the smallest msgpack header", () => {
    for (const count of [0, 15, 16, 65535, 65536]) {
      open();
      guest.function("msgpackMap")(count);
      expect(written()[0]).toBe(count < 16 ? 0x80 | count : count < 65536 ? 0xde : 0xdf);
      open();
      guest.function("msgpackArray")(count);
      const header = written();
      expect(header[0]).toBe(count < 16 ? 0x90 | count : count < 65536 ? 0xdc : 0xdd);
      expect(header.length).toBe(count < 16 ? 1 : count < 65536 ? 3 : 5);
    }
    for (const length of [0, 31, 32, 255, 256, 65535, 65536]) {
      open();
      guest.function("msgpackString")(...place("x".repeat(length)));
      expect(written().length - length).toBe(length < 32 ? 1 : length < 256 ? 2 : length < 65536 ? 3 : 5);
      expect(unpack(written())).toBe("x".repeat(length));
    }
  });

  it("writes values as protobuf JSON has them", () => {
    const cases: [Value, unknown][] = [
      [null, null],
      [true, true],
      [1.5, 1.5],
      [12n, 12],
      [9007199254740991n, 9007199254740991],
      [9007199254740992n, "9007199254740992"],
      [-9007199254740992n, "-9007199254740992"],
      [-9223372036854775808n, "-9223372036854775808"],
      [{ uint: 18446744073709551615n }, "18446744073709551615"],
      [{ uint: 7n }, 7],
      [Uint8Array.of(0, 255, 16), "AP8Q"],
      [{ duration: 3_661_500_000_000n }, "3661.5s"],
      [{ timestamp: [1_700_000_000n, 500_000_000] }, "2023-11-14T22:13:20.5Z"],
      [{ optional: "x" }, "x"],
      [{ optional: { optional: [1n] } }, [1]],
      [
        ["a", [1n, null]],
        ["a", [1, null]],
      ],
    ];
    for (const [value, wanted] of cases) {
      expect(JSON.parse(json(value) ?? "undefined")).toEqual(wanted);
      expect(msgpack(value)).toEqual(wanted);
    }
  });

  it("answers false for what has no JSON form, wherever it stands", () => {
    const without: Value[] = [
      { optional: undefined },
      Number.NaN,
      Infinity,
      -Infinity,
      { type: "int" },
      new Map<Value, Value>([[1n, "x"]]),
      new Map<Value, Value>([[true, "x"]]),
      { absent: true },
    ];
    for (const value of without) {
      for (const given of [value, [value], new Map<Value, Value>([["k", value]])]) {
        expect(json(given)).toBeUndefined();
        expect(msgpack(given)).toBeUndefined();
      }
    }
  });

  it("sorts map keys by their bytes, in any number", () => {
    const keys = fc.uniqueArray(fc.string({ unit: "binary", maxLength: 6 }), { maxLength: 60 });
    fc.assert(
      fc.property(keys, (names) => {
        const out = json(new Map(names.map((name): [Value, Value] => [name, name])));
        const found = [...(out ?? "").matchAll(/("(?:[^"\\]|\\.)*"):/gsu)].map(
          ([, key]) => JSON.parse(key ?? "") as string,
        );
        const wanted = [...names].sort((left, right) =>
          Buffer.compare(Buffer.from(left), Buffer.from(right)),
        );
        expect(found).toEqual(wanted);
        expect(msgpack(new Map(names.map((name): [Value, Value] => [name, true])))).toEqual(
          Object.fromEntries(names.map((name) => [name, true])),
        );
      }),
      { seed: SEED, numRuns: 150 },
    );
    // Descending keys are the worst case of an insertion sort; this many must not take noticeable time.
    const many = Array.from({ length: 30_000 }, (_, index): [Value, Value] => [String(90_000 - index), null]);
    expect(json(new Map(many))?.length).toBeGreaterThan(30_000);
  });

  it("refuses nesting without end instead of overflowing", () => {
    let value: Value = 1n;
    for (let depth = 0; depth < 200; depth++) value = [value];
    expect(json(value)).toBeUndefined();
    expect(msgpack(value)).toBeUndefined();
  });

  it("writes call ids that are ULIDs in increasing order", () => {
    open();
    const ulid = (millis: number): string => {
      guest.function("writeUlid")(OUT, millis);
      return decoder.decode(guest.bytes.subarray(OUT, OUT + 26));
    };
    guest.function("seedUlid")(1, 2);
    const ids = [
      1_700_000_000_000, 1_700_000_000_000, 1_700_000_000_001, 1_699_999_999_999, 1_700_000_000_002,
    ].map(ulid);
    for (const id of ids) expect(id).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
    const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const time = (ids[0] ?? "")
      .slice(0, 10)
      .split("")
      .reduce((sum, digit) => sum * 32 + alphabet.indexOf(digit), 0);
    expect(time).toBe(1_700_000_000_000);
    guest.function("seedUlid")(3, 4);
    expect(ulid(1_700_000_000_003).slice(10)).not.toBe(ulid(1_700_000_000_004).slice(10));
    for (const millis of [Number.NaN, -1, 0]) expect(ulid(millis)).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    // Counting on carries over from digit to digit.
    const valueOf = (id: string): bigint =>
      id.split("").reduce((sum, digit) => sum * 32n + BigInt(alphabet.indexOf(digit)), 0n);
    let before = valueOf(ulid(1_700_000_000_005));
    for (let count = 0; count < 3000; count++) {
      const next = valueOf(ulid(1_700_000_000_005));
      expect(next).toBe(before + 1n);
      before = next;
    }
  });

  it("writes call ids at the very beginning of time, too", async () => {
    const fresh = await buildGuest(build);
    fresh.function("writeUlid")(OUT, 0);
    expect(decoder.decode(fresh.bytes.subarray(OUT, OUT + 26))).toBe(`${"0".repeat(25)}1`);
  });
});
