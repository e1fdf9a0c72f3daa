/**
 * Which of some candidates an engine permits: by a step of a search in the guest, or, where schemas may refuse attributes, by one evaluation
 * each. What cannot be decided within the budget of a request is not permitted.
 */
import {
  FLAG_EVALUATION,
  FORMAT_JSON,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import { RECORD_HEAD, recordLength, wordAt } from "../directory/entity-table.ts";
import type { EngineError, RequestError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import type { Searched } from "../guest/search-request.ts";

/** A search body, as the guest has accepted it. */
export interface JudgedBody {
  readonly searched: Searched;
  readonly bytes: Uint8Array;
  /** FORMAT_*. */
  readonly format: number;
  /** Claims of its tokens; empty for none. */
  readonly claims: Uint8Array;
  /** The same body as a value. */
  readonly question: Readonly<Record<string, unknown>>;
}

export type Judgement =
  | { readonly kind: "judged"; readonly matches: ArrayLike<number>; readonly searched: number }
  /** They are too much together; fewer may not be. */
  | { readonly kind: "too-much" }
  | { readonly kind: "failed"; readonly error: RequestError | EngineError; readonly status: number };

/** Judges candidates in order until `limit` of them are permitted; leaves a last one that is cut. */
export type Judge = (candidates: Uint8Array, limit: number) => Judgement;

/** The way an engine judges. */
export function judgeOf(engine: Engine, body: JudgedBody): Judge {
  const refuses = engine.enforcesSchemas && engine.options.schemaEnforcement === "reject";
  return refuses
    ? (candidates, limit) => byEvaluations(engine, body, candidates, limit)
    : (candidates, limit) => bySearch(engine, body, candidates, limit);
}

function bySearch(engine: Engine, body: JudgedBody, candidates: Uint8Array, limit: number): Judgement {
  const { searched, bytes, format, claims } = body;
  const answer = engine.searchChunk({ bytes, format, searched, candidates, limit, claims });
  if (answer.status === STATUS_OK) return { kind: "judged", ...answer };
  return failed(engine, answer.status, bytes, format);
}

function byEvaluations(engine: Engine, body: JudgedBody, candidates: Uint8Array, limit: number): Judgement {
  const { searched, claims, question } = body;
  const matches: number[] = [];
  let at = 0;
  for (; isWholeAt(candidates, at) && matches.length < limit; at += recordLength(candidates, at)) {
    const start = at + RECORD_HEAD;
    const id = Buffer.from(candidates.subarray(start, start + wordAt(candidates, at))).toString("utf8");
    const named = searched === "action" ? { name: id } : { type: typeOf(question[searched]), id };
    const bytes = Buffer.from(JSON.stringify({ ...question, [searched]: named }));
    const status = engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, FLAG_EVALUATION, claims);
    if (status === STATUS_OK) {
      const { decision } = JSON.parse(Buffer.from(engine.output()).toString("utf8")) as {
        readonly decision: unknown;
      };
      if (decision === true) matches.push(at);
      continue;
    }
    const judgement = failed(engine, status, bytes, FORMAT_JSON);
    if (judgement.kind === "failed") return judgement;
  }
  return { kind: "judged", matches, searched: at };
}

/** Whether there is a record and not only the beginning of one. */
function isWholeAt(candidates: Uint8Array, at: number): boolean {
  return at < candidates.byteLength && at + recordLength(candidates, at) <= candidates.byteLength;
}

/** What is searched for is a type: properties that the body gives it are those of no entity. */
function typeOf(value: unknown): unknown {
  return (value as { readonly type?: unknown }).type;
}

function failed(engine: Engine, status: number, bytes: Uint8Array, format: number): Judgement {
  if (status === STATUS_FUEL || status === STATUS_MEMORY || status === STATUS_OUTPUT_FULL) {
    return { kind: "too-much" };
  }
  return { kind: "failed", error: engine.failure(status, bytes, format), status };
}
