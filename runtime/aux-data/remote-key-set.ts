/**
 * A JWK set behind a URL: fetched at the start, again in the background, and early when a token names a key that is not
 * there (keys are rotated by publishing new ones). Whatever goes wrong leaves the last good keys in place; attempts then
 * back off. Every fetch is bounded in time and size, and none is made because of what a token says beyond that.
 */
import { ServeError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { throttledLog } from "../observe/log.ts";
import { type KeySet, MAX_KEYS_SIZE, selectKeys } from "./key-set.ts";
import type { KeySetOptions } from "./options.ts";
import type { ParsedToken } from "./token.ts";
import { readKeys, type VerificationKey } from "./verification-keys.ts";

/** Times in milliseconds; tests shorten them. */
export interface RemoteTimes {
  /** How long one fetch may take, body included. */
  readonly timeout: number;
  /** Wait after the first failure; doubles with each further one. */
  readonly firstRetry: number;
  readonly lastRetry: number;
  /** Least time between two fetches that tokens with unknown keys cause. */
  readonly cooldown: number;
}

const TIMES: RemoteTimes = { timeout: 10_000, firstRetry: 1000, lastRetry: 60_000, cooldown: 30_000 };

/** At most one line about a failing key set per this many milliseconds. */
const LOG_INTERVAL = 30_000;

/** setTimeout takes no more than this many milliseconds. */
const LONGEST_TIMER = 2_147_483_647;

/** A set whose first fetch is under way. */
export class RemoteKeySet implements KeySet {
  readonly id: string;
  readonly #url: URL;
  readonly #refreshMs: number;
  readonly #options: KeySetOptions;
  readonly #times: RemoteTimes;
  readonly #log = throttledLog(LOG_INTERVAL);
  readonly #closed = new AbortController();
  #keys: readonly VerificationKey[] | null = null;
  #text = "";
  #generation = 0;
  #failures = 0;
  #lastFetch = Number.NEGATIVE_INFINITY;
  #lastProblem = "";
  #fetching: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;

  /** Throws `ServeError` for a URL that cannot be fetched. */
  constructor(options: KeySetOptions, times: RemoteTimes = TIMES) {
    const { source } = options;
    const url = source.kind === "remote" && URL.canParse(source.url) ? new URL(source.url) : null;
    if (source.kind !== "remote" || url === null || !/^https?:$/.test(url.protocol)) {
      throw new ServeError("EDICT_KEY_SET", `key set \`${options.id}\` has no http or https URL`);
    }
    this.id = options.id;
    this.#url = url;
    this.#refreshMs = Math.min(source.refreshSeconds * 1000, LONGEST_TIMER);
    this.#options = options;
    this.#times = times;
    void this.#refresh();
  }

  get generation(): number {
    return this.#generation;
  }

  async keysFor(token: ParsedToken): Promise<readonly VerificationKey[]> {
    // Without keys there is a first fetch to wait for; once that has failed, the next attempt comes by itself.
    if (this.#keys === null && this.#failures === 0) await this.#refresh();
    let found = this.#select(token);
    if (found === undefined && performance.now() - this.#lastFetch >= this.#times.cooldown) {
      await this.#refresh();
      found = this.#select(token);
    }
    if (found === undefined) throw new Error("the key set has no key with the key ID (kid) of the token");
    return found;
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  #select(token: ParsedToken): readonly VerificationKey[] | undefined {
    if (this.#keys === null) throw new Error(`failed to look up remote keyset: ${this.#lastProblem}`);
    return selectKeys(this.#keys, token, this.#options.optionalKid);
  }

  /** Fetches now, or joins the fetch that is under way. Never rejects. */
  #refresh(): Promise<void> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    clearTimeout(this.#timer);
    let next = this.#refreshMs;
    try {
      const text = await fetchText(this.#url, this.#times.timeout, this.#closed.signal);
      if (this.#keys === null || text !== this.#text) {
        this.#keys = readKeys(text, false, this.#options);
        this.#text = text;
        this.#generation++;
      }
      this.#failures = 0;
    } catch (error) {
      if (this.#closed.signal.aborted) return;
      const { firstRetry, lastRetry } = this.#times;
      next = Math.min(firstRetry * 2 ** Math.min(this.#failures, 20), lastRetry, this.#refreshMs);
      this.#failures++;
      this.#lastProblem = reasonOf(error);
      const kept = this.#keys === null ? "it has no keys yet" : "its last keys stay in use";
      this.#log(`key set \`${this.id}\` could not be fetched, ${kept}: ${this.#lastProblem}`);
    }
    this.#lastFetch = performance.now();
    this.#timer = setTimeout(() => void this.#refresh(), next);
    this.#timer.unref();
  }
}

/** `fetch` says what went wrong in the cause of its error. */
function reasonOf(error: unknown): string {
  const cause = error instanceof TypeError ? error.cause : undefined;
  return cause === undefined ? oneLine(error) : `${oneLine(error)}: ${oneLine(cause)}`;
}

/** The body behind `url`. Redirects are not followed: they would let whoever answers choose another sender. */
async function fetchText(url: URL, timeout: number, closed: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    redirect: "error",
    headers: { accept: "application/json, application/jwk-set+json" },
    signal: AbortSignal.any([closed, AbortSignal.timeout(timeout)]),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the answer has status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.byteLength;
    // Leaving the loop cancels the body.
    if (size > MAX_KEYS_SIZE) throw new Error("the answer is larger than 1 MiB");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
