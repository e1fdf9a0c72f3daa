/**
 * Requests over HTTP keep-alive connections, one POST per group. Requests of one tick that differ in nothing but their resources
 * become one request, whose results are dealt out again by their order.
 */
import { Agent, request } from "node:http";
import type { CheckRequest } from "../guest/messages.ts";
import type { Address } from "./address.ts";
import { type Outcome, type Transport, unavailable } from "./transport.ts";

/** Largest response, in bytes. */
const MAX_RESPONSE = 64 * 1024 * 1024;

const CHECK_PATH = "/api/check/resources";

export interface HttpOptions {
  readonly connections: number;
  readonly maxResourcesPerRequest: number;
  readonly headers: Readonly<Record<string, string>>;
}

interface Group {
  readonly indexes: number[];
  readonly resources: CheckRequest["resources"][number][];
  readonly first: CheckRequest;
}

export class HttpTransport implements Transport {
  readonly #address: Address;
  readonly #options: HttpOptions;
  readonly #agent: Agent;

  constructor(address: Address, options: HttpOptions) {
    this.#address = address;
    this.#options = options;
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections, scheduling: "lifo" });
  }

  send(requests: readonly CheckRequest[], timeoutMs: number): readonly Promise<Outcome>[] {
    const outcomes: Promise<Outcome>[] = [];
    for (const group of groupRequests(requests, this.#options.maxResourcesPerRequest)) {
      const body = group.indexes.length === 1 ? group.first : { ...group.first, resources: group.resources };
      const answer = this.#post(JSON.stringify(body), timeoutMs);
      let start = 0;
      for (const index of group.indexes) {
        const one = requests[index];
        const count = one?.resources.length ?? 0;
        const from = start;
        start += count;
        outcomes[index] = answer.then((outcome) =>
          // One bad request must not spoil those that travelled with it.
          outcome.kind === "refused" && group.indexes.length > 1
            ? this.#post(JSON.stringify(one), timeoutMs)
            : share(outcome, one, from, count, group.resources.length),
        );
      }
    }
    return outcomes;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post(body: string, timeoutMs: number): Promise<Outcome> {
    return (await this.ask(CHECK_PATH, body, timeoutMs, isCheckResponse)) as Outcome;
  }

  /** Posts one body to `path`; an answer that `isResponse` does not know is none. Never rejects. */
  ask(
    path: string,
    body: string,
    timeoutMs: number,
    isResponse: (fields: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Outcome<unknown>> {
    return new Promise((resolve) => {
      const call = request(
        {
          ...this.#address.target,
          agent: this.#agent,
          method: "POST",
          path,
          headers: {
            ...this.#options.headers,
            "Content-Type": "application/json",
            "Content-Length": Buffer.byteLength(body),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on("data", (chunk: Buffer) => {
            size += chunk.byteLength;
            if (size > MAX_RESPONSE) call.destroy(new Error("the response is too large"));
            else chunks.push(chunk);
          });
          response.on("end", () => {
            clearTimeout(timer);
            const retryAfter = Number(response.headers["retry-after"]);
            const reply = {
              status: response.statusCode ?? 0,
              text: Buffer.concat(chunks).toString("utf8"),
              retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined,
            };
            resolve(readReply(reply, isResponse));
          });
          response.on("error", (error) => resolve(unavailable(error.message)));
        },
      );
      const timer = setTimeout(() => call.destroy(new Error("no answer in time")), timeoutMs);
      call.on("error", (error) => {
        clearTimeout(timer);
        resolve(unavailable(error.message));
      });
      call.end(body);
    });
  }
}

function isCheckResponse(fields: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(fields["results"]);
}

/** Groups of requests that can travel as one; equal is judged by their text. */
function groupRequests(requests: readonly CheckRequest[], maxResources: number): readonly Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const [index, one] of requests.entries()) {
    const { resources, requestId: _, ...rest } = one;
    const key = requests.length === 1 ? "" : JSON.stringify(rest);
    const group = open.get(key);
    if (group !== undefined && group.resources.length + resources.length <= maxResources) {
      group.indexes.push(index);
      group.resources.push(...resources);
      continue;
    }
    const fresh: Group = { indexes: [index], resources: [...resources], first: one };
    open.set(key, fresh);
    groups.push(fresh);
  }
  return groups;
}

/** One request's part of a group's outcome. */
function share(
  outcome: Outcome,
  one: CheckRequest | undefined,
  from: number,
  count: number,
  total: number,
): Outcome {
  if (outcome.kind !== "response" || count === total) return outcome;
  const { response } = outcome;
  if (response.results.length !== total) return wrong();
  const { requestId: _, ...rest } = response;
  const results = response.results.slice(from, from + count);
  const id = one?.requestId === undefined ? {} : { requestId: one.requestId };
  return { kind: "response", response: { ...id, ...rest, results } };
}

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

function readReply(
  { status, text, retryAfterMs }: Reply,
  isResponse: (fields: Readonly<Record<string, unknown>>) => boolean,
): Outcome<unknown> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  if (status === 200) return isResponse(fields) ? { kind: "response", response: fields } : wrong();
  const message = `${status}: ${typeof fields["message"] === "string" ? fields["message"] : "no message"}`;
  if (status === 503 || status === 429) return unavailable(message, retryAfterMs);
  if (status >= 400 && status < 500) return { kind: "refused", message };
  return { kind: "unavailable", message, isFinal: true };
}

function wrong(): Outcome<never> {
  return { kind: "unavailable", message: "the server's answer is no decision", isFinal: true };
}
