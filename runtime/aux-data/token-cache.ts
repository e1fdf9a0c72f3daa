/**
 * Verified tokens by digest, so that a client that sends the same token with every request costs one verification. Bounded
 * in number and in memory; what was not used for longest goes first. It holds claims and digests, never a token.
 */
import { createHash } from "node:crypto";
import type { Claims } from "./claims.ts";

/** A verified token. */
export interface CachedToken {
  readonly claims: Claims;
  /** Generation of the key set that verified it. */
  readonly generation: number;
}

/** Characters of claims that all entries may hold together. */
const MAX_TEXT = 32 * 1024 * 1024;

/** What is remembered of a token: a digest of it and of the key set that verifies it. */
export function tokenDigest(keySetId: string, token: string): string {
  // The length keeps two pairs apart that read the same when joined.
  return createHash("sha256").update(`${keySetId.length}:${keySetId}${token}`).digest("base64");
}

export class TokenCache {
  /** In order of last use. */
  readonly #entries = new Map<string, CachedToken>();
  readonly #capacity: number;
  #text = 0;

  /** `capacity` is the number of tokens; 0 remembers none. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(digest: string): CachedToken | undefined {
    const found = this.#entries.get(digest);
    if (found === undefined) return undefined;
    this.#entries.delete(digest);
    this.#entries.set(digest, found);
    return found;
  }

  set(digest: string, token: CachedToken): void {
    this.delete(digest);
    this.#entries.set(digest, token);
    this.#text += token.claims.text.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#capacity && this.#text <= MAX_TEXT) break;
      this.delete(oldest);
    }
  }

  delete(digest: string): void {
    const found = this.#entries.get(digest);
    if (found === undefined) return;
    this.#entries.delete(digest);
    this.#text -= found.claims.text.length;
  }
}
