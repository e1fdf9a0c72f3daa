/** Claims as conditions see them. What the real Cerbos makes of each payload stands in the table, see claim-shapes.ts. */
import { describe, expect, it } from "vitest";
import { readClaims, timeProblem } from "../../../runtime/aux-data/claims.ts";
import { CLAIM_SHAPES } from "../../support/claim-shapes.ts";

const read = (payload: string | Uint8Array) =>
  readClaims(typeof payload === "string" ? new TextEncoder().encode(payload) : payload);

const at = (payload: string, now: number, skew = 0) => timeProblem(read(payload), now, skew);

describe("readClaims", () => {
  it.each(CLAIM_SHAPES)("$payload", ({ payload, claims }) => {
    if (claims === null) expect(() => read(payload)).toThrow(/./u);
    else expect(JSON.parse(read(payload).text)).toEqual(claims);
  });

  it("refuses what edict is stricter about than Cerbos", () => {
    expect(() => read('{"a":1} x')).toThrow("not JSON");
    expect(() => read(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow("UTF-8");
    expect(() => read('{"exp":9007199254740993}')).toThrow("`exp` is not a time");
    expect(() => read(`{"a":${"[".repeat(60)}${"]".repeat(60)}}`)).toThrow("nested too deep");
    expect(() => read(`{"a":${"[".repeat(50)}${"]".repeat(50)}}`)).not.toThrow();
  });

  it("never quotes the payload in a message", () => {
    expect(() => read('{"secret-claim')).toThrow(/^(?!.*secret).*$/u);
  });

  it("keeps names that mean something to JavaScript", () => {
    expect(read('{"__proto__":{"constructor":1}}').text).toBe('{"__proto__":{"constructor":1}}');
  });
});

describe("timeProblem", () => {
  it("holds before exp and not at it", () => {
    expect(at('{"exp":100}', 99)).toBeNull();
    expect(at('{"exp":100}', 100)).toContain("exp");
  });

  it("holds from nbf and iat on", () => {
    expect(at('{"nbf":100}', 99)).toContain("nbf");
    expect(at('{"nbf":100}', 100)).toBeNull();
    expect(at('{"iat":100}', 99)).toContain("iat");
    expect(at('{"iat":100,"nbf":50}', 60)).toContain("iat");
    expect(at('{"iat":50,"nbf":100}', 60)).toContain("nbf");
  });

  it("gives both ends the skew", () => {
    expect(at('{"exp":100}', 109, 10)).toBeNull();
    expect(at('{"exp":100}', 110, 10)).toContain("exp");
    expect(at('{"nbf":100}', 90, 10)).toBeNull();
    expect(at('{"nbf":100}', 89, 10)).toContain("nbf");
  });

  it("holds for ever without times", () => {
    expect(at("{}", 0)).toBeNull();
    expect(at("{}", Number.MAX_SAFE_INTEGER)).toBeNull();
  });
});
