/** The JSON request decoder: the message, its fields and its strictness. */
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { BUILDS } from "../support/build-guest.ts";
import { toJson } from "./bodies.ts";
import { type DecoderHost, type Outcome, startDecoder } from "./decoder-host.ts";
import { contentOfDecoded } from "./reference.ts";

const encoder = new TextEncoder();

/** A body with this text as the principal's only projected attribute. */
function withAttr(value: string): string {
  return `{"principal":{"attr":{"a":${value}}}}`;
}

/** The same, with an attribute that no policy reads. */
function withSkipped(value: string): string {
  return `{"principal":{"attr":{"unread":${value}}}}`;
}

function nestedLists(count: number): string {
  return "[".repeat(count) + "]".repeat(count);
}

function nestedMaps(count: number): string {
  return '{"k":'.repeat(count) + "1" + "}".repeat(count);
}

/** An entry with so many actions, as text. */
function entryText(count: number): string {
  const actions = JSON.stringify(Array.from({ length: count }, (_, index) => `a${index}`));
  return `{"actions":${actions},"resource":{"attr":{"x":"y","z":{"q":1}}}}`;
}

function bodyText(...counts: number[]): string {
  return `{"resources":[${counts.map(entryText).join()}],"principal":{"roles":["r"]}}`;
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
    const limits = { maxActions: 3, maxResources: 2 };
    expect(decode(bodyText(3, 3), limits).status).toBe(abi.STATUS_OK);
    expect(decode(bodyText(3, 7, 5), { maxActions: 3, maxResources: 9 })).toMatchObject({
      status: abi.STATUS_TOO_MANY_ACTIONS,
      detail: 7,
    });
    expect(decode(bodyText(...Array.from({ length: 1000 }, () => 5)), limits)).toMatchObject({
      status: abi.STATUS_TOO_MANY_RESOURCES,
      detail: 1000,
    });
    expect(
      decode(
        `{"resources":[${Array.from({ length: 40 }, () => entryText(1)).join()},{"actions":[1]}]}`,
        limits,
      ).status,
    ).toBe(abi.STATUS_WRONG_TYPE);
  });

  it.each([withAttr, withSkipped])("allows depth 64 and no more (%#)", (body) => {
    // The value stands in the request, the principal and attr: three deep.
    for (const nest of [nestedLists, nestedMaps]) {
      expect(status(body(nest(61)))).toBe(abi.STATUS_OK);
      expect(status(body(nest(62)))).toBe(abi.STATUS_DEPTH);
      expect(status(body(nest(30_000)))).toBe(abi.STATUS_DEPTH);
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
});
