/**
 * Keys that verify signatures, from a JWK, a JWK set or PEM text. Every key knows the algorithms it may be used with, so
 * that a token can never choose one: a public key is never taken for the secret of an HMAC, and `none` is no algorithm.
 * Verifying is done in token.ts; which key of a set is meant, in key-set.ts.
 */
import { createPublicKey, createSecretKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { oneLine } from "../guest/modules.ts";

/** A key and what it may do. */
export interface VerificationKey {
  /** Null for keys that have none. */
  readonly kid: string | null;
  /** The values of a token's `alg` that this key verifies; empty for keys that are there for something else. */
  readonly algorithms: readonly string[];
  readonly key: KeyObject;
}

/** What a set may leave out. */
export interface Insecure {
  readonly optionalAlg: boolean;
  readonly optionalKid: boolean;
}

/** Most keys in one set; with `optionalKid` each could be tried for every token. */
const MAX_KEYS = 100;

/** Algorithms by what a key can be. EdDSA has two names in use. */
const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const HMAC = ["HS256", "HS384", "HS512"];
const ED25519 = ["EdDSA", "Ed25519"];
const BY_CURVE: Readonly<Record<string, string>> = { "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" };

/** Other registered names: keys may carry them, and verify nothing. */
const OTHER_ALGORITHMS =
  /^(?:none|ES256K|RSA1_5|RSA-OAEP(?:-(?:256|384|512))?|dir|ECDH-ES(?:\+A(?:128|192|256)KW)?|A(?:128|192|256)(?:GCM)?KW|PBES2-HS(?:256\+A128|384\+A192|512\+A256)KW)$/;

/** Reads the text of a key or a key set. Throws an `Error` with the reason when any key of it is unusable. */
export function readKeys(text: string, pem: boolean, insecure: Insecure): readonly VerificationKey[] {
  return pem ? readPem(text, insecure) : readJwks(text, insecure);
}

function readJwks(text: string, insecure: Insecure): readonly VerificationKey[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`the keys are not JSON: ${oneLine(error)}`, { cause: error });
  }
  if (!isObject(parsed)) throw new Error("neither a JWK nor a JWK set");
  const entries = "keys" in parsed ? parsed["keys"] : [parsed];
  if (!Array.isArray(entries)) throw new Error("`keys` is not a list");
  if (entries.length > MAX_KEYS) throw new Error(`more than ${MAX_KEYS} keys`);
  const all = entries as readonly unknown[];
  return all.map((entry, index) => {
    try {
      return readJwk(entry, insecure);
    } catch (error) {
      throw new Error(`failed to validate key at idx ${index}: ${oneLine(error)}`, { cause: error });
    }
  });
}

function readJwk(jwk: unknown, { optionalAlg, optionalKid }: Insecure): VerificationKey {
  if (!isObject(jwk)) throw new Error("not a JWK");
  const { alg, kid, use } = jwk;
  if (alg === undefined ? !optionalAlg : !isKnownAlgorithm(alg)) {
    throw new Error(alg === undefined ? "missing algorithm (alg)" : "invalid algorithm (alg)");
  }
  if (kid === undefined ? !optionalKid : typeof kid !== "string" || (kid === "" && !optionalKid)) {
    throw new Error(kid === undefined ? "missing key ID (kid)" : "empty key ID (kid)");
  }
  const key = importJwk(jwk);
  const possible = use === undefined || use === "" || use === "sig" ? algorithmsOf(key) : [];
  return {
    kid: typeof kid === "string" && kid !== "" ? kid : null,
    algorithms: typeof alg === "string" ? possible.filter((name) => isSame(name, alg)) : possible,
    key,
  };
}

function isKnownAlgorithm(alg: unknown): boolean {
  if (typeof alg !== "string") return false;
  return (
    [...RSA, ...HMAC, ...ED25519, ...Object.values(BY_CURVE)].includes(alg) || OTHER_ALGORITHMS.test(alg)
  );
}

/** The key of a JWK; of a private one the public half. */
function importJwk(jwk: Readonly<Record<string, unknown>>): KeyObject {
  const { kty, k } = jwk;
  if (kty === "oct") {
    if (typeof k !== "string" || !/^[\w-]+$/.test(k)) throw new Error("no secret in `k`");
    return createSecretKey(Buffer.from(k, "base64url"));
  }
  if (kty !== "RSA" && kty !== "EC" && kty !== "OKP") throw new Error("unknown key type (kty)");
  // Only what makes up the public key, so that nothing private is even looked at.
  const names = kty === "RSA" ? ["kty", "n", "e"] : ["kty", "crv", "x", "y"];
  const members = names.filter((name) => name in jwk).map((name) => [name, jwk[name]]);
  return checked(createPublicKey({ key: Object.fromEntries(members) as JsonWebKey, format: "jwk" }));
}

/** Refuses keys that no algorithm accepts. */
function checked(key: KeyObject): KeyObject {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < 2048) {
    throw new Error(`an RSA key of ${modulusLength} bits, fewer than 2048`);
  }
  if (namedCurve === "secp256k1") throw new Error("unknown curve (crv)");
  return key;
}

/** What a key can verify, by its type alone. */
function algorithmsOf(key: KeyObject): readonly string[] {
  if (key.type === "secret") return HMAC;
  if (key.asymmetricKeyType === "rsa") return RSA;
  if (key.asymmetricKeyType === "ed25519") return ED25519;
  if (key.asymmetricKeyType !== "ec") return [];
  const { crv } = key.export({ format: "jwk" });
  const name = crv === undefined ? undefined : BY_CURVE[crv];
  return name === undefined ? [] : [name];
}

function isSame(one: string, other: string): boolean {
  return one === other || (ED25519.includes(one) && ED25519.includes(other));
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;

/** PEM has no place for `alg` and `kid`: the keys load, but without `insecure` options nothing can be verified by them. */
function readPem(text: string, { optionalAlg }: Insecure): readonly VerificationKey[] {
  const blocks = text.match(PEM_BLOCK) ?? [];
  if (blocks.length === 0 || blocks.length > MAX_KEYS) {
    throw new Error(blocks.length === 0 ? "no PEM block" : `more than ${MAX_KEYS} keys`);
  }
  return blocks.map((block, index) => {
    try {
      const key = checked(createPublicKey(block));
      return { kid: null, algorithms: optionalAlg ? algorithmsOf(key) : [], key };
    } catch (error) {
      throw new Error(`failed to read PEM block ${index + 1}: ${oneLine(error)}`, { cause: error });
    }
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
