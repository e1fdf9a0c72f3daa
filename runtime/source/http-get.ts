/**
 * One GET whose every phase is bounded: connecting, waiting for the first byte, silence between bytes, the whole, and the size of
 * the body, which is counted as it arrives whatever its length was said to be. It follows few redirects, never to another scheme, and
 * never takes the token to another origin. It knows nothing of bundles.
 */
import {
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as plain,
} from "node:http";
import { request as encrypted } from "node:https";
import { BundleError, SourceError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";

/** Milliseconds. */
export interface HttpLimits {
  readonly connectMs: number;
  /** Until the head of the answer, beyond what it was asked to wait. */
  readonly headMs: number;
  /** Between two pieces of the body. */
  readonly silenceMs: number;
  /** For everything, redirects included, beyond what it was asked to wait. */
  readonly totalMs: number;
}

export const HTTP_LIMITS: HttpLimits = {
  connectMs: 5_000,
  headMs: 10_000,
  silenceMs: 10_000,
  totalMs: 300_000,
};

export interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Sent to the first origin alone; null for none. */
  readonly token: string | null;
  /** How long the server may hold the answer back, in milliseconds. */
  readonly waitMs: number;
  readonly maxBytes: number;
  readonly limits: HttpLimits;
  readonly signal: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Empty unless the status is 200. */
  readonly body: Buffer;
}

const MAX_REDIRECTS = 3;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Gets `url`. Rejects with `SourceError`, or `BundleError` for a body over the limit. */
export async function httpGet(url: URL, options: GetOptions): Promise<HttpAnswer> {
  const total = deadline(options.limits.totalMs + options.waitMs);
  const signal = AbortSignal.any([options.signal, total.signal]);
  try {
    let current = url;
    for (let redirects = 0; ; redirects++) {
      const token = current.origin === url.origin ? options.token : null;
      const answer = await getOnce(current, { ...options, token, signal });
      if (!REDIRECTS.has(answer.status)) return answer;
      if (redirects === MAX_REDIRECTS) throw refused("it redirects too often");
      current = redirected(current, answer.headers.location);
    }
  } catch (error) {
    if (total.signal.aborted && !options.signal.aborted) {
      throw new SourceError("EDICT_SOURCE_TIMEOUT", "the answer took too long", { cause: error });
    }
    throw error;
  } finally {
    total.clear();
  }
}

function redirected(from: URL, location: string | undefined): URL {
  if (location === undefined || !URL.canParse(location, from.href)) throw refused("it redirects to nowhere");
  const target = new URL(location, from.href);
  if (target.protocol !== from.protocol) {
    throw refused(`it redirects from \`${from.protocol}\` to \`${target.protocol}\``);
  }
  if (target.username !== "" || target.password !== "") throw refused("it redirects to a URL with a user");
  return target;
}

/** One request without redirects. */
function getOnce(url: URL, options: GetOptions): Promise<HttpAnswer> {
  const { limits, signal, waitMs } = options;
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = {
      accept: "application/octet-stream, */*",
      // A packed answer could be any size unpacked.
      "accept-encoding": "identity",
      "user-agent": "edict",
      ...options.headers,
    };
    if (options.token !== null) headers["authorization"] = `Bearer ${options.token}`;
    const send = url.protocol === "https:" ? encrypted : plain;
    // A connection per request: one that outlived its server would only fail the next request.
    const call = send(url, { headers, agent: false, signal });
    const timer = new PhaseTimer(call);
    timer.start(limits.connectMs, "no connection was made in time");
    const fail = (error: unknown): void => {
      timer.stop();
      call.destroy();
      reject(reasonOf(error, timer));
    };
    const connected = (): void =>
      timer.start(limits.headMs + waitMs, "the head of the answer did not come in time");
    call.on("socket", (socket) => {
      socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
    });
    call.on("error", fail);
    call.on("response", (response) => {
      timer.start(limits.silenceMs, "the answer stopped in the middle");
      const alive = (): void => timer.start(limits.silenceMs, timer.meaning);
      readBody(response, options.maxBytes, alive)
        .then((body) => {
          timer.stop();
          call.destroy();
          return resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        })
        .catch(fail);
    });
    call.end();
  });
}

/** The body of a 200; any other body is not of interest. */
async function readBody(response: IncomingMessage, maxBytes: number, alive: () => void): Promise<Buffer> {
  if (response.statusCode !== 200) return Buffer.alloc(0);
  const encoding = response.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") throw refused("its answer is packed");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of untilCut(response)) {
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new BundleError(`the answer is larger than the limit of ${maxBytes} bytes for a bundle`, {
        code: "EDICT_BUNDLE_TOO_LARGE",
      });
    }
    chunks.push(chunk);
    alive();
  }
  return Buffer.concat(chunks);
}

/** The pieces of a body, all of them: a body that ends early ends in a `SourceError`. */
async function* untilCut(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of response) yield chunk as Buffer;
  } catch (error) {
    throw response.complete ? error : cutOff(error);
  }
  if (!response.complete) throw cutOff(null);
}

function cutOff(cause: unknown): SourceError {
  return new SourceError("EDICT_SOURCE_UNREACHABLE", "the answer was cut off", { cause });
}

/** Ends a request whose phase takes too long, and remembers which phase that was. */
class PhaseTimer {
  readonly #call: ClientRequest;
  #timer: NodeJS.Timeout | null = null;
  meaning = "";
  expired = false;

  constructor(call: ClientRequest) {
    this.#call = call;
  }

  start(ms: number, meaning: string): void {
    this.stop();
    this.meaning = meaning;
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.#call.destroy(new Error(meaning));
    }, ms);
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

function deadline(ms: number): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), ms);
  return { signal: controller.signal, clear: () => clearTimeout(timer) };
}

function reasonOf(error: unknown, timer: PhaseTimer): Error {
  if (error instanceof BundleError) return error;
  if (timer.expired) return new SourceError("EDICT_SOURCE_TIMEOUT", timer.meaning, { cause: error });
  if (error instanceof SourceError) return error;
  // A host with several addresses fails with one error for each.
  const first =
    error instanceof AggregateError && error.errors.length > 0 ? (error.errors[0] as unknown) : error;
  return new SourceError("EDICT_SOURCE_UNREACHABLE", oneLine(first), { cause: error });
}

function refused(message: string): SourceError {
  return new SourceError("EDICT_SOURCE_REFUSED", message);
}
