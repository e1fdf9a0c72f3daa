/**
 * Payloads of tokens and what conditions read as `request.auxData.jwt`, null where the token is refused. The answers are
 * those of the real Cerbos 0.55, which test/differential/claims.test.ts asks again where it is installed.
 */
import type { JsonValue } from "../../compiler/policy/policy-set.ts";

export interface ClaimShape {
  /** The exact text that is signed. */
  readonly payload: string;
  readonly claims: Readonly<Record<string, JsonValue>> | null;
}

const shape = (payload: string, claims: ClaimShape["claims"]): ClaimShape => ({ payload, claims });

export const CLAIM_SHAPES: readonly ClaimShape[] = [
  shape("{}", {}),
  shape('{"aud":"x"}', { aud: ["x"] }),
  shape('{"aud":""}', { aud: [""] }),
  shape('{"aud":[]}', { aud: [] }),
  shape('{"aud":["x","y"]}', { aud: ["x", "y"] }),
  shape('{"aud":["x",1]}', null),
  shape('{"aud":null}', null),
  shape('{"aud":1}', null),
  shape('{"exp":4000000000}', { exp: "2096-10-02T07:06:40Z" }),
  shape('{"exp":4000000000.75}', { exp: "2096-10-02T07:06:40Z" }),
  shape('{"exp":4e9}', { exp: "2096-10-02T07:06:40Z" }),
  shape('{"exp":"4000000000"}', { exp: "2096-10-02T07:06:40Z" }),
  shape('{"exp":"4000000000.7"}', { exp: "2096-10-02T07:06:40Z" }),
  shape('{"exp":"4e9"}', null),
  shape('{"exp":""}', null),
  shape('{"exp":"2099-01-01T00:00:00Z"}', { exp: "2099-01-01T00:00:00Z" }),
  shape('{"exp":"2099-01-01T00:00:00.5+02:00"}', { exp: "2098-12-31T22:00:00Z" }),
  shape('{"exp":"2099-01-01T00:00:00-02:30"}', { exp: "2099-01-01T02:30:00Z" }),
  shape('{"exp":"2099-02-30T00:00:00Z"}', null),
  shape('{"exp":"2099-01-01"}', null),
  shape('{"exp":253402300799}', { exp: "9999-12-31T23:59:59Z" }),
  shape('{"exp":253402300800}', { exp: "10000-01-01T00:00:00Z" }),
  shape('{"exp":1e12}', { exp: "33658-09-27T01:46:40Z" }),
  shape('{"exp":null}', null),
  shape('{"exp":true}', null),
  shape('{"exp":[]}', null),
  shape('{"exp":-1}', null),
  shape('{"iat":0}', { iat: "1970-01-01T00:00:00Z" }),
  shape('{"iat":0.25}', { iat: "1970-01-01T00:00:00Z" }),
  shape('{"iat":"x"}', null),
  shape('{"iat":"-5"}', null),
  shape('{"iat":"1960-01-01T00:00:00Z"}', { iat: "1960-01-01T00:00:00Z" }),
  shape('{"nbf":1700000000}', { nbf: "2023-11-14T22:13:20Z" }),
  shape('{"nbf":-5.5}', null),
  shape('{"iss":"me","sub":"p","jti":"1"}', { iss: "me", sub: "p", jti: "1" }),
  shape('{"iss":1}', null),
  shape('{"sub":1}', null),
  shape('{"jti":[]}', null),
  shape('{"sub":null,"iss":null}', { sub: "", iss: "" }),
  shape('{"n":null,"m":{"n":null,"l":[null]}}', { m: { n: null, l: [null] } }),
  shape('{"big":9007199254740993,"f":1.5,"e":1e300}', { big: 9007199254740992, f: 1.5, e: 1e300 }),
  shape('{"huge":1e400}', null),
  shape(String.raw`{"s":"é\u0000\ud83d\ude00","lone":"\ud800"}`, { s: "é\u0000😀", lone: "\ufffd" }),
  shape('{"a":1,"a":2}', { a: 2 }),
  shape('{"":1}', { "": 1 }),
  shape('{"auth_time":1000,"email":"x","AUD":"x","Exp":1}', {
    auth_time: 1000,
    email: "x",
    AUD: "x",
    Exp: 1,
  }),
  shape("[1]", null),
  shape('"x"', null),
  shape("null", null),
  shape("1", null),
];
