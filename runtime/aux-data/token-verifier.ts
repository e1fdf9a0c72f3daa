/**
 * From the tokens of a request to the value of `request.auxData`: picks the key set, verifies what is not remembered, and
 * checks the times of every token at every request. One verifier serves all engines of a process; it decides nothing.
 */
import { TokenError, TokenOverloadError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { type Claims, timeProblem } from "./claims.ts";
import { type KeySet, loadLocalKeySet } from "./key-set.ts";
import { type AuxDataOptions, MAX_CLAIMS_SIZE } from "./options.ts";
import { RemoteKeySet } from "./remote-key-set.ts";
import type { RequestToken } from "./request-tokens.ts";
import { parseToken, unverifiedClaims, verifiedClaims } from "./token.ts";
import { TokenCache, tokenDigest } from "./token-cache.ts";

/** Most verifications under way; further ones are refused. */
const MAX_RUNNING = 1000;

/** Most tokens in one request. */
const MAX_TOKENS = 100;

export class TokenVerifier {
  readonly #options: AuxDataOptions;
  readonly #keySets: ReadonlyMap<string, KeySet>;
  readonly #cache: TokenCache;
  /** Verifications under way by digest, so that a token that many requests bring at once is verified once. */
  readonly #running = new Map<string, Promise<Claims>>();

  /** Loads local key sets and begins to fetch remote ones. Throws `ServeError` for a set that cannot be used. */
  static async start(options: AuxDataOptions): Promise<TokenVerifier> {
    const keySets = new Map<string, KeySet>();
    // Nothing is verified, so keys that cannot be had are no obstacle.
    if (!options.disableVerification) {
      for (const set of options.keySets) {
        const isRemote = set.source.kind === "remote";
        keySets.set(set.id, isRemote ? new RemoteKeySet(set) : await loadLocalKeySet(set));
      }
    }
    return new TokenVerifier(options, keySets);
  }

  private constructor(options: AuxDataOptions, keySets: ReadonlyMap<string, KeySet>) {
    this.#options = options;
    this.#keySets = keySets;
    this.#cache = new TokenCache(options.cacheSize);
  }

  /** Stops fetching. */
  close(): void {
    for (const set of this.#keySets.values()) set.close();
  }

  /**
   * The claims of tokens that are all remembered, as the guest takes them; null when one has to be verified first. Throws
   * `TokenError` when one does not hold now.
   */
  remembered(tokens: readonly RequestToken[]): Uint8Array | null {
    const claims: Claims[] = [];
    for (const token of tokens) {
      const set = this.#keySetOf(token);
      const found = this.#cached(tokenDigest(set?.id ?? "", token.token), set);
      if (found === undefined) return null;
      claims.push(found);
    }
    return this.#encode(tokens, claims);
  }

  /**
   * The claims of `tokens`, as the guest takes them. Rejects with `TokenError` when one cannot be accepted, with
   * `TokenOverloadError` when too many are being verified.
   */
  async verify(tokens: readonly RequestToken[]): Promise<Uint8Array> {
    if (tokens.length > MAX_TOKENS) throw new TokenError(`more than ${MAX_TOKENS} tokens`);
    const claims = await Promise.all(tokens.map((token) => this.#claimsOf(token)));
    return this.#encode(tokens, claims);
  }

  async #claimsOf(token: RequestToken): Promise<Claims> {
    const set = this.#keySetOf(token);
    const digest = tokenDigest(set?.id ?? "", token.token);
    const cached = this.#cached(digest, set);
    if (cached !== undefined) return cached;
    const running = this.#running.get(digest);
    if (running !== undefined) return running;
    if (this.#running.size >= MAX_RUNNING) throw new TokenOverloadError("too many tokens are being verified");
    const started = this.#verifyOne(token.token, digest, set).finally(() => this.#running.delete(digest));
    this.#running.set(digest, started);
    return started;
  }

  async #verifyOne(text: string, digest: string, set: KeySet | null): Promise<Claims> {
    try {
      const token = parseToken(text);
      // Read first: keys that change meanwhile make the result one of the past.
      const generation = set?.generation ?? 0;
      const keys = set === null ? [] : await set.keysFor(token);
      const claims = set === null ? unverifiedClaims(token) : await verifiedClaims(token, keys);
      if (this.#timeProblem(claims) === null) this.#cache.set(digest, { claims, generation });
      return claims;
    } catch (error) {
      throw new TokenError(oneLine(error));
    }
  }

  /** The set that verifies `token`; null when nothing is verified. Throws `TokenError` when there is no telling. */
  #keySetOf({ keySetId }: RequestToken): KeySet | null {
    if (this.#options.disableVerification) return null;
    const sets = this.#keySets;
    if (keySetId === "") {
      const [only] = sets.values();
      if (only !== undefined && sets.size === 1) return only;
      throw new TokenError(
        sets.size === 0
          ? "no key set is configured (auxData.jwt.keySets)"
          : "the token names no key set (keySetId), and there are several",
      );
    }
    const found = sets.get(keySetId);
    if (found === undefined)
      throw new TokenError("the token names a key set (keySetId) that is not configured");
    return found;
  }

  #cached(digest: string, set: KeySet | null): Claims | undefined {
    const found = this.#cache.get(digest);
    if (found === undefined || found.generation === (set?.generation ?? 0)) return found?.claims;
    this.#cache.delete(digest);
    return undefined;
  }

  #timeProblem(claims: Claims): string | null {
    // Cerbos compares whole seconds.
    return timeProblem(claims, Math.floor(Date.now() / 1000), this.#options.acceptableTimeSkew);
  }

  /** The text of `request.auxData`, after a last look at the times. Throws `TokenError`. */
  #encode(tokens: readonly RequestToken[], claims: readonly Claims[]): Uint8Array {
    for (const each of claims) {
      const problem = this.#timeProblem(each);
      if (problem !== null) throw new TokenError(problem);
    }
    const bytes = new TextEncoder().encode(auxDataText(tokens, claims));
    if (bytes.byteLength > MAX_CLAIMS_SIZE) throw new TokenError("the claims are too large");
    return bytes;
  }
}

/** `{"jwt":{}}` or `{"jwts":{"name":{"claims":{}}}}`. As in Cerbos, a `jwt` without claims counts as not given. */
function auxDataText(tokens: readonly RequestToken[], claims: readonly Claims[]): string {
  const texts = claims.map(({ text }) => text);
  if (tokens[0]?.name === null) return texts[0] === "{}" ? "{}" : `{"jwt":${texts[0]}}`;
  const entries = tokens.map(({ name }, index) => `${JSON.stringify(name)}:{"claims":${texts[index]}}`);
  return `{"jwts":{${entries.join(",")}}}`;
}
