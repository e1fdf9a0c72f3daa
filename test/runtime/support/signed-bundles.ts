/** Key files and signed bundles for tests, made by the same code as `edict keygen` and `edict sign`. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { SignatureAlgorithm } from "../../../runtime/bundle/signature-trailer.ts";
import {
  generateKeys,
  loadSigningKey,
  signBundle,
  type SigningKey,
} from "../../../runtime/bundle/signing-key.ts";

/** A key pair in files. */
export interface TestKey {
  readonly kid: string;
  readonly publicFile: string;
  readonly privateFile: string;
  readonly publicJwk: Readonly<Record<string, unknown>>;
  readonly signing: SigningKey;
}

/** Makes a pair named `name`; `exp` in seconds since 1970, null for a key that does not expire. */
export async function makeKey(
  directory: string,
  name: string,
  alg: SignatureAlgorithm = "EdDSA",
  exp: number | null = null,
): Promise<TestKey> {
  const { kid, privateJwk, publicJwk } = await generateKeys(alg, exp);
  const publicFile = join(directory, `${name}.public.jwk`);
  const privateFile = join(directory, `${name}.private.jwk`);
  await writeFile(publicFile, JSON.stringify(publicJwk));
  await writeFile(privateFile, JSON.stringify(privateJwk));
  return { kid, publicFile, privateFile, publicJwk, signing: await loadSigningKey(privateFile) };
}

/** Signs with keys, expired ones too, at `now`. */
export function sign(
  file: Uint8Array,
  keys: readonly TestKey[],
  now: Date = new Date(),
  expires: number | null = null,
): Promise<Uint8Array> {
  const usable = keys.map(({ signing }) => ({ ...signing, exp: null }));
  return signBundle(file, usable, now, expires);
}
