/**
 * The client: asks a daemon and fails closed. Calls made in the same tick travel together; a call that the daemon sheds or a lost
 * connection interrupts is made again, within its deadline. Without a decision the answer is DENY with a reason, or an error,
 * as chosen; never ALLOW.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CheckRequest, CheckResponse, CheckResult, Effect } from "../guest/messages.ts";
import type {
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsRequest,
  EvaluationsResponse,
} from "../guest/authzen-messages.ts";
import { clientAddress } from "./address.ts";
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
  /** Further headers of HTTP requests and of the stream's handshake, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A daemon's response, or the denial that stands in for it. */
export interface ClientResponse extends CheckResponse {
  /** Why nobody decided; then every action is denied. */
  readonly unavailable?: string;
}

/** A daemon's answer to an AuthZEN evaluation, or the denial that stands in for it. */
export interface ClientEvaluation extends EvaluationResponse {
  /** Why nobody decided. */
  readonly unavailable?: string;
}

/** The same for evaluations. */
export interface ClientEvaluations extends EvaluationsResponse {
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

const EVALUATION_PATH = "/access/v1/evaluation";
const EVALUATIONS_PATH = "/access/v1/evaluations";

type Fields = Readonly<Record<string, unknown>>;

export class Client {
  /** For checks. */
  readonly #transport: Transport;
  /** For everything else; connects when it is used. */
  readonly #http: HttpTransport;
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
    const target = clientAddress(address);
    this.#http = new HttpTransport(target, this.#options);
    this.#transport =
      this.#options.transport === "stream" ? new StreamTransport(target, this.#options.headers) : this.#http;
  }

  /** Decides about actions on resources. Rejects with `ClientError` for a request that the PDP refuses. */
  async check(request: CheckRequest): Promise<ClientResponse> {
    const found = await this.#repeat((deadline) => this.#ask(request, deadline));
    if (typeof found === "string") return denial(request, found);
    if (answers(found, request)) return found;
    return denial(request, this.#unavailable("the server's answer is not about what was asked"));
  }

  /** Answers an AuthZEN evaluation, over HTTP whatever the transport. Rejects as `check` does; without a decision it is false. */
  async evaluate(request: EvaluationRequest): Promise<ClientEvaluation> {
    const found = await this.#repeat((deadline) =>
      this.#post<EvaluationResponse>(EVALUATION_PATH, request, deadline, isDecision),
    );
    return typeof found === "string" ? { decision: false, unavailable: found } : found;
  }

  /** Answers AuthZEN evaluations in one request; without decisions all of them are false. */
  async evaluateAll(request: EvaluationsRequest): Promise<ClientEvaluations> {
    const { evaluations, options } = request;
    // Without items the question is a single one, and so is the answer.
    if (evaluations.length === 0) {
      const single = await this.evaluate(request as EvaluationRequest);
      return { evaluations: [single] };
    }
    const isAll = (options?.evaluations_semantic ?? "execute_all") === "execute_all";
    const areDecisions = (fields: Fields): boolean => {
      const given = fields["evaluations"];
      if (!Array.isArray(given) || !given.every(isDecision)) return false;
      return isAll
        ? given.length === evaluations.length
        : given.length > 0 && given.length <= evaluations.length;
    };
    const found = await this.#repeat((deadline) =>
      this.#post<EvaluationsResponse>(EVALUATIONS_PATH, request, deadline, areDecisions),
    );
    if (typeof found !== "string") return found;
    return { evaluations: evaluations.map(() => ({ decision: false })), unavailable: found };
  }

  /** Asks until there is a response; the reason when there is none. Throws what `onUnavailable` and refusals ask for. */
  async #repeat<Response>(ask: (deadline: number) => Promise<Outcome<Response>>): Promise<Response | string> {
    const deadline = performance.now() + this.#options.timeoutMs;
    let reason = "no answer in time";
    for (let attempt = 0; attempt <= this.#options.retries; attempt++) {
      if (this.#closed) throw new ClientError("EDICT_CLIENT_CLOSED", "the client is closed");
      const outcome = await ask(deadline);
      if (outcome.kind === "refused") throw new ClientError("EDICT_CLIENT_REQUEST", outcome.message);
      if (outcome.kind === "response") return outcome.response;
      reason = outcome.message;
      if (outcome.isFinal) break;
      const least = outcome.retryAfterMs ?? 0;
      const left = deadline - performance.now();
      if (attempt === this.#options.retries || least >= left) break;
      // Never all at once: what a server sheds in one moment must not come back in one moment.
      const jitter = Math.random() * Math.max(BACKOFF_MS * 2 ** attempt, least / 2);
      await sleep(Math.min(least + jitter, (least + left) / 2));
    }
    return this.#unavailable(reason);
  }

  /** The reason, or thrown when the client is to throw. */
  #unavailable(reason: string): string {
    if (this.#options.onUnavailable === "throw") throw new ClientError("EDICT_CLIENT_UNAVAILABLE", reason);
    return reason;
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
    this.#http.close();
  }

  #post<Response>(
    path: string,
    request: object,
    deadline: number,
    isResponse: (fields: Fields) => boolean,
  ): Promise<Outcome<Response>> {
    const left = Math.max(1, deadline - performance.now());
    return this.#http.ask(path, JSON.stringify(request), left, isResponse) as Promise<Outcome<Response>>;
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

function isDecision(value: unknown): boolean {
  return typeof value === "object" && value !== null && typeof (value as Fields)["decision"] === "boolean";
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
