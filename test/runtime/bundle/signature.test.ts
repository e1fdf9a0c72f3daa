/** Signatures: what is accepted with which keys, and what is refused, with its reason. */
import { createPublicKey, generateKeyPairSync, type JsonWebKey } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { calculateJwkThumbprint, exportSPKI, importJWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { VerifyKeys } from "../../../runtime/bundle/signature.ts";
import {
  MAX_SIGNATURES,
  readSignatures,
  signedPayload,
  withSignatures,
} from "../../../runtime/bundle/signature-trailer.ts";
import { signBundle } from "../../../runtime/bundle/signing-key.ts";
import { BundleError, ServeError } from "../../../runtime/errors.ts";
import { sampleSections, writeBundle } from "../support/bundle-writer.ts";
import { temporaryDirectory } from "../support/daemon.ts";
import { makeKey, sign, type TestKey } from "../support/signed-bundles.ts";

const NOW = new Date("2026-11-21T12:00:00Z");
const SECONDS = NOW.getTime() / 1000;
const FILE = writeBundle(sampleSections());

let directory: string;
let remove: () => Promise<void>;
let first: TestKey;
let second: TestKey;

beforeAll(async () => {
  const temporary = await temporaryDirectory();
  directory = temporary.path;
  remove = () => temporary.remove();
  first = await makeKey(directory, "first");
  second = await makeKey(directory, "second", "ES256");
});
afterAll(() => remove());

/** The code that verifying `file` is refused with, or the id of the key that signed it. */
async function verdict(file: Uint8Array, keys: readonly string[], now: Date = NOW): Promise<string> {
  try {
    const { kid } = await (await VerifyKeys.load(keys)).verify(readBundle(file), now);
    return kid;
  } catch (error) {
    expect(error).toBeInstanceOf(BundleError);
    expect((error as BundleError).message).toMatch(/^[^\n]+[^.\n]$/);
    return (error as BundleError).code;
  }
}

/** `file` with the JSON of its trailer replaced. */
function withTrailer(file: Uint8Array, json: string): Uint8Array {
  const bytes = new TextEncoder().encode(json);
  const at = file.byteLength - (readBundle(file).signatures?.byteLength ?? 0);
  const changed = new Uint8Array(at + bytes.byteLength);
  changed.set(file.subarray(0, at));
  changed.set(bytes, at);
  new DataView(changed.buffer).setUint32(at - 8, bytes.byteLength, true);
  return changed;
}

function trailerOf(file: Uint8Array): { signatures: { protected: string; signature: string }[] } {
  return JSON.parse(new TextDecoder().decode(readBundle(file).signatures ?? undefined)) as never;
}

function header(fields: Record<string, unknown>): string {
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

async function fileOf(content: string): Promise<string> {
  const file = join(directory, "keys.txt");
  await writeFile(file, content);
  return file;
}

function pemOf(jwk: unknown): string {
  const key = createPublicKey({ key: jwk as JsonWebKey, format: "jwk" });
  return String(key.export({ type: "spki", format: "pem" }));
}

describe("a signed bundle", () => {
  it.each(["EdDSA", "ES256"] as const)("verifies with the public key of its %s key", async (alg) => {
    const key = await makeKey(directory, `one-${alg}`, alg);
    expect(await verdict(await sign(FILE, [key]), [key.publicFile])).toBe(key.kid);
  });

  it("keeps its digest and every byte of its sections", async () => {
    const signed = await sign(FILE, [first]);
    expect(readBundle(signed).digest).toBe(readBundle(FILE).digest);
    expect([...signed.subarray(0, FILE.byteLength)]).toEqual([...FILE]);
  });

  it("is a detached JWS that another implementation of JOSE can check", async () => {
    const { generalVerify } = await import("jose");
    const bundle = readBundle(await sign(FILE, [first, second], NOW));
    const key = await importJWK(second.publicJwk, "ES256");
    const payload = Buffer.from(`edict-bundle\n${bundle.digest}\n`).toString("base64url");
    const { signatures } = trailerOf(await sign(FILE, [second], NOW));
    const { payload: signed, protectedHeader } = await generalVerify({ payload, signatures }, key);
    expect([...signed]).toEqual([...signedPayload(bundle.digest)]);
    expect(protectedHeader).toEqual({
      alg: "ES256",
      kid: second.kid,
      typ: "edict-bundle+jws",
      iat: SECONDS,
    });
  });

  it("names its key by its thumbprint", async () => {
    expect(first.kid).toBe(await calculateJwkThumbprint(first.publicJwk as never));
  });

  it("verifies while keys are rotated: by the old key, by the new one, by a host that trusts both", async () => {
    const both = await sign(FILE, [first, second]);
    expect(await verdict(both, [first.publicFile])).toBe(first.kid);
    expect(await verdict(both, [second.publicFile])).toBe(second.kid);
    const next = await sign(FILE, [second]);
    expect(await verdict(next, [first.publicFile, second.publicFile])).toBe(second.kid);
    expect(await verdict(next, [first.publicFile])).toBe("EDICT_BUNDLE_KEY_UNKNOWN");
  });

  it("keeps other signatures when it is signed again, and has one of each key", async () => {
    const again = await sign(await sign(await sign(FILE, [first]), [second]), [first]);
    expect(readSignatures(readBundle(again)).map(({ header: { kid } }) => kid)).toEqual([
      second.kid,
      first.kid,
    ]);
  });

  it("loses its trailer with its last signature", async () => {
    const signed = await sign(FILE, [first]);
    const bare = withSignatures(signed, readBundle(signed), []);
    expect(readBundle(bare).signatures).toBeNull();
    expect(readBundle(bare).digest).toBe(readBundle(FILE).digest);
  });
});

describe("with verify keys a bundle is refused", () => {
  it("when it is not signed", async () => {
    expect(await verdict(FILE, [first.publicFile])).toBe("EDICT_BUNDLE_UNSIGNED");
  });

  it("when it is signed by somebody else", async () => {
    const stranger = await makeKey(directory, "stranger");
    expect(await verdict(await sign(FILE, [stranger]), [first.publicFile, second.publicFile])).toBe(
      "EDICT_BUNDLE_KEY_UNKNOWN",
    );
  });

  it("when somebody else's signature says it is by the right key", async () => {
    const stranger = await makeKey(directory, "impostor");
    const forged = await signBundle(FILE, [{ ...stranger.signing, kid: first.kid }], NOW);
    expect(await verdict(forged, [first.publicFile])).toBe("EDICT_BUNDLE_SIGNATURE");
  });

  it("when the signature is of another bundle", async () => {
    const sections = sampleSections().map((section) =>
      section.kind === 2 ? { kind: 2, bytes: Uint8Array.of(9) } : section,
    );
    const other = writeBundle(sections);
    const moved = withSignatures(
      other,
      readBundle(other),
      readSignatures(readBundle(await sign(FILE, [first]))),
    );
    expect(await verdict(moved, [first.publicFile])).toBe("EDICT_BUNDLE_SIGNATURE");
  });

  it("when the key has expired, from that second on", async () => {
    const key = await makeKey(directory, "expiring", "EdDSA", SECONDS);
    const signed = await sign(FILE, [key], NOW);
    expect(await verdict(signed, [key.publicFile], new Date(NOW.getTime() - 1000))).toBe(key.kid);
    expect(await verdict(signed, [key.publicFile])).toBe("EDICT_BUNDLE_KEY_EXPIRED");
    // Another key that has not expired makes up for it.
    const both = await sign(signed, [second], NOW);
    expect(await verdict(both, [key.publicFile, second.publicFile])).toBe(second.kid);
  });

  it("when the signature has expired", async () => {
    const signed = await sign(FILE, [first], NOW, SECONDS + 60);
    expect(await verdict(signed, [first.publicFile])).toBe(first.kid);
    expect(await verdict(signed, [first.publicFile], new Date(NOW.getTime() + 60_000))).toBe(
      "EDICT_BUNDLE_SIGNATURE_EXPIRED",
    );
  });

  it("when the signature names an algorithm that is not the key's", async () => {
    const signed = await sign(FILE, [first]);
    const [one] = trailerOf(signed).signatures;
    const fields = { alg: "ES256", kid: first.kid, typ: "edict-bundle+jws", iat: SECONDS };
    const changed = { signatures: [{ protected: header(fields), signature: one?.signature }] };
    expect(await verdict(withTrailer(signed, JSON.stringify(changed)), [first.publicFile])).toBe(
      "EDICT_BUNDLE_KEY_UNKNOWN",
    );
  });

  it.each([
    ["none", { alg: "none" }],
    ["a symmetric algorithm", { alg: "HS256" }],
    ["another type", { typ: "JWT" }],
    ["no type", { typ: undefined }],
    ["no key id", { kid: undefined }],
    ["a key id that is no text", { kid: 7 }],
    ["a key id with a line break", { kid: "a\nb" }],
    ["an expiry that is no number", { exp: "tomorrow" }],
    ["an expiry before 1970", { exp: -1 }],
    ["members that nobody reads", { crit: ["exp"] }],
    ["a key of its own", { jwk: {} }],
    ["a payload that is not encoded", { b64: false }],
  ])("when a signature has %s in its header", async (_name, change) => {
    const signed = await sign(FILE, [first]);
    const fields = { alg: "EdDSA", kid: first.kid, typ: "edict-bundle+jws", iat: SECONDS, ...change };
    const [one] = trailerOf(signed).signatures;
    const changed = { signatures: [{ protected: header(fields), signature: one?.signature }] };
    expect(await verdict(withTrailer(signed, JSON.stringify(changed)), [first.publicFile])).toBe(
      "EDICT_BUNDLE_SIGNATURE",
    );
  });

  it.each([
    ["is no JSON", "{"],
    ["is no object", "[]"],
    ["has no signatures", "{}"],
    ["has an empty list", '{"signatures":[]}'],
    ["has a payload", '{"payload":"","signatures":[]}'],
    ["has members beside a signature", '{"signatures":[{"protected":"e30","signature":"AA","header":{}}]}'],
    ["is nested deeply", `{"signatures":${"[".repeat(20_000)}`],
    ["has too many signatures", `{"signatures":[${"{},".repeat(MAX_SIGNATURES)}{}]}`],
    ["has text that is not base64url", '{"signatures":[{"protected":"e30=","signature":"AA"}]}'],
    ["has base64url with loose bits", '{"signatures":[{"protected":"e31","signature":"AB"}]}'],
    ["is a lone letter", "\u00ff"],
  ])("when its trailer %s", async (_name, json) => {
    expect(await verdict(withTrailer(await sign(FILE, [first]), json), [first.publicFile])).toBe(
      "EDICT_BUNDLE_SIGNATURE",
    );
  });

  it("when any bit of its trailer is flipped", async () => {
    const signed = await sign(FILE, [first]);
    const keys = await VerifyKeys.load([first.publicFile]);
    const start = signed.byteLength - (readBundle(signed).signatures?.byteLength ?? 0) - 16;
    for (let bit = start * 8; bit < signed.byteLength * 8; bit++) {
      const broken = signed.slice();
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(
        (async () => keys.verify(readBundle(broken), NOW))(),
        `bit ${bit - start * 8}`,
      ).rejects.toBeInstanceOf(BundleError);
    }
  });

  it("when its trailer is larger than one may be, or does not end the file", async () => {
    const signed = await sign(FILE, [first]);
    expect(() => readBundle(withTrailer(signed, " ".repeat(32 * 1024 + 1)))).toThrow(/over the limit/);
    const longer = new Uint8Array(signed.byteLength + 1);
    longer.set(signed);
    expect(() => readBundle(longer)).toThrow(/do not end the file/);
    for (let length = FILE.byteLength + 8; length < signed.byteLength; length++) {
      expect(() => readBundle(signed.subarray(0, length)), `${length} bytes`).toThrow(BundleError);
    }
  });
});

describe("verify keys", () => {
  it("come from PEM too, then named by their thumbprints", async () => {
    const pem = await exportSPKI(
      (await importJWK(second.publicJwk, "ES256", { extractable: true })) as never,
    );
    expect(await verdict(await sign(FILE, [second]), [await fileOf(pem)])).toBe(second.kid);
  });

  it("come as a set, and several from one PEM file", async () => {
    const set = JSON.stringify({ keys: [first.publicJwk, second.publicJwk] });
    expect(await verdict(await sign(FILE, [second]), [await fileOf(set)])).toBe(second.kid);
    const file = await fileOf(pemOf(first.publicJwk) + pemOf(second.publicJwk));
    expect((await VerifyKeys.load([file])).ids).toEqual([first.kid, second.kid]);
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  it.each([
    ["nothing", ""],
    ["no keys", '{"keys":[]}'],
    ["a key of RSA", JSON.stringify(rsa.export({ format: "jwk" }))],
    ["another curve", String(p384.publicKey.export({ type: "spki", format: "pem" }))],
    ["a private key in PEM", String(p384.privateKey.export({ type: "pkcs8", format: "pem" }))],
    ["a secret", '{"kty":"oct","k":"AAAA"}'],
    ["text", "hello"],
  ])("are refused from a file with %s", async (_name, content) => {
    const loading = VerifyKeys.load([await fileOf(content)]);
    await expect(loading).rejects.toBeInstanceOf(ServeError);
    await expect(loading).rejects.toThrow(/verify key `.*` cannot be used/);
  });

  it("are refused when they are private, are for encryption or say another algorithm", async () => {
    await expect(VerifyKeys.load([first.privateFile])).rejects.toThrow(/private key/);
    for (const change of [{ use: "enc" }, { alg: "ES256" }, { exp: "never" }, { kid: 1 }]) {
      const file = await fileOf(JSON.stringify({ ...first.publicJwk, ...change }));
      await expect(VerifyKeys.load([file]), JSON.stringify(change)).rejects.toBeInstanceOf(ServeError);
    }
  });

  it("do not sign once they have expired", async () => {
    const key = await makeKey(directory, "old", "EdDSA", SECONDS);
    await expect(signBundle(FILE, [key.signing], NOW)).rejects.toThrow(/has expired and may no longer sign/);
  });
});
