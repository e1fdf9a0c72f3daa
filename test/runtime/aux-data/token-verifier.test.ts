/** Tokens of requests: which key set and key verify them, with which algorithms, and what is remembered. */
import { createHmac } from "node:crypto";
import fc from "fast-check";
import { exportSPKI } from "jose";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { AuxDataOptions, KeySetOptions } from "../../../runtime/aux-data/options.ts";
import { TokenVerifier } from "../../../runtime/aux-data/token-verifier.ts";
import { ServeError, TokenError, TokenOverloadError } from "../../../runtime/errors.ts";
import {
  auxDataOptions,
  inlineKeys,
  rawToken,
  type SigningKey,
  signingKey,
  signToken,
} from "../../support/tokens.ts";

const one = (token: string, keySetId = "") => [{ name: null, token, keySetId }];
const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes));

/** The claims, or the reason of the refusal. */
async function ask(options: AuxDataOptions, token: string, keySetId = ""): Promise<string | null> {
  const verifier = await TokenVerifier.start(options);
  return verifier.verify(one(token, keySetId)).then(text, reason);
}

function reason(error: unknown): string {
  if (!(error instanceof TokenError)) throw error;
  expect(error.message).toBe("invalid auxData");
  return `refused: ${error.reason}`;
}

let es: SigningKey;
let rs: SigningKey;
let rsPem: string;
let esToken: string;
const now = Math.floor(Date.now() / 1000);
const ISSUED = '{"jwt":{"iss":"me"}}';
const without = (jwk: object, name: string) =>
  Object.fromEntries(Object.entries(jwk).filter(([key]) => key !== name));

beforeAll(async () => {
  es = await signingKey("ES256", "es");
  rs = await signingKey("RS256", "rs");
  rsPem = await exportSPKI(rs.publicKey);
  esToken = await signToken(es, { iss: "me" });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("signatures", () => {
  it.each(["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"])("verifies %s", async (alg) => {
    const key = await signingKey(alg, "k");
    expect(await ask(auxDataOptions(inlineKeys(key.jwk)), await signToken(key, { iss: "me" }))).toBe(ISSUED);
  });

  it("verifies HMAC with a secret that the set names as one", async () => {
    const secret = Buffer.from("0123456789abcdef0123456789abcdef");
    const jwk = { kty: "oct", k: secret.toString("base64url"), alg: "HS256", kid: "s" };
    const token = hmacToken({ alg: "HS256", kid: "s" }, secret);
    expect(await ask(auxDataOptions(inlineKeys(jwk)), token)).toBe(ISSUED);
  });

  it("never takes a public key for the secret of an HMAC", async () => {
    const options = { optionalAlg: true, optionalKid: true };
    for (const header of [{ alg: "HS256", kid: "rs" }, { alg: "HS256" }]) {
      const token = hmacToken(header, Buffer.from(rsPem));
      expect(await ask(auxDataOptions(inlineKeys(rs.jwk)), token)).toContain("refused");
      const pem = { kind: "data", data: rsPem, pem: true } as const;
      expect(await ask(auxDataOptions(pem, options), token)).toContain("refused");
      expect(await ask(auxDataOptions(inlineKeys(without(rs.jwk, "alg")), options), token)).toContain(
        "refused",
      );
    }
  });

  it("refuses `none`, whatever the set allows", async () => {
    const options = auxDataOptions(inlineKeys(rs.jwk), { optionalAlg: true, optionalKid: true });
    for (const alg of ["none", "None", "NONE", ""]) {
      expect(await ask(options, rawToken({ alg, kid: "rs" }, { iss: "evil" }, ""))).toContain("refused");
      expect(await ask(options, rawToken({ alg, kid: "rs" }, { iss: "evil" }, "AAAA"))).toContain("refused");
    }
    const noneKey = auxDataOptions(inlineKeys({ ...rs.jwk, alg: "none" }));
    expect(await ask(noneKey, rawToken({ alg: "none", kid: "rs" }, {}, ""))).toContain("refused");
  });

  it("refuses a changed payload, header or signature", async () => {
    const options = auxDataOptions(inlineKeys(es.jwk, rs.jwk));
    const [header = "", payload = "", signature = ""] = esToken.split(".");
    const other = Buffer.from('{"iss":"evil"}').toString("base64url");
    const lying = Buffer.from('{"alg":"ES256","kid":"es","typ":"x"}').toString("base64url");
    const changed = [
      `${header}.${other}.${signature}`,
      `${lying}.${payload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
      `${header}.${payload}.`,
      await signToken(es, { iss: "me" }, { kid: "rs" }),
    ];
    for (const token of changed) expect(await ask(options, token)).toContain("refused");
    expect(await ask(options, esToken)).toBe(ISSUED);
  });

  it("refuses what is no signed token in compact form", async () => {
    const options = auxDataOptions(inlineKeys(es.jwk));
    for (const token of ["x", "a.b", "..", `${esToken}.x`, `Bearer ${esToken}`, `${esToken}=`, "a.b.c.d.e"]) {
      expect(await ask(options, token)).toContain("refused");
    }
    expect(await ask(options, ` ${esToken}\n`)).toBe(ISSUED);
    expect(await ask(options, "A".repeat(300_000))).toContain("too long");
    expect(await ask(options, await signToken(es, {}, { crit: ["b64"], b64: true }))).toContain("crit");
  });

  it("uses a key for its own algorithm only", async () => {
    const asPss = await signToken({ ...rs, alg: "PS256", privateKey: await pssKey(rs) }, { iss: "me" });
    expect(await ask(auxDataOptions(inlineKeys(rs.jwk), { optionalAlg: true }), asPss)).toContain("refused");
    const open = auxDataOptions(inlineKeys(without(rs.jwk, "alg")), { optionalAlg: true });
    expect(await ask(open, asPss)).toBe(ISSUED);
    expect(await ask(auxDataOptions(inlineKeys({ ...rs.jwk, use: "enc" })), asPss)).toContain("refused");
  });

  it("takes a key without kid only where that is allowed, and then tries every key", async () => {
    const anonymous = await signToken(es, { iss: "me" }, { kid: undefined });
    expect(await ask(auxDataOptions(inlineKeys(es.jwk)), anonymous)).toContain("kid");
    const open = auxDataOptions(inlineKeys(without(rs.jwk, "kid"), es.jwk), { optionalKid: true });
    expect(await ask(open, anonymous)).toBe(ISSUED);
    expect(await ask(open, await signToken(es, { iss: "me" }, { kid: "other" }))).toBe(ISSUED);
  });

  it("reads PEM, several keys too, and uses them only without alg and kid", async () => {
    const pem = { kind: "data", data: `${rsPem}\n${await exportSPKI(es.publicKey)}\n`, pem: true } as const;
    expect(await ask(auxDataOptions(pem, { optionalAlg: true, optionalKid: true }), esToken)).toBe(ISSUED);
    expect(await ask(auxDataOptions(pem, { optionalKid: true }), esToken)).toContain("refused");
    expect(await ask(auxDataOptions(pem), esToken)).toContain("refused");
  });
});

describe("key sets", () => {
  it("are refused at the start when a key is unusable", async () => {
    const sources = [
      inlineKeys({ ...es.jwk, x: es.jwk.y }),
      inlineKeys({ ...es.jwk, kty: "zzz" }),
      inlineKeys({ ...es.jwk, alg: "zzz" }),
      { kind: "data", data: "hello", pem: false },
      { kind: "data", data: "hello", pem: true },
      { kind: "file", file: "/nonexistent/keys.json", pem: false },
    ] as const;
    for (const source of sources) {
      await expect(TokenVerifier.start(auxDataOptions(source))).rejects.toThrow(ServeError);
    }
  });

  it("are named by the token when there are several", async () => {
    const options: AuxDataOptions = {
      ...auxDataOptions(inlineKeys(es.jwk)),
      keySets: [keySet("a", es), keySet("b", rs)],
    };
    expect(await ask(options, esToken)).toContain("several");
    expect(await ask(options, esToken, "a")).toBe(ISSUED);
    expect(await ask(options, esToken, "b")).toContain("refused");
    expect(await ask(options, esToken, "c")).toContain("not configured");
  });

  it("are needed, unless nothing is verified", async () => {
    const none = { ...auxDataOptions(inlineKeys()), keySets: [] };
    expect(await ask(none, esToken)).toContain("no key set");
    const trusting = { ...none, disableVerification: true };
    expect(await ask(trusting, `${esToken.slice(0, -4)}AAAA`, "whatever")).toBe(ISSUED);
    expect(await ask(trusting, rawToken({ alg: "none" }, { iss: "me" }, ""))).toBe(ISSUED);
    expect(await ask(trusting, rawToken({ alg: "ES256" }, { iss: "me" }, ""))).toContain("refused");
    expect(await ask(trusting, await signToken(es, { exp: now - 10 }))).toContain("exp");
    expect(await ask(trusting, await signToken(es, { nbf: now + 3600 }))).toContain("nbf");
  });
});

describe("what is remembered", () => {
  it("is answered at once, for one token and for several", async () => {
    const verifier = await TokenVerifier.start(auxDataOptions(inlineKeys(es.jwk)));
    const tokens = [
      { name: "a", token: esToken, keySetId: "" },
      { name: 'b"', token: await signToken(es, {}), keySetId: "keys" },
    ];
    expect(verifier.remembered(tokens)).toBeNull();
    const want = String.raw`{"jwts":{"a":{"claims":{"iss":"me"}},"b\"":{"claims":{}}}}`;
    expect(text(await verifier.verify(tokens))).toBe(want);
    expect(text(verifier.remembered(tokens))).toBe(want);
    expect(text(verifier.remembered(one(esToken)))).toBe(ISSUED);
  });

  it("is still checked for its times", async () => {
    const verifier = await TokenVerifier.start(auxDataOptions(inlineKeys(es.jwk)));
    const exp = Math.floor(Date.now() / 1000) + 3600;
    const token = await signToken(es, { exp });
    await verifier.verify(one(token));
    expect(verifier.remembered(one(token))).not.toBeNull();
    vi.useFakeTimers({ toFake: ["Date"], now: exp * 1000 - 1 });
    expect(verifier.remembered(one(token))).not.toBeNull();
    vi.setSystemTime(exp * 1000);
    expect(() => verifier.remembered(one(token))).toThrow(TokenError);
  });

  it("is not a token that was refused, nor more than the cache holds", async () => {
    const verifier = await TokenVerifier.start(auxDataOptions(inlineKeys(es.jwk), {}, { cacheSize: 2 }));
    await verifier.verify(one(`${esToken.slice(0, -4)}AAAA`)).catch(reason);
    expect(verifier.remembered(one(`${esToken.slice(0, -4)}AAAA`))).toBeNull();
    const tokens = await Promise.all([1, 2, 3].map((id) => signToken(es, { id })));
    for (const token of tokens) await verifier.verify(one(token));
    expect(tokens.map((token) => verifier.remembered(one(token)) !== null)).toEqual([false, true, true]);
    const forgetful = await TokenVerifier.start(auxDataOptions(inlineKeys(es.jwk), {}, { cacheSize: 0 }));
    await forgetful.verify(one(esToken));
    expect(forgetful.remembered(one(esToken))).toBeNull();
  });

  it("does not cross key sets", async () => {
    const verifier = await TokenVerifier.start({
      ...auxDataOptions(inlineKeys()),
      keySets: [keySet("a", es), keySet("b", rs)],
    });
    await verifier.verify(one(esToken, "a"));
    expect(verifier.remembered(one(esToken, "b"))).toBeNull();
  });
});

it("refuses whatever is made of a good token, with one error", async () => {
  const verifier = await TokenVerifier.start(auxDataOptions(inlineKeys(es.jwk, rs.jwk)));
  const place = fc.nat(esToken.length - 1);
  const damage = fc.oneof(
    fc
      .tuple(place, fc.string({ unit: "binary", minLength: 1, maxLength: 3 }))
      .map(([at, added]) => esToken.slice(0, at) + added + esToken.slice(at)),
    place.map((at) => esToken.slice(0, at) + esToken.slice(at + 1)),
    fc.tuple(place, place).map(([start, end]) => esToken.slice(start, end)),
    fc.string({ unit: "binary" }),
    fc.jsonValue().map((header) => rawToken(header, { iss: "me" }, esToken.split(".")[2] ?? "")),
  );
  await fc.assert(
    fc.asyncProperty(damage, async (token) => {
      // White space around a token does not count.
      if (token.trim() === esToken) return;
      expect(await verifier.verify(one(token)).then(text, reason)).toMatch(/^refused: /u);
    }),
    { numRuns: 500 },
  );
});

it("bounds the verifications under way", async () => {
  const verifier = await TokenVerifier.start(auxDataOptions(inlineKeys(es.jwk)));
  const [header = "", payload = ""] = esToken.split(".");
  const asked = Array.from({ length: 1100 }, (_, index) =>
    verifier.verify(one(`${header}.${payload}.${index.toString().padStart(86, "A")}`)).then(
      () => "accepted",
      (error: unknown) => (error instanceof TokenOverloadError ? "overload" : "refused"),
    ),
  );
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer === "overload")).toHaveLength(100);
  expect(answers).not.toContain("accepted");
  expect(text(await verifier.verify(one(esToken)))).toBe(ISSUED);
});

function keySet(id: string, { jwk }: SigningKey): KeySetOptions {
  return { id, source: inlineKeys(jwk), optionalAlg: false, optionalKid: false };
}

function hmacToken(header: unknown, secret: Uint8Array): string {
  const unsigned = rawToken(header, { iss: "me" }, "").slice(0, -1);
  return `${unsigned}.${createHmac("sha256", secret).update(unsigned).digest("base64url")}`;
}

/** The private key of an RSA pair for PSS. */
async function pssKey(key: SigningKey): Promise<SigningKey["privateKey"]> {
  const { exportPKCS8, importPKCS8 } = await import("jose");
  return importPKCS8(await exportPKCS8(key.privateKey), "PS256");
}
