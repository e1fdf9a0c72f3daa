/**
 * The client: asks a daemon and fails closed. Calls made in the same tick travel together; a call that the daemon sheds or a lost
 * connection interrupts is made again, within its deadline. Without a decision the answer is DENY with a reason, or an error,
 * as chosen; never ALLOW.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckRequest, CheckResponse, CheckResult, Effect } from "../guest/messages.ts";
import { type Address, clientAddress } from "./address.ts";
import { ClientError } from "./errors.ts";
import { HttpTransport } from "./http-transport.ts";
import { StreamTransport } from "./stream-transport.ts";
import type { Outcome, Transport } from "./transport.ts";

export interface ClientOptions {
  /** How requests travel; `http` unless told. */
  readonly transport?: "http" | "stream";
  /** Milliseconds until a call is given up, tries included; 1,000 unless told. */
  readonly timeoutMs?: number;
  /** How often a call is made again at most; 3 unless told. */
  readonly retries?: number;
  /** What a call without a decision comes to: every action denied, or a `ClientError`. `deny` unless told. */
  readonly onUnavailable?: "deny" | "throw";
  /** HTTP connections at most; 16 unless told. */
  readonly connections?: number;
  /** The daemon's limit, for putting calls together; 50 unless told. */
  readonly maxResourcesPerRequest?: number;
  /** Further headers of HTTP requests. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A daemon's response, or the denial that stands in for it. */
export interface ClientResponse extends CheckResponse {
  /** Why nobody decided; then every action is denied. */
  readonly unavailable?: string;
}

/** One question: may this principal do this? */
export interface ActionRequest {
  readonly principal: CheckRequest["principal"];
  readonly resource: CheckRequest["resources"][number]["resource"];
  readonly action: string;
  readonly auxData?: NonNullable<CheckRequest["auxData"]>;
}

interface Call {
  readonly request: CheckRequest;
  readonly resolve: (outcome: Outcome) => void;
}

/** Milliseconds before the first repetition; doubled for each further one, and a random part of it waited. */
const BACKOFF_MS = 25;

const DENY: Effect = "EFFECT_DENY";

export class Client {
  readonly #transport: Transport;
  readonly #options: Required<ClientOptions>;
  #calls: Call[] = [];
  #closed = false;

  /** `address` is `http://host:port` or `unix:/path`. Connects with the first call. Throws `TypeError`. */
  constructor(address: string, options: ClientOptions = {}) {
    this.#options = {
      transport: "http",
      timeoutMs: 1000,
      retries: 3,
      onUnavailable: "deny",
      connections: 16,
      maxResourcesPerRequest: 50,
      headers: {},
      ...options,
    };
    this.#transport = transportTo(clientAddress(address), this.#options);
  }

  /** Decides about actions on resources. Rejects with `ClientError` for a request that the PDP refuses. */
  async check(request: CheckRequest): Promise<ClientResponse> {
    const deadline = performance.now() + this.#options.timeoutMs;
    let reason = "no answer in time";
    for (let attempt = 0; attempt <= this.#options.retries; attempt++) {
      if (this.#closed) throw new ClientError("EDICT_CLIENT_CLOSED", "the client is closed");
      const outcome = await this.#ask(request, deadline);
      if (outcome.kind === "refused") throw new ClientError("EDICT_CLIENT_REQUEST", outcome.message);
      if (outcome.kind === "response") {
        if (answers(outcome.response, request)) return outcome.response;
        reason = "the server's answer is not about what was asked";
        break;
      }
      reason = outcome.message;
      if (outcome.isFinal) break;
      const least = outcome.retryAfterMs ?? 0;
      const left = deadline - performance.now();
      if (attempt === this.#options.retries || least >= left) break;
      // Never all at once: what a server sheds in one moment must not come back in one moment.
      const jitter = Math.random() * Math.max(BACKOFF_MS * 2 ** attempt, least / 2);
      await sleep(Math.min(least + jitter, (least + left) / 2));
    }
    if (this.#options.onUnavailable === "throw") throw new ClientError("EDICT_CLIENT_UNAVAILABLE", reason);
    return denial(request, reason);
  }

  /** Decides many requests; they travel together. */
  checkMany(requests: readonly CheckRequest[]): Promise<ClientResponse[]> {
    return Promise.all(requests.map((request) => this.check(request)));
  }

  /** Whether one action is allowed; anything but an ALLOW is false. */
  async isAllowed({ principal, resource, action, auxData }: ActionRequest): Promise<boolean> {
    const request = { principal, resources: [{ resource, actions: [action] }] };
    const response = await this.check(auxData === undefined ? request : { ...request, auxData });
    const actions = response.results[0]?.actions ?? {};
    return Object.hasOwn(actions, action) && actions[action] === "EFFECT_ALLOW";
  }

  /** Closes connections; calls in flight end without a decision. */
  close(): void {
    this.#closed = true;
    this.#transport.close();
  }

  /** Joins the calls of this tick. */
  #ask(request: CheckRequest, deadline: number): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#calls.push({ request, resolve });
      if (this.#calls.length > 1) return;
      // After the microtasks, so that calls behind an `await` that is due join too.
      setImmediate(() => {
        const calls = this.#calls;
        this.#calls = [];
        const left = Math.max(1, deadline - performance.now());
        const outcomes = this.#transport.send(
          calls.map((call) => call.request),
          left,
        );
        for (const [index, call] of calls.entries()) void outcomes[index]?.then(call.resolve);
      });
    });
  }
}

function transportTo(address: Address, options: Required<ClientOptions>): Transport {
  return options.transport === "stream" ? new StreamTransport(address) : new HttpTransport(address, options);
}

/** Whether a response is about the resources that were asked for, in their order. */
function answers(response: CheckResponse, request: CheckRequest): boolean {
  return (
    response.results.length === request.resources.length &&
    request.resources.every(({ resource }, index) => {
      const found: CheckResult | undefined = response.results[index];
      return found?.resource.id === resource.id && found.resource.kind === resource.kind;
    })
  );
}

function denial(request: CheckRequest, reason: string): ClientResponse {
  return {
    ...(request.requestId === undefined ? {} : { requestId: request.requestId }),
    results: request.resources.map(({ resource, actions }) => ({
      resource: { id: resource.id, kind: resource.kind },
      actions: Object.fromEntries(actions.map((action) => [action, DENY])),
    })),
    cerbosCallId: "",
    unavailable: reason,
  };
}
