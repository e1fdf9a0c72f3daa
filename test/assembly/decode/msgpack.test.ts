/** The msgpack request decoder: every header, every length, and the same message as JSON. */
import fc from "fast-check";
import { Packr } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { BUILDS } from "../support/build-guest.ts";
import { FULL_REQUEST, loadTestRequests, toJson, toMsgpack } from "./bodies.ts";
import { type DecoderHost, type Outcome, startDecoder } from "./decoder-host.ts";
import { contentOf, contentOfDecoded, parseMsgpack } from "./reference.ts";

const SEED = 20260807;
const encoder = new TextEncoder();

/** Bytes of numbers, strings (as they are) and other byte lists. */
function bytes(...parts: readonly (number | string | readonly number[] | Uint8Array)[]): Uint8Array {
  const pieces = parts.map((part) => {
    if (typeof part === "string") return encoder.encode(part);
    return typeof part === "number" ? Uint8Array.of(part) : Uint8Array.from(part);
  });
  return Uint8Array.from(Buffer.concat(pieces));
}

/** A string with an 8-bit length. */
function str8(text: string): Uint8Array {
  return bytes(0xd9, text.length, text);
}

/** {principal: {attr: {a: value}}}, or with a key that no policy reads. */
function withAttr(value: Uint8Array, key = "a"): Uint8Array {
  return bytes(0x81, 0xa9, "principal", 0x81, 0xa4, "attr", 0x81, 0xa0 | key.length, key, value);
}

/** An entry with so many actions. */
function entryOf(count: number): unknown {
  return {
    actions: Array.from({ length: count }, (_, index) => `a${index}`),
    resource: { attr: { owner: "x", q: { r: 1 } } },
  };
}

function bodyOf(...counts: number[]): Uint8Array {
  return toMsgpack({ resources: counts.map(entryOf), principal: { roles: ["r"] } });
}

describe.each(BUILDS)("%s build", (build) => {
  let host: DecoderHost;

  beforeAll(async () => {
    host = await startDecoder(build);
    host.project(["a", "department"], ["a", "owner", "department"]);
  });

  const decode = (body: Uint8Array, options?: Parameters<DecoderHost["decode"]>[2]): Outcome =>
    host.decode("msgpack", body, options);

  it("decodes what the JSON of the same request says", () => {
    for (const request of [FULL_REQUEST, ...loadTestRequests()]) {
      expect(host.decode("json", toJson(request)).status).toBe(abi.STATUS_OK);
      const fromJson = contentOfDecoded(host.request());
      const [pairs, resourcePairs] = [
        host.request().pairs,
        host.request().resources.map((resource) => resource.pairs),
      ];
      expect(decode(toMsgpack(request)).status).toBe(abi.STATUS_OK);
      expect(contentOfDecoded(host.request())).toEqual(fromJson);
      expect(host.request().pairs).toEqual(pairs);
      expect(host.request().resources.map((resource) => resource.pairs)).toEqual(resourcePairs);
    }
  });

  it("takes names with longer headers and in snake case, and nil as not given", () => {
    const principal = bytes([0xde, 0, 2, 0xdb, 0, 0, 0, 2], "id", 0xa1, "p", 0xae, "policy_version", 0xc0);
    const entry = bytes(0x82, 0xa7, "actions", [0xdc, 0, 1, 0xa1], "x", str8("resource"), 0xc0);
    const body = bytes(
      bytes(0x84, str8("request_id"), str8("r"), str8("include_meta"), 0xc3),
      bytes([0xda, 0, 9], "principal", principal, 0xa9, "resources", [0xdd, 0, 0, 0, 1], entry),
    );
    expect(decode(body)).toMatchObject({ status: abi.STATUS_OK });
    expect(host.request()).toMatchObject({
      requestId: { text: "r", set: true },
      includeMeta: true,
      principalId: { text: "p" },
      principalVersion: { set: false },
      resources: [{ actions: [{ text: "x" }], kind: { set: false } }],
    });
  });

  it("marks strings that JSON output may copy", () => {
    const texts = [
      "",
      "plain",
      'with "quote" inside',
      "a\\b",
      "tab\t",
      "é",
      "long and plain, over sixteen",
      "long, over 16, and\nnot",
    ];
    expect(decode(toMsgpack({ principal: { roles: texts } })).status).toBe(abi.STATUS_OK);
    expect(host.request().roles.map(({ text, plain }) => [text, plain])).toEqual(
      texts.map((text) => [text, JSON.stringify(text) === `"${text}"`]),
    );
  });

  it.each([
    ["an unknown field", bytes(0x81, 0xa3, "foo", 1), abi.STATUS_UNKNOWN_FIELD, 1],
    ["a field of another message", bytes(0x81, 0xa5, "roles", 1), abi.STATUS_UNKNOWN_FIELD, 1],
    [
      "a name that only begins like a field",
      bytes(0x81, 0xab, "requestIdxx", 1),
      abi.STATUS_UNKNOWN_FIELD,
      1,
    ],
    ["a name with a quote", bytes(0x81, 0xac, 'requestId"xx', 1), abi.STATUS_UNKNOWN_FIELD, 1],
    ["a very long name", bytes(0x81, 0xd9, 40, "r".repeat(40), 1), abi.STATUS_UNKNOWN_FIELD, 1],
    [
      "a repeated field",
      bytes(0x82, 0xa9, "requestId", 0xa1, "a", 0xaa, "request_id", 0xa1, "b"),
      abi.STATUS_DUPLICATE_KEY,
      13,
    ],
    ["a key that is no string", bytes(0x81, 1, 1), abi.STATUS_WRONG_TYPE, 1],
    ["a number for a string", bytes(0x81, 0xa9, "requestId", 1), abi.STATUS_WRONG_TYPE, 11],
    ["bin for a string", bytes(0x81, 0xa9, "requestId", 0xc4, 1, 65), abi.STATUS_WRONG_TYPE, 11],
    ["a string for a bool", bytes(0x81, 0xab, "includeMeta", 0xa1, "t"), abi.STATUS_WRONG_TYPE, 13],
    ["the unused header", bytes(0x81, 0xa9, "requestId", 0xc1), abi.STATUS_SYNTAX, 11],
    ["a map for a list", bytes(0x81, 0xa9, "resources", 0x80), abi.STATUS_WRONG_TYPE, 11],
    ["nil in a list", bytes(0x81, 0xa9, "resources", 0x91, 0xc0), abi.STATUS_WRONG_TYPE, 12],
    ["bad UTF-8", bytes(0x81, 0xa9, "requestId", 0xa2, 0xc3, 0x28), abi.STATUS_UTF8, 12],
    ["bytes after the message", bytes(0x80, 0xc0), abi.STATUS_TRAILING, 1],
    ["no bytes", bytes(), abi.STATUS_TRUNCATED, 0],
    ["a field without a value", bytes(0x81, 0xa9, "requestId"), abi.STATUS_TRUNCATED, 11 - 1],
  ])("refuses %s", (_name, body, status, offset) => {
    expect(decode(body)).toMatchObject({
      status,
      offset: status === abi.STATUS_TRUNCATED ? body.length : offset,
    });
  });

  it("refuses claims of more than is there at once", () => {
    const huge = [0xff, 0xff, 0xff, 0xff];
    for (const body of [
      bytes(0xdf, huge),
      bytes(0xde, 0xff, 0xff),
      bytes(0x81, 0xa9, "resources", 0xdd, huge),
      bytes(0x81, 0xa9, "requestId", 0xdb, huge, "abc"),
      bytes(0x81, 0xa9, "requestId", 0xdb, 0x7f, 0xff, 0xff, 0xff, "abc"),
      withAttr(bytes(0xdd, huge)),
      withAttr(bytes(0xdf, 0x80, 0, 0, 0)),
      withAttr(bytes(0xdd, huge), "q"),
      withAttr(bytes(0xdb, huge, "x"), "q"),
      withAttr(bytes(0x9f, 1, 2, 3)),
      withAttr(bytes(0xbf, "short")),
      withAttr(bytes(0xcf, 1, 2, 3)),
    ]) {
      const started = host.guest.function("mark")();
      expect(decode(body)).toMatchObject({ status: abi.STATUS_TRUNCATED, offset: body.length });
      expect(Number(host.guest.function("mark")()) - Number(started)).toBeLessThan(0x1_0000);
    }
  });

  it("answers as the reference does for every header byte", () => {
    for (let header = 0; header < 256; header++) {
      for (const rest of [
        [],
        [0],
        [0, 0],
        [1, 65],
        [0, 0, 0, 0],
        [0, 1, 65],
        [0, 0, 0, 1, 65],
        [0x3f, 0x80, 0, 0],
        [0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
      ]) {
        for (const key of ["a", "q"]) {
          const body = withAttr(bytes(header, rest), key);
          const parsed = parseMsgpack(body);
          const wanted = parsed === undefined ? undefined : contentOf(parsed);
          const { status } = decode(body);
          expect(status === abi.STATUS_OK, `${header} ${rest.join()}`).toBe(wanted !== undefined);
          if (wanted !== undefined) expect(contentOfDecoded(host.request())).toEqual(wanted);
        }
      }
    }
  });

  it("reads every number as a double", () => {
    const samples: [Uint8Array, number][] = [
      [bytes(0x7f), 127],
      [bytes(0xe0), -32],
      [bytes(0xcc, 255), 255],
      [bytes(0xcd, 255, 255), 65535],
      [bytes(0xce, 255, 255, 255, 255), 4294967295],
      [bytes(0xcf, 0, 32, 0, 0, 0, 0, 0, 1), 9007199254740992],
      [bytes(0xcf, 255, 255, 255, 255, 255, 255, 255, 255), 18446744073709551616],
      [bytes(0xd0, 0x80), -128],
      [bytes(0xd1, 0x80, 0), -32768],
      [bytes(0xd2, 0x80, 0, 0, 0), -2147483648],
      [bytes(0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0), -9223372036854775808],
      [bytes(0xca, 0x3f, 0xc0, 0, 0), 1.5],
      [bytes(0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0), -0],
      [bytes(0xcb, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a), 0.1],
    ];
    for (const [body, wanted] of samples) {
      expect(decode(withAttr(body)).status).toBe(abi.STATUS_OK);
      expect(Object.is(host.request().pairs.get(0), wanted), String(wanted)).toBe(true);
    }
    for (const float of [
      bytes(0xca, 0x7f, 0x80, 0, 0),
      bytes(0xcb, 0xff, 0xf0, 0, 0, 0, 0, 0, 0),
      bytes(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
    ]) {
      expect(decode(withAttr(float)).status).toBe(abi.STATUS_NUMBER);
      expect(decode(withAttr(float, "q")).status).toBe(abi.STATUS_NUMBER);
    }
  });

  it("builds any value that msgpackr writes", () => {
    const packers = [
      new Packr({ useRecords: false }),
      new Packr({ useRecords: false, variableMapSize: true }),
    ];
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6, stringUnit: "binary" }),
        fc.constantFrom(...packers),
        (given, packr) => {
          const value = JSON.parse(JSON.stringify(given)) as unknown;
          const body = Uint8Array.from(packr.pack({ principal: { attr: { a: value, q: value } } }));
          const parsed = parseMsgpack(body);
          expect(decode(body).status).toBe(abi.STATUS_OK);
          expect(contentOfDecoded(host.request())).toEqual(contentOf(parsed ?? null));
          expect(host.request().pairs.get(0)).toEqual((host.request().attr as { q: unknown }).q);
        },
      ),
      { seed: SEED, numRuns: 600 },
    );
  });

  it("allows depth 64 and no more", () => {
    for (const key of ["a", "q"]) {
      for (const open of [[0x91], [0x81, 0xa1, 0x6b]]) {
        const nest = (count: number) =>
          withAttr(bytes(Array.from({ length: count }, () => open).flat(), 0xc0), key);
        expect(decode(nest(61)).status).toBe(abi.STATUS_OK);
        expect(decode(nest(62)).status).toBe(abi.STATUS_DEPTH);
        expect(decode(nest(20_000)).status).toBe(abi.STATUS_DEPTH);
      }
    }
  });

  it("finds a repeated key among many, in time linear in the body", () => {
    for (const count of [2, 15, 16, 17, 40, 1000]) {
      const keys = Array.from({ length: count }, (_, index) => `key_${index}${"z".repeat(index % 40)}`);
      const map = (names: readonly string[]) =>
        bytes(
          0xde,
          names.length >> 8,
          names.length & 255,
          ...names.flatMap((name) => [0xd9, name.length, name, 1]),
        );
      const attr = (names: readonly string[]) =>
        bytes(0x81, 0xa9, "principal", 0x81, 0xa4, "attr", map(names));
      for (const body of [
        attr,
        (names: readonly string[]) => withAttr(map(names)),
        (names: readonly string[]) => withAttr(map(names), "q"),
      ]) {
        expect(decode(body(keys)).status).toBe(abi.STATUS_OK);
        for (const again of [0, count >> 1, count - 1]) {
          expect(decode(body([...keys, keys[again] ?? ""])).status).toBe(abi.STATUS_DUPLICATE_KEY);
        }
      }
    }
  });

  it("counts what is beyond the limits to the end", () => {
    const limits = { maxActions: 3, maxResources: 2 };
    expect(decode(bodyOf(3, 3), limits).status).toBe(abi.STATUS_OK);
    expect(decode(bodyOf(1, 7), limits)).toMatchObject({ status: abi.STATUS_TOO_MANY_ACTIONS, detail: 7 });
    expect(decode(bodyOf(...Array.from({ length: 1000 }, () => 5)), limits)).toMatchObject({
      status: abi.STATUS_TOO_MANY_RESOURCES,
      detail: 1000,
    });
  });
});
