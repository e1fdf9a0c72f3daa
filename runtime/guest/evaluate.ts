/** AuthZEN evaluations given as objects, for the library: bytes in and out of an engine, and what their tokens take. */
import {
  FLAG_EVALUATION,
  FLAG_EVALUATIONS,
  FORMAT_JSON,
  STATUS_AUX_DATA,
  STATUS_OK,
} from "../../assembly/abi.ts";
import { type EngineError, RequestError, TokenError } from "../errors.ts";
import { decideSeparately, separate, type SeparateDecider } from "../request/separate-evaluations.ts";
import type {
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsRequest,
  EvaluationsResponse,
} from "./authzen-messages.ts";

/** What evaluating needs of an engine. */
export interface EvaluatingEngine extends SeparateDecider {
  readonly tokensDiffer: boolean;
  rememberedClaims(bytes: Uint8Array, format: number, flags: number): Uint8Array | null;
  verifyTokens(bytes: Uint8Array, format: number, flags: number): Promise<Uint8Array>;
  failure(status: number, bytes: Uint8Array, format: number): RequestError | EngineError;
}

const NOTHING = new Uint8Array(0);

/** Decides one. Throws `RequestError`, also for tokens that are not verified yet, and `EngineError`. */
export function evaluateOne(engine: EvaluatingEngine, request: EvaluationRequest): EvaluationResponse {
  return decoded(decideNow(engine, encode(request), FLAG_EVALUATION)) as EvaluationResponse;
}

/** Decides many. Throws as `evaluateOne` does; what is wrong with an item is in its decision. */
export function evaluateMany(engine: EvaluatingEngine, request: EvaluationsRequest): EvaluationsResponse {
  return asMany(decoded(decideNow(engine, encode(request), FLAG_EVALUATIONS)));
}

/** As `evaluateOne`, for requests that may carry tokens. */
export async function evaluateOneAsync(
  engine: EvaluatingEngine,
  request: EvaluationRequest,
): Promise<EvaluationResponse> {
  return decoded(await decideLater(engine, encode(request), FLAG_EVALUATION)) as EvaluationResponse;
}

/** As `evaluateMany`, for requests that may carry tokens. */
export async function evaluateManyAsync(
  engine: EvaluatingEngine,
  request: EvaluationsRequest,
): Promise<EvaluationsResponse> {
  return asMany(decoded(await decideLater(engine, encode(request), FLAG_EVALUATIONS)));
}

function decideNow(engine: EvaluatingEngine, bytes: Uint8Array, flags: number): Uint8Array {
  const status = engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, flags);
  if (status !== STATUS_AUX_DATA) return outcome(engine, status, bytes);
  const areMany = flags === FLAG_EVALUATIONS && engine.tokensDiffer;
  const claims = areMany ? null : engine.rememberedClaims(bytes, FORMAT_JSON, flags);
  if (claims !== null) {
    return outcome(engine, engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, flags, claims), bytes);
  }
  throw new RequestError(
    "EDICT_REQUEST_AUX_DATA",
    `the tokens of the request have to be verified, use \`${flags === FLAG_EVALUATION ? "evaluateAsync" : "evaluateAllAsync"}\``,
    "context",
  );
}

async function decideLater(engine: EvaluatingEngine, bytes: Uint8Array, flags: number): Promise<Uint8Array> {
  const status = engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, flags);
  if (status !== STATUS_AUX_DATA) return outcome(engine, status, bytes);
  let claims: Uint8Array = NOTHING;
  let isSeparate = flags === FLAG_EVALUATIONS && engine.tokensDiffer;
  if (!isSeparate) {
    try {
      claims = await engine.verifyTokens(bytes, FORMAT_JSON, flags);
    } catch (error) {
      // Of several evaluations only those fail that bring a token which is not accepted.
      isSeparate = flags === FLAG_EVALUATIONS && error instanceof TokenError;
      if (!isSeparate) throw error;
    }
  }
  if (!isSeparate)
    return outcome(engine, engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, flags, claims), bytes);
  const items = await separate(engine, bytes, FORMAT_JSON);
  const decided = decideSeparately(engine, items, FORMAT_JSON, FORMAT_JSON);
  return typeof decided === "number" ? outcome(engine, decided, bytes) : decided;
}

/** The response, or what the status means, thrown. */
function outcome(engine: EvaluatingEngine, status: number, bytes: Uint8Array): Uint8Array {
  if (status === STATUS_OK) return engine.output();
  throw engine.failure(status, bytes, FORMAT_JSON);
}

/** Without items the guest answers as to a single evaluation. */
function asMany(response: unknown): EvaluationsResponse {
  if (typeof response === "object" && response !== null && "evaluations" in response) {
    return response as EvaluationsResponse;
  }
  return { evaluations: [response as EvaluationResponse] };
}

function decoded(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder().decode(bytes));
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
