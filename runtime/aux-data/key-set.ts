/**
 * A set of keys and the choice among them. Where the keys come from is the business of whoever makes the set: here those
 * that are at hand from the start; remote-key-set.ts fetches them.
 */
import { readFile, stat } from "node:fs/promises";
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import type { KeySetOptions } from "./options.ts";
import type { ParsedToken } from "./token.ts";
import { readKeys, type VerificationKey } from "./verification-keys.ts";

export interface KeySet {
  readonly id: string;
  /** Changes whenever the keys do; what was verified before counts no longer. */
  readonly generation: number;
  /** The keys that may have signed `token`. Rejects with an `Error` that has the reason when there can be none. */
  keysFor(token: ParsedToken): Promise<readonly VerificationKey[]>;
  /** Stops whatever goes on in the background. */
  close(): void;
}

/** Largest text of keys in bytes. */
export const MAX_KEYS_SIZE = 1024 * 1024;

/** The keys of `keys` that the header of `token` names; undefined when it names one that is not there. */
export function selectKeys(
  keys: readonly VerificationKey[],
  token: ParsedToken,
  optionalKid: boolean,
): readonly VerificationKey[] | undefined {
  if (optionalKid) return keys;
  if (token.kid === "") throw new Error("the header has no key ID (kid)");
  const found = keys.find(({ kid }) => kid === token.kid);
  return found === undefined ? undefined : [found];
}

/** Reads a set that is at hand. Throws `ServeError` when it cannot be used. */
export async function loadLocalKeySet(options: KeySetOptions): Promise<KeySet> {
  const { id, source, optionalKid } = options;
  let keys: readonly VerificationKey[];
  try {
    if (source.kind === "remote") throw new Error("the set is not local");
    const text = source.kind === "data" ? source.data : await readKeyFile(source.file);
    keys = readKeys(text, source.pem, options);
  } catch (error) {
    throw new ServeError("EDICT_KEY_SET", `key set \`${id}\` cannot be used: ${oneLine(error)}`, {
      cause: error,
    });
  }
  return {
    id,
    generation: 0,
    keysFor: async (token) => {
      const found = selectKeys(keys, token, optionalKid);
      if (found === undefined) throw new Error("the key set has no key with the key ID (kid) of the token");
      return found;
    },
    close: () => undefined,
  };
}

async function readKeyFile(file: string): Promise<string> {
  const { size } = await stat(file);
  if (size > MAX_KEYS_SIZE) throw new Error(`\`${file}\` is larger than 1 MiB`);
  return readFile(file, "utf8");
}
