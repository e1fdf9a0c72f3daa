/** The JSON request decoder: the message, its strictness, and values against JSON.parse. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { BUILDS } from "../support/build-guest.ts";
import { toJson } from "./bodies.ts";
import { type DecoderHost, type Outcome, startDecoder } from "./decoder-host.ts";
import { contentOf, contentOfDecoded, parseJson, plain } from "./reference.ts";

const encoder = new TextEncoder();
const SEED = 20260807;

describe.each(BUILDS)("%s build", (build) => {
  let host: DecoderHost;

  beforeAll(async () => {
    host = await startDecoder(build);
    host.project(["a", "b", "department", "very_long_attribute_name"], ["a", "x", "owner", "id"]);
  });

  const decode = (text: string, options?: Parameters<DecoderHost["decode"]>[2]): Outcome =>
    host.decode("json", encoder.encode(text), options);
  const status = (text: string): number => decode(text).status;
  /** A body with this text as the principal's only projected attribute. */
  const withAttr = (value: string): string => `{"principal":{"attr":{"a":${value}}}}`;
  /** The same, with an attribute that no policy reads. */
  const withSkipped = (value: string): string => `{"principal":{"attr":{"unread":${value}}}}`;

  it("decodes every field in both spellings and any order", () => {
    const body = `{"resources":[{"resource":{"scope":"s","attr":{"x":1,"unread":[],"owner":"o"},"id":"i","policy_version":"v","kind":"k"},
      "actions":["one","two"]}],"include_meta":true,"request_id":"r","request_context":{"annotations":{"a":null}},
      "aux_data":{"jwts":{"n":{"token":"t","key_set_id":"k"}}},"principal":{"scope":".","policy_version":"p","attr":{"b":false},
      "roles":["x"],"id":"me"}}`;
    expect(status(body)).toBe(abi.STATUS_OK);
    const request = host.request();
    expect(contentOfDecoded(request)).toEqual({
      requestId: "r",
      includeMeta: true,
      hasAuxData: true,
      principal: { id: "me", version: "p", scope: ".", attr: { b: false }, roles: ["x"] },
      resources: [
        {
          id: "i",
          version: "v",
          scope: "s",
          attr: { x: 1, unread: [], owner: "o" },
          kind: "k",
          actions: ["one", "two"],
        },
      ],
    });
    expect([...request.pairs]).toEqual([[1, false]]);
    expect([...(request.resources[0]?.pairs ?? [])]).toEqual([
      [1, 1],
      [2, "o"],
    ]);
  });

  it("takes null as not given, but not inside lists and token maps", () => {
    const nulls = `{"requestId":null,"includeMeta":null,"principal":{"id":null,"roles":null,"attr":null,"scope":null,
      "policyVersion":null},"resources":[{"actions":null,"resource":null}],"auxData":{"jwt":null,"jwts":null},
      "requestContext":{"annotations":null}}`;
    expect(status(nulls)).toBe(abi.STATUS_OK);
    expect(status('{"principal":null,"resources":null,"auxData":null,"requestContext":null}')).toBe(
      abi.STATUS_OK,
    );
    for (const body of [
      "null",
      '{"principal":{"roles":[null]}}',
      '{"resources":[null]}',
      '{"resources":[{"actions":["a",null]}]}',
      '{"auxData":{"jwts":{"a":null}}}',
    ]) {
      expect(status(body), body).toBe(abi.STATUS_WRONG_TYPE);
    }
  });

  it("marks strings as given and as plain", () => {
    decode(
      '{"requestId":"","principal":{"id":"a","roles":["\\u0041","é","x\\ty"],"scope":"0123456789abcdef0123"}}',
    );
    const request = host.request();
    expect(request.requestId).toEqual({ text: "", set: false, plain: true });
    expect(request.principalId).toEqual({ text: "a", set: true, plain: true });
    expect(request.principalVersion.set).toBe(false);
    expect(request.principalScope).toEqual({ text: "0123456789abcdef0123", set: true, plain: true });
    expect(request.roles.map(({ text }) => text)).toEqual(["A", "é", "x\ty"]);
    expect(request.roles[2]?.plain).toBe(false);
    expect(request.roles[1]?.plain).toBe(true);
  });

  it.each([
    ['{"foo":1}', abi.STATUS_UNKNOWN_FIELD, 1],
    ['{"requestid":"a"}', abi.STATUS_UNKNOWN_FIELD, 1],
    ['{"principal":{"name":1}}', abi.STATUS_UNKNOWN_FIELD, 14],
    ['{"kind":"a"}', abi.STATUS_UNKNOWN_FIELD, 1],
    ['{"resources":[{"resource":{"roles":[]}}]}', abi.STATUS_UNKNOWN_FIELD, 27],
    ['{"resources":[{"resource":{"kind\\"x":""}}]}', abi.STATUS_UNKNOWN_FIELD, 27],
    ['{"requestContext":{"x":{}}}', abi.STATUS_UNKNOWN_FIELD, 19],
    ['{"auxData":{"jwt":{"tok":""}}}', abi.STATUS_UNKNOWN_FIELD, 19],
    ['{"requestId":"a","requestId":"b"}', abi.STATUS_DUPLICATE_KEY, 17],
    ['{"requestId":"a","request_id":"b"}', abi.STATUS_DUPLICATE_KEY, 17],
    ['{"requestId":null,"requestId":"b"}', abi.STATUS_DUPLICATE_KEY, 18],
    ['{"principal":{},"\\u0070rincipal":{}}', abi.STATUS_DUPLICATE_KEY, 16],
    ['{"principal":{"attr":{"a":1,"a":2}}}', abi.STATUS_DUPLICATE_KEY, 28],
    ['{"principal":{"attr":{"a":1,"\\u0061":2}}}', abi.STATUS_DUPLICATE_KEY, 28],
    ['{"principal":{"attr":{"zz":{"b":1,"c":2,"b":3}}}}', abi.STATUS_DUPLICATE_KEY, 40],
    ['{"requestContext":{"annotations":{"b":1,"b":3}}}', abi.STATUS_DUPLICATE_KEY, 40],
    ['{"auxData":{"jwts":{"b":{},"b":{}}}}', abi.STATUS_DUPLICATE_KEY, 27],
    ['{"requestContext":{"annotations":{},"annotations":{}}}', abi.STATUS_DUPLICATE_KEY, 36],
    ['{"requestId":1}', abi.STATUS_WRONG_TYPE, 13],
    ['{"includeMeta":"true"}', abi.STATUS_WRONG_TYPE, 15],
    ['{"principal":[]}', abi.STATUS_WRONG_TYPE, 13],
    ['{"principal":{"attr":[]}}', abi.STATUS_WRONG_TYPE, 21],
    ['{"principal":{"roles":"a"}}', abi.STATUS_WRONG_TYPE, 22],
    ['{"principal":{"roles":[1]}}', abi.STATUS_WRONG_TYPE, 23],
    ['{"resources":{}}', abi.STATUS_WRONG_TYPE, 13],
    ["[]", abi.STATUS_WRONG_TYPE, 0],
    ["{} {}", abi.STATUS_TRAILING, 3],
    ["{}x", abi.STATUS_TRAILING, 2],
    ["", abi.STATUS_TRUNCATED, 0],
    ["  ", abi.STATUS_TRUNCATED, 2],
    ['{"requestId":tru', abi.STATUS_TRUNCATED, 16],
    ['{"requestId":truu}', abi.STATUS_SYNTAX, 13],
    ["{,}", abi.STATUS_SYNTAX, 1],
    ['{"requestId":"a",}', abi.STATUS_SYNTAX, 17],
    ['{"requestId" "a"}', abi.STATUS_SYNTAX, 13],
    ['{requestId:"a"}', abi.STATUS_SYNTAX, 1],
    ["\ufeff{}", abi.STATUS_SYNTAX, 0],
    ["{\f}", abi.STATUS_SYNTAX, 1],
    ["{\u00a0}", abi.STATUS_SYNTAX, 1],
    ['{"requestId":"a\tb"}', abi.STATUS_ESCAPE, 15],
    ['{"requestId":"a\\xb"}', abi.STATUS_ESCAPE, 16],
    ['{"requestId":"\\u12g4"}', abi.STATUS_ESCAPE, 18],
    ['{"requestId":"\\ud800"}', abi.STATUS_UTF8, 14],
    ['{"requestId":"\\udc00\\ud800"}', abi.STATUS_UTF8, 14],
    ['{"requestId":"\\ud800\\u0041"}', abi.STATUS_UTF8, 14],
  ])("refuses %s", (body, wanted, offset) => {
    expect(decode(body)).toMatchObject({ status: wanted, offset });
  });

  it("knows white space by four bytes only, in runs of any length", () => {
    for (let length = 0; length < 70; length++) {
      const space = " \n\t\r".repeat(18).slice(0, length);
      expect(
        status(
          `${space}{${space}"requestId"${space}:${space}"a"${space},${space}"principal"${space}:${space}{${space}}}${space}`,
        ),
      ).toBe(0);
    }
    for (let byte = 0; byte < 0x30; byte++) {
      const body = encoder.encode('{"requestId": "a" }');
      for (const at of [13, 17]) {
        const changed = Uint8Array.from(body);
        changed[at] = byte;
        expect(host.decode("json", changed).status === 0, `byte ${byte}`).toBe(
          [9, 10, 13, 32].includes(byte),
        );
      }
    }
  });

  it("counts what is beyond the limits to the end", () => {
    const actions = (count: number) =>
      JSON.stringify(Array.from({ length: count }, (_, index) => `a${index}`));
    const entry = (count: number) =>
      `{"actions":${actions(count)},"resource":{"attr":{"x":"y","z":{"q":1}}}}`;
    const body = (...counts: number[]) =>
      `{"resources":[${counts.map(entry).join()}],"principal":{"roles":["r"]}}`;
    const limits = { maxActions: 3, maxResources: 2 };
    expect(decode(body(3, 3), limits).status).toBe(abi.STATUS_OK);
    expect(decode(body(3, 7, 5).replace(",{", ",{"), { maxActions: 3, maxResources: 9 })).toMatchObject({
      status: abi.STATUS_TOO_MANY_ACTIONS,
      detail: 7,
    });
    expect(decode(body(...Array.from({ length: 1000 }, () => 5)), limits)).toMatchObject({
      status: abi.STATUS_TOO_MANY_RESOURCES,
      detail: 1000,
    });
    expect(
      decode(`{"resources":[${Array.from({ length: 40 }, () => entry(1)).join()},{"actions":[1]}]}`, limits)
        .status,
    ).toBe(abi.STATUS_WRONG_TYPE);
  });

  it.each([withAttr, withSkipped])("allows depth 64 and no more (%#)", (body) => {
    // The value stands in the request, the principal and attr: three deep.
    const lists = (count: number) => "[".repeat(count) + "]".repeat(count);
    const maps = (count: number) => '{"k":'.repeat(count) + "1" + "}".repeat(count);
    for (const nest of [lists, maps]) {
      expect(status(body(nest(61)))).toBe(abi.STATUS_OK);
      expect(status(body(nest(62)))).toBe(abi.STATUS_DEPTH);
      expect(status(body(nest(30_000)))).toBe(abi.STATUS_DEPTH);
    }
  });

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
    let texts = [""];
    for (let length = 0; length < (build === "release" ? 4 : 3); length++) {
      texts = texts.flatMap((text) => tokens.map((token) => text + token));
      for (const text of texts) {
        for (const body of [withAttr(text), withSkipped(text)]) {
          const wanted = parseJson(encoder.encode(body));
          expect(status(body) === abi.STATUS_OK, body).toBe(
            wanted !== undefined && contentOf(wanted) !== undefined,
          );
        }
      }
    }
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
        expect(host.decode("json", body).status, `${piece} at ${before}`).toBe(
          valid ? abi.STATUS_OK : abi.STATUS_UTF8,
        );
      }
    }
  });

  it("finds a repeated key among many, at any place, in time linear in the body", () => {
    for (const count of [2, 15, 16, 17, 18, 40, 1000]) {
      const keys = Array.from({ length: count }, (_, index) => `key_${index}${"z".repeat(index % 40)}`);
      const body = (names: readonly string[]) => `{${names.map((name) => `"${name}":0`).join()}}`;
      for (const embed of [withAttr, withSkipped, (text: string) => `{"principal":{"attr":${text}}}`]) {
        expect(status(embed(body(keys)))).toBe(abi.STATUS_OK);
        for (const again of [0, count >> 1, count - 1]) {
          expect(status(embed(body([...keys, keys[again] ?? ""]))), `${again} of ${count}`).toBe(
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
            expect(new Map([...resource.pairs].sort())).toEqual(new Map(wantedPairs as [number, unknown][]));
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
      expect(new Map([...host.request().pairs].sort())).toEqual(new Map(wanted as [number, number][]));
    }
  });

  it("says memory, and nothing else, when the arena is full", () => {
    const body = toJson({
      principal: { id: "x\n".repeat(500), attr: { a: "\t".repeat(300) } },
      resources: Array.from({ length: 40 }, () => ({})),
    });
    const setArena = host.guest.function("setArena");
    const decodeJson = host.guest.function("decodeJson");
    const at = host.write(body);
    const start = at + 0x10_0000;
    for (let size = 0; size < 8_000; size += 56) {
      setArena(start, start + size);
      expect([abi.STATUS_OK, abi.STATUS_MEMORY]).toContain(decodeJson(at, body.length, 50, 50));
    }
    host.resetArena();
  });

  it("builds a JSON text of its own for globals", () => {
    const decodeJsonValue = host.guest.function("decodeJsonValue");
    const valueStatus = host.guest.function("jsonValueStatus");
    const build_ = (text: string, after: string): unknown => {
      host.resetArena();
      const bytes = encoder.encode(text + after);
      const at = host.write(bytes);
      const value = BigInt.asUintN(64, decodeJsonValue(at, bytes.length - after.length) as bigint);
      return valueStatus() === abi.STATUS_OK ? host.value(value) : `status ${valueStatus() as number}`;
    };
    expect(build_("12", "34")).toBe(12);
    expect(build_(' {"a":[1,"x",null,true,{"b":"\\u00e9"}]} ', "")).toEqual({
      a: [1, "x", null, true, { b: "é" }],
    });
    expect(build_('"a"', '"')).toBe("a");
    expect(build_("tru", "e")).toBe(`status ${abi.STATUS_TRUNCATED}`);
    expect(build_('{"a":1,"a":1}', "")).toBe(`status ${abi.STATUS_DUPLICATE_KEY}`);
    expect(build_("1 2", "")).toBe(`status ${abi.STATUS_TRAILING}`);
    expect(plain(parseJson(encoder.encode("[1]")) ?? null)).toEqual(build_("[1]", ""));
  });
});
