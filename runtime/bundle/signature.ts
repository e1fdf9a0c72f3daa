/**
 * Who has signed a bundle: public keys from files, and the verdict about a bundle's signatures. One good signature by one
 * of the keys is enough, so that keys can be rotated: sign with the old and the new one, or trust both for a while. It looks at
 * nothing but the digest, which covers everything that decides, and compiles or runs nothing.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { calculateJwkThumbprint, flattenedVerify } from "jose";
import { BundleError, type BundleErrorCode, ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import type { Bundle } from "./bundle-file.ts";
import {
  type BundleSignature,
  isKeyId,
  readSignatures,
  type SignatureAlgorithm,
  type SignatureHeader,
  signedPayload,
} from "./signature-trailer.ts";

/** Who signed a bundle. */
export interface Signer {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  /** Seconds since 1970; null when the signature does not say. */
  readonly iat: number | null;
  readonly exp: number | null;
}

/** What became of one signature. */
export type SignatureState = "valid" | "unknown-key" | "key-expired" | "expired" | "bad";

export interface SignatureReport extends SignatureHeader {
  readonly state: SignatureState;
}

/** A key that may verify. */
interface VerifyKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly key: KeyObject;
  /** From when on the key no longer counts, in seconds since 1970; null for never. */
  readonly exp: number | null;
}

/** Largest file of keys in bytes. */
const MAX_KEY_FILE = 256 * 1024;

/** Most keys in all files together. */
const MAX_KEYS = 100;

/** Why a bundle is refused when none of its signatures counts: the state that comes closest to a good one. */
const REFUSALS: readonly {
  readonly state: SignatureState;
  readonly code: BundleErrorCode;
  readonly reason: (kid: string) => string;
}[] = [
  {
    state: "bad",
    code: "EDICT_BUNDLE_SIGNATURE",
    reason: (kid) => `the signature by key \`${kid}\` is not one of this bundle`,
  },
  {
    state: "key-expired",
    code: "EDICT_BUNDLE_KEY_EXPIRED",
    reason: (kid) => `the bundle is signed with key \`${kid}\`, which has expired`,
  },
  {
    state: "expired",
    code: "EDICT_BUNDLE_SIGNATURE_EXPIRED",
    reason: (kid) => `the signature by key \`${kid}\` has expired`,
  },
  {
    state: "unknown-key",
    code: "EDICT_BUNDLE_KEY_UNKNOWN",
    reason: (kid) => `the bundle is signed with key \`${kid}\`, which is none of the verify keys`,
  },
];

/** The public keys that a bundle has to be signed with one of. */
export class VerifyKeys {
  readonly #keys: readonly VerifyKey[];

  private constructor(keys: readonly VerifyKey[]) {
    this.#keys = keys;
  }

  /**
   * Reads keys from files: a JWK, a JWK set, or PEM public keys. Throws `ServeError` naming the file when one cannot be used:
   * serving with fewer keys than were meant is found out at the worst time.
   */
  static async load(files: readonly string[]): Promise<VerifyKeys> {
    const keys: VerifyKey[] = [];
    for (const file of files) {
      try {
        keys.push(...(await readKeyFile(file)));
        if (keys.length > MAX_KEYS) throw new Error(`more than ${MAX_KEYS} keys`);
      } catch (error) {
        throw new ServeError("EDICT_KEY_SET", `verify key \`${file}\` cannot be used: ${oneLine(error)}`, {
          cause: error,
        });
      }
    }
    return new VerifyKeys(keys);
  }

  /** The ids of the keys, expired ones too. */
  get ids(): readonly string[] {
    return this.#keys.map(({ kid }) => kid);
  }

  /** Who signed `bundle`, judged at `now`. Throws `BundleError` when nobody did whose signature counts. */
  async verify(bundle: Bundle, now: Date): Promise<Signer> {
    const reports = await this.examine(bundle, now);
    if (reports.length === 0) {
      throw new BundleError("the bundle is not signed, and verify keys are configured", {
        code: "EDICT_BUNDLE_UNSIGNED",
      });
    }
    const good = reports.find(({ state }) => state === "valid");
    if (good !== undefined) return { kid: good.kid, alg: good.alg, iat: good.iat, exp: good.exp };
    for (const { state, code, reason } of REFUSALS) {
      const found = reports.find((report) => report.state === state);
      if (found !== undefined) throw new BundleError(reason(found.kid), { code });
    }
    throw new BundleError("none of the signatures counts", { code: "EDICT_BUNDLE_SIGNATURE" });
  }

  /** What each signature of a bundle is worth at `now`. Throws `BundleError` for signatures that are not of the form. */
  async examine(bundle: Bundle, now: Date): Promise<readonly SignatureReport[]> {
    const seconds = now.getTime() / 1000;
    const payload = signedPayload(bundle.digest);
    const reports: SignatureReport[] = [];
    for (const signature of readSignatures(bundle)) {
      reports.push({ ...signature.header, state: await this.#stateOf(signature, payload, seconds) });
    }
    return reports;
  }

  async #stateOf(signature: BundleSignature, payload: Uint8Array, seconds: number): Promise<SignatureState> {
    const { kid, alg, exp } = signature.header;
    // A key verifies its own algorithm only, so that the header can choose none for it.
    const known = this.#keys.filter((key) => key.kid === kid && key.alg === alg);
    if (known.length === 0) return "unknown-key";
    const signers: VerifyKey[] = [];
    for (const key of known) if (await isSignedBy(signature, payload, key)) signers.push(key);
    if (signers.length === 0) return "bad";
    if (signers.every((key) => key.exp !== null && key.exp <= seconds)) return "key-expired";
    return exp !== null && exp <= seconds ? "expired" : "valid";
  }
}

async function isSignedBy(signature: BundleSignature, payload: Uint8Array, key: VerifyKey): Promise<boolean> {
  try {
    await flattenedVerify(
      {
        protected: signature.protected,
        payload: Buffer.from(payload).toString("base64url"),
        signature: signature.signature,
      },
      key.key,
      { algorithms: [key.alg] },
    );
    return true;
  } catch {
    return false;
  }
}

async function readKeyFile(file: string): Promise<readonly VerifyKey[]> {
  const { size } = await stat(file);
  if (size > MAX_KEY_FILE) throw new Error(`the file is larger than ${MAX_KEY_FILE} bytes`);
  const text = await readFile(file, "utf8");
  const keys = text.includes("-----BEGIN ") ? await readPem(text) : await readJwks(text);
  if (keys.length === 0) throw new Error("there is no key in it");
  return keys;
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g;

async function readPem(text: string): Promise<readonly VerifyKey[]> {
  const blocks = [...text.matchAll(PEM_BLOCK)];
  return Promise.all(
    blocks.map(async ([block, label = ""]) => {
      if (label !== "PUBLIC KEY") throw new Error(`\`${label.toLowerCase()}\` is not a public key`);
      return verifyKey(createPublicKey(block), undefined, null);
    }),
  );
}

async function readJwks(text: string): Promise<readonly VerifyKey[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new Error("neither PEM nor JSON");
  }
  if (!isObject(parsed)) throw new Error("neither a JWK nor a JWK set");
  const entries: unknown = "keys" in parsed ? parsed["keys"] : [parsed];
  if (!Array.isArray(entries)) throw new Error("`keys` is not a list");
  return Promise.all((entries as readonly unknown[]).map(readJwk));
}

async function readJwk(jwk: unknown): Promise<VerifyKey> {
  if (!isObject(jwk)) throw new Error("not a JWK");
  if ("d" in jwk || "k" in jwk) {
    throw new Error(
      "it holds a private key; verifying needs the public one, and serving hosts no more than that",
    );
  }
  const { kty, crv, x, y, alg, kid, use, exp } = jwk;
  if (use !== undefined && use !== "sig") throw new Error("the key is not for signatures (use)");
  if (kid !== undefined && !isKeyId(kid)) throw new Error("unusable key id (kid)");
  if (exp !== undefined && !(typeof exp === "number" && Number.isFinite(exp) && exp >= 0)) {
    throw new Error("unusable time of expiry (exp)");
  }
  const members = { kty, crv, x, ...(y === undefined ? {} : { y }) } as JsonWebKey;
  const key = await verifyKey(createPublicKey({ key: members, format: "jwk" }), kid, exp ?? null);
  const isNamed = alg === undefined || alg === key.alg || (alg === "Ed25519" && key.alg === "EdDSA");
  if (!isNamed) throw new Error(`a key of this type cannot be used with ${JSON.stringify(alg)}`);
  return key;
}

async function verifyKey(key: KeyObject, kid: string | undefined, exp: number | null): Promise<VerifyKey> {
  const jwk = key.export({ format: "jwk" });
  return { kid: kid ?? (await keyId(jwk)), alg: algorithmOf(key), key, exp };
}

/** The algorithm that a key signs with. Throws an `Error` for keys that bundles are not signed with. */
export function algorithmOf(key: KeyObject): SignatureAlgorithm {
  if (key.asymmetricKeyType === "ed25519") return "EdDSA";
  if (key.asymmetricKeyType === "ec" && key.asymmetricKeyDetails?.namedCurve === "prime256v1") return "ES256";
  throw new Error("neither an Ed25519 key nor a P-256 key");
}

/** The id of a key that has been given none: its thumbprint (RFC 7638). */
export function keyId(jwk: JsonWebKey): Promise<string> {
  return calculateJwkThumbprint(jwk, "sha256");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
