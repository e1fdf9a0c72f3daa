/**
 * Private keys and signing: a key pair is made here, read back from its file, and put under a bundle's digest. Only the commands
 * that build bundles use this file; a daemon never has a private key.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { FlattenedSign } from "jose";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { readBundle } from "./bundle-file.ts";
import { algorithmOf, keyId } from "./signature.ts";
import {
  isKeyId,
  readSignatures,
  SIGNATURE_TYPE,
  type SignatureAlgorithm,
  signedPayload,
  withSignatures,
} from "./signature-trailer.ts";

/** A private key, and what its signatures say about it. */
export interface SigningKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly key: KeyObject;
  /** From when on it may no longer be used, in seconds since 1970; null for never. */
  readonly exp: number | null;
}

/** A new pair as JWKs. Both carry key id, algorithm and expiry. */
export interface KeyPair {
  readonly kid: string;
  readonly privateJwk: Readonly<Record<string, unknown>>;
  readonly publicJwk: Readonly<Record<string, unknown>>;
}

/** Largest file of a private key in bytes. */
const MAX_KEY_FILE = 64 * 1024;

/** Makes a key pair. `exp` is in seconds since 1970, null for a key that does not expire. */
export async function generateKeys(alg: SignatureAlgorithm, exp: number | null): Promise<KeyPair> {
  const { privateKey } =
    alg === "EdDSA" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = privateKey.export({ format: "jwk" });
  const kid = await keyId(jwk);
  const facts = { kid, alg, use: "sig", ...(exp === null ? {} : { exp }) };
  const { d, ...open } = jwk;
  return { kid, privateJwk: { ...open, d, ...facts }, publicJwk: { ...open, ...facts } };
}

/** Reads a private key: a JWK or PEM (PKCS #8). Throws `ServeError` naming the file. */
export async function loadSigningKey(file: string): Promise<SigningKey> {
  try {
    const { size } = await stat(file);
    if (size > MAX_KEY_FILE) throw new Error(`the file is larger than ${MAX_KEY_FILE} bytes`);
    const text = await readFile(file, "utf8");
    return await (text.includes("-----BEGIN ") ? fromPem(text) : fromJwk(text));
  } catch (error) {
    throw new ServeError("EDICT_KEY_SET", `signing key \`${file}\` cannot be used: ${oneLine(error)}`, {
      cause: error,
    });
  }
}

async function fromPem(text: string): Promise<SigningKey> {
  const key = createPrivateKey(text);
  const kid = await keyId(createPublicKey(key).export({ format: "jwk" }));
  return { kid, alg: algorithmOf(key), key, exp: null };
}

async function fromJwk(text: string): Promise<SigningKey> {
  let jwk: Readonly<Record<string, unknown>>;
  try {
    jwk = JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    throw new Error("neither PEM nor JSON");
  }
  if (typeof jwk !== "object" || jwk === null || !("kty" in jwk)) throw new Error("not a JWK");
  if (!("d" in jwk)) throw new Error("it holds a public key; signing needs the private one");
  const { kty, crv, x, y, d, kid, exp } = jwk;
  if (kid !== undefined && !isKeyId(kid)) throw new Error("unusable key id (kid)");
  const members = { kty, crv, x, ...(y === undefined ? {} : { y }), d } as JsonWebKey;
  const key = createPrivateKey({ key: members, format: "jwk" });
  return {
    kid: kid ?? (await keyId(members)),
    alg: algorithmOf(key),
    key,
    exp: typeof exp === "number" ? exp : null,
  };
}

/**
 * The bundle in `file` with a signature by each key. Signatures by other keys stay; one by the same key is replaced.
 * `expires` is when the new signatures stop to count, in seconds since 1970, null for never. Throws `BundleError` for a file
 * that is not a bundle, and `ServeError` for a key that has expired.
 */
export async function signBundle(
  file: Uint8Array,
  keys: readonly SigningKey[],
  now: Date,
  expires: number | null = null,
): Promise<Uint8Array> {
  const bundle = readBundle(file);
  const seconds = Math.floor(now.getTime() / 1000);
  const payload = signedPayload(bundle.digest);
  const added = [];
  for (const { kid, alg, key, exp } of keys) {
    if (exp !== null && exp <= seconds) {
      throw new ServeError("EDICT_KEY_SET", `key \`${kid}\` has expired and may no longer sign`);
    }
    const header = {
      alg,
      kid,
      typ: SIGNATURE_TYPE,
      iat: seconds,
      ...(expires === null ? {} : { exp: expires }),
    };
    const { protected: encoded = "", signature } = await new FlattenedSign(payload)
      .setProtectedHeader(header)
      .sign(key);
    added.push({ protected: encoded, signature });
  }
  const kept = readSignatures(bundle).filter(({ header }) => !keys.some(({ kid }) => kid === header.kid));
  return withSignatures(file, bundle, [...kept, ...added]);
}
