/**
 * The signatures of a bundle: a JWS in general JSON serialisation whose payload is detached (RFC 7515, sections 3.2 and
 * appendix F), kept as a trailer behind the sections. Reads and writes that form; keys and verification are in signature.ts and
 * signing-key.ts. Everything read here comes from whoever sent the file, so shape, sizes and depth are bounded.
 */
import { BundleError } from "../errors.ts";
import {
  type Bundle,
  MAX_TRAILER_JSON,
  TRAILER_HEADER_SIZE,
  TRAILER_MAGIC,
  trailerStart,
} from "./bundle-file.ts";

/** Algorithms that bundles are signed with. */
export type SignatureAlgorithm = "EdDSA" | "ES256";

export const SIGNATURE_ALGORITHMS: readonly SignatureAlgorithm[] = ["EdDSA", "ES256"];

/** `typ` of every signature, so that nothing else that a key has signed passes for one. */
export const SIGNATURE_TYPE = "edict-bundle+jws";

/** More than any rotation of keys needs; bounds the work on a hostile trailer. */
export const MAX_SIGNATURES = 16;

/** Longest base64url text of one protected header or signature. */
const MAX_TEXT = 2048;

/** Ids that keys may have: what a log line or a header takes as it is. */
const KEY_ID = /^[\w.~+/=:@-]{1,256}$/;

export function isKeyId(kid: unknown): kid is string {
  return typeof kid === "string" && KEY_ID.test(kid);
}

/** One signature, checked for its form only. */
export interface BundleSignature {
  /** Protected header, base64url. */
  readonly protected: string;
  /** The signature, base64url. */
  readonly signature: string;
  readonly header: SignatureHeader;
}

/** What a protected header says. Times are seconds since 1970. */
export interface SignatureHeader {
  readonly alg: SignatureAlgorithm;
  readonly kid: string;
  /** When it was signed; null when the header does not say. */
  readonly iat: number | null;
  /** From when on the signature does not count; null for never. */
  readonly exp: number | null;
}

/** The bytes that are signed: what the bundle's digest is, in a form that nothing else has. */
export function signedPayload(digest: string): Uint8Array {
  return new TextEncoder().encode(`edict-bundle\n${digest}\n`);
}

/** The signatures of a bundle, none when it is unsigned. Throws `BundleError` for a trailer that is not of the form. */
export function readSignatures(bundle: Bundle): readonly BundleSignature[] {
  if (bundle.signatures === null) return [];
  const root = record(parse(bundle.signatures, "the signatures are not valid JSON"), ["signatures"]);
  const list = root["signatures"];
  if (!Array.isArray(list) || list.length === 0) return refuse("the signatures are not a list");
  return list.map((item) => {
    const fields = record(item, ["protected", "signature"]);
    const encoded = base64url(fields["protected"]);
    return {
      protected: encoded,
      signature: base64url(fields["signature"]),
      header: readHeader(Buffer.from(encoded, "base64url")),
    };
  });
}

function readHeader(bytes: Uint8Array): SignatureHeader {
  const fields = record(parse(bytes, "the header of a signature is not valid JSON"), [
    "alg",
    "kid",
    "typ",
    "iat",
    "exp",
  ]);
  const alg = SIGNATURE_ALGORITHMS.find((known) => known === fields["alg"]);
  if (alg === undefined) return refuse("a signature has an algorithm other than EdDSA and ES256");
  if (fields["typ"] !== SIGNATURE_TYPE) return refuse(`a signature is not of type \`${SIGNATURE_TYPE}\``);
  const kid = fields["kid"];
  if (!isKeyId(kid)) return refuse("a signature has no usable key id");
  return { alg, kid, iat: instant(fields["iat"]), exp: instant(fields["exp"]) };
}

/** Objects and lists that a well-formed text has at most; brackets inside strings count too, which no string of it has. */
const MAX_BRACKETS = MAX_SIGNATURES + 2;

/** `{` and `[`. */
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);

/** JSON whose size and nesting are bounded before it is parsed. */
function parse(bytes: Uint8Array, complaint: string): unknown {
  const brackets = bytes.reduce((count, byte) => count + (OPENING.has(byte) ? 1 : 0), 0);
  if (brackets > MAX_BRACKETS) {
    return refuse(`the signatures are nested too deeply, or more than ${MAX_SIGNATURES}`);
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return refuse(complaint);
  }
}

/** An object with no other members than `names`: members that nobody reads could only hide something. */
function record(value: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("the signatures are not of the form of a JWS");
  }
  const unknown = Object.keys(value).some((name) => !names.includes(name));
  return unknown ? refuse("the signatures have members that a detached JWS does not have") : { ...value };
}

/** Base64url in its one canonical form, so that no bit of a text can be changed without a change of what it says. */
function base64url(value: unknown): string {
  const isShort = typeof value === "string" && value.length > 0 && value.length <= MAX_TEXT;
  if (!isShort || Buffer.from(value, "base64url").toString("base64url") !== value) {
    return refuse("a signature is not base64url text");
  }
  return value;
}

function instant(value: unknown): number | null {
  if (value === undefined) return null;
  const isInstant = typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
  return isInstant ? value : refuse("a signature has a time that is not a number of seconds");
}

/** The file of `bundle` with these signatures in place of those it has; without any when there are none. */
export function withSignatures(
  file: Uint8Array,
  bundle: Bundle,
  signatures: readonly Pick<BundleSignature, "protected" | "signature">[],
): Uint8Array {
  const start = trailerStart(bundle);
  if (signatures.length > MAX_SIGNATURES) refuse(`a bundle can have ${MAX_SIGNATURES} signatures at most`);
  const list = signatures.map((one) => ({ protected: one.protected, signature: one.signature }));
  const json =
    list.length === 0 ? new Uint8Array(0) : new TextEncoder().encode(JSON.stringify({ signatures: list }));
  if (json.byteLength > MAX_TRAILER_JSON) refuse("the signatures are larger than a bundle may have");
  const signed = new Uint8Array(
    json.byteLength === 0 ? start : start + TRAILER_HEADER_SIZE + json.byteLength,
  );
  signed.set(file.subarray(0, Math.min(start, file.byteLength)));
  if (json.byteLength === 0) return signed;
  const view = new DataView(signed.buffer);
  signed.set(new TextEncoder().encode(TRAILER_MAGIC), start);
  view.setUint32(start + 8, json.byteLength, true);
  signed.set(json, start + TRAILER_HEADER_SIZE);
  return signed;
}

function refuse(reason: string): never {
  throw new BundleError(reason, { code: "EDICT_BUNDLE_SIGNATURE" });
}
