/**
 * A bundle behind an http or https URL. It is asked at an interval, with `If-None-Match` so that an unchanged bundle is not sent
 * again. Every such question says `Prefer: wait=n` (RFC 7240): a server that answers with `Preference-Applied: wait=...` holds it until
 * there is something new, and is asked again at once. Failures are retried with growing waits, for ever.
 */
import { createHash } from "node:crypto";
import { EdictError, SourceError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { BackOff, spread } from "./back-off.ts";
import { HTTP_LIMITS, type HttpAnswer, httpGet, type HttpLimits } from "./http-get.ts";
import { sourceName } from "./location.ts";
import type { BundleSource, FetchedBundle } from "./source.ts";
import { readToken } from "./token-file.ts";

/** How long a server may hold a question back, in seconds. */
const WAIT_SECONDS = 25;

/** Least time between two questions to a server that says it waits, in milliseconds, should it not. */
const LEAST_WAIT = 200;

export interface UrlSourceOptions {
  readonly url: string;
  readonly tokenFile: string | null;
  readonly pollIntervalMs: number;
  readonly maxBytes: number;
  /** What tests shorten. */
  readonly limits?: HttpLimits;
}

/** What a question came to. */
interface Outcome {
  /** A bundle, nothing new, or why there is neither. */
  readonly result: FetchedBundle | "unchanged" | Error;
  /** The validator that goes with the bytes. */
  readonly etag: string;
  readonly digest: string;
  /** Whether the server holds questions back. */
  readonly waits: boolean;
  /** The round in which it was asked. */
  readonly round: number;
}

export class UrlSource implements BundleSource {
  readonly name: string;
  readonly #url: URL;
  readonly #options: UrlSourceOptions;
  readonly #limits: HttpLimits;
  readonly #backOff = new BackOff();
  readonly #closed = new AbortController();
  /** Of what the last `fetch` gave. */
  #etag = "";
  #digest = "";
  /**
   * Grows whenever a bundle is given or forgotten. What was asked in an earlier round is about what nobody has any more, and may be older
   * than what was given since.
   */
  #round = 0;
  /** What a question of `watch` came to, in this round, and no `fetch` has taken yet. */
  #found: Outcome | null = null;
  #changed: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #asking = false;
  #waits = false;

  constructor(options: UrlSourceOptions) {
    this.name = sourceName({ kind: "url", url: options.url });
    this.#url = new URL(options.url);
    this.#options = options;
    this.#limits = options.limits ?? HTTP_LIMITS;
  }

  async fetch(signal: AbortSignal): Promise<FetchedBundle | "unchanged"> {
    const found = this.#found ?? (await this.#askNow(signal));
    this.#found = null;
    const { result, etag, digest, round } = found;
    if (result instanceof Error) throw result;
    if (result === "unchanged") return result;
    const isSame = digest === this.#digest;
    // What was asked before `forget` is given, but the next one is to be given its bytes all the same.
    if (round === this.#round) this.#note(etag, digest);
    return isSame ? "unchanged" : result;
  }

  forget(): void {
    this.#note("", "");
  }

  watch(changed: () => void): () => void {
    this.#changed = changed;
    this.#schedule(spread(this.#options.pollIntervalMs));
    return () => {
      this.#changed = null;
      this.#closed.abort();
      if (this.#timer !== null) clearTimeout(this.#timer);
    };
  }

  /** What counts as given from now on. */
  #note(etag: string, digest: string): void {
    this.#etag = etag;
    this.#digest = digest;
    this.#found = null;
    this.#round++;
  }

  /** A question that nobody waits longer for than it takes. */
  async #askNow(signal: AbortSignal): Promise<Outcome> {
    const outcome = await this.#ask(AbortSignal.any([signal, this.#closed.signal]), 0);
    if (!this.#asking) this.#schedule(this.#pause(outcome, 0));
    return outcome;
  }

  /** A question of `watch`: the server may wait, unless something is wrong. */
  async #askLater(): Promise<void> {
    const began = performance.now();
    this.#asking = true;
    const outcome = await this.#ask(this.#closed.signal, this.#etag === "" ? 0 : WAIT_SECONDS);
    this.#asking = false;
    if (this.#closed.signal.aborted) return;
    this.#schedule(this.#pause(outcome, performance.now() - began));
    if (outcome.round !== this.#round) return;
    // Bytes that nobody has taken yet are not given up for news that there is nothing newer.
    if (outcome.result !== "unchanged" || !isBundle(this.#found)) this.#found = outcome;
    this.#changed?.();
  }

  /** How long to leave the server alone after `outcome`, which took `elapsed`; milliseconds. */
  #pause({ result, waits }: Outcome, elapsed: number): number {
    if (result instanceof Error) {
      return this.#backOff.next(result instanceof SourceError ? result.retryAfterMs : 0);
    }
    this.#backOff.reset();
    this.#waits = waits;
    return this.#waits ? Math.max(0, LEAST_WAIT - elapsed) : spread(this.#options.pollIntervalMs);
  }

  #schedule(waitMs: number): void {
    if (this.#changed === null || this.#closed.signal.aborted) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#askLater(), waitMs);
    this.#timer.unref();
  }

  /** Asks once. Never rejects. */
  async #ask(signal: AbortSignal, waitSeconds: number): Promise<Outcome> {
    const [sent, round] = [this.#etag, this.#round];
    const nothing = { etag: "", digest: "", waits: false, round };
    try {
      const { tokenFile, maxBytes } = this.#options;
      const token = tokenFile === null ? null : await readToken(tokenFile);
      const headers: Record<string, string> = { prefer: `wait=${waitSeconds}` };
      if (sent !== "") headers["if-none-match"] = sent;
      const waitMs = waitSeconds * 1000;
      const answer = await httpGet(this.#url, {
        headers,
        token,
        waitMs,
        maxBytes,
        limits: this.#limits,
        signal,
      });
      const waits = /\bwait\b/i.test(headerText(answer, "preference-applied"));
      if (answer.status === 304 && sent !== "") return { ...nothing, result: "unchanged", waits };
      if (answer.status !== 200) throw refusal(answer);
      const etag = headerText(answer, "etag");
      const digest = createHash("sha256").update(answer.body).digest("hex");
      return { result: { bytes: answer.body, label: etag, warnings: "" }, etag, digest, waits, round };
    } catch (error) {
      const result =
        error instanceof EdictError ? error : new SourceError("EDICT_SOURCE_UNREACHABLE", oneLine(error));
      return { ...nothing, result };
    }
  }
}

function isBundle(outcome: Outcome | null): boolean {
  return outcome !== null && outcome.result !== "unchanged" && !(outcome.result instanceof Error);
}

function refusal(answer: HttpAnswer): SourceError {
  const code =
    answer.status === 404 || answer.status === 410 ? "EDICT_SOURCE_NOT_FOUND" : "EDICT_SOURCE_REFUSED";
  const asked = headerText(answer, "retry-after");
  // Only the form in seconds: the other one needs clocks that agree.
  const retryAfterMs = /^\d{1,6}$/.test(asked) ? Number(asked) * 1000 : 0;
  return new SourceError(code, `the answer has status ${answer.status}`, { retryAfterMs });
}

function headerText({ headers }: HttpAnswer, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : (value?.join(", ") ?? "");
}
