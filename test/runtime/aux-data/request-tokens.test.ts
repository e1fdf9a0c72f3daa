/** The tokens of a request, in both formats and both spellings. */
import { pack } from "msgpackr";
import { expect, it } from "vitest";
import { FLAG_EVALUATION, FLAG_EVALUATIONS, FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { readTokens, tokensByEvaluation } from "../../../runtime/aux-data/request-tokens.ts";
import { TokenError } from "../../../runtime/errors.ts";

const json = (request: unknown) => readTokens(Buffer.from(JSON.stringify(request)), FORMAT_JSON);
const msgpack = (request: unknown) => readTokens(pack(request), FORMAT_MSGPACK);

it("finds one token", () => {
  const want = [{ name: null, token: "t", keySetId: "k" }];
  for (const read of [json, msgpack]) {
    expect(read({ auxData: { jwt: { token: "t", keySetId: "k" } } })).toEqual(want);
    expect(read({ aux_data: { jwt: { token: "t", key_set_id: "k" }, jwts: null } })).toEqual(want);
    expect(read({ auxData: { jwt: { token: "t" } } })).toEqual([{ name: null, token: "t", keySetId: "" }]);
  }
});

it("finds named tokens, whatever their names", () => {
  const jwts = JSON.parse('{"a":{"token":"t"},"__proto__":{"token":"u"},"constructor":{"token":"v"}}');
  const names = ["a", "__proto__", "constructor"];
  expect(json({ auxData: { jwt: null, jwts } }).map(({ name }) => name)).toEqual(names);
  const map = new Map(names.map((name) => [name, { token: name }]));
  expect(msgpack({ auxData: { jwts: map } }).map(({ name }) => name)).toEqual(names);
});

it("refuses bytes that it cannot read", () => {
  expect(() => readTokens(Buffer.from("{"), FORMAT_JSON)).toThrow(TokenError);
  expect(() => readTokens(Buffer.from([0x82]), FORMAT_MSGPACK)).toThrow(TokenError);
});

it("refuses a request in which it finds no token, since the guest did", () => {
  for (const auxData of [null, {}, { jwt: {} }, { jwts: {} }, { jwts: { a: { token: "" } } }]) {
    for (const read of [json, msgpack]) expect(() => read({ auxData })).toThrow(TokenError);
  }
});

const auxData = (token: string) => ({ "cerbos.auxData": { jwt: { token } } });

it("finds those of an evaluation in its context", () => {
  const request = { context: auxData("t"), auxData: { jwt: { token: "other" } } };
  const want = [{ name: null, token: "t", keySetId: "" }];
  for (const flags of [FLAG_EVALUATION, FLAG_EVALUATIONS]) {
    expect(readTokens(Buffer.from(JSON.stringify(request)), FORMAT_JSON, flags)).toEqual(want);
    expect(readTokens(pack(request), FORMAT_MSGPACK, flags)).toEqual(want);
  }
  const nested = { context: { plain: 1 }, evaluations: [{ context: auxData("t") }] };
  const bytes = Buffer.from(JSON.stringify(nested));
  expect(readTokens(bytes, FORMAT_JSON, FLAG_EVALUATIONS)).toEqual(want);
  // What a single evaluation does not know, it ignores.
  expect(() => readTokens(bytes, FORMAT_JSON, FLAG_EVALUATION)).toThrow(TokenError);
});

it("finds those of each evaluation, its own or the defaults'", () => {
  const request = {
    context: auxData("shared"),
    evaluations: [{}, { context: auxData("own") }, { context: null }, { context: {} }, 3],
  };
  for (const [bytes, format] of [
    [Buffer.from(JSON.stringify(request)), FORMAT_JSON],
    [pack(request), FORMAT_MSGPACK],
  ] as const) {
    const tokens = tokensByEvaluation(bytes, format).map((some) => some.map(({ token }) => token));
    expect(tokens).toEqual([["shared"], ["own"], ["shared"], [], ["shared"]]);
  }
});
