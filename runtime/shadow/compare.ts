/**
 * Compares what two versions decide about one request, and says why where they differ. Both decide at the same moment, so a
 * difference is one of the policies, not of the clock. Used for live traffic (shadow-tap.ts) and offline (`edict diff`); nobody is
 * ever answered from here.
 */
import { createHash } from "node:crypto";
import { Unpackr } from "msgpackr";
import { FORMAT_JSON, STATUS_OK } from "../../assembly/abi.ts";
import { EdictError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import type { ActionExplanation } from "../guest/explain.ts";
import type { CheckRequest, CheckResponse, Effect, Json } from "../guest/messages.ts";
import { oneLine } from "../guest/modules.ts";
import type { DecidedBy, DecisionChange } from "./decision-change.ts";

/** A request as it arrived. */
export interface RecordedRequest {
  readonly bytes: Uint8Array;
  /** FORMAT_*. */
  readonly format: number;
  /** The claims of its tokens, as `Engine.decide` takes them; empty without. */
  readonly claims: Uint8Array;
}

/** A decision that comes out differently, not explained yet. */
export interface Difference {
  /** Position in `resources`. */
  readonly resource: number;
  readonly kind: string;
  readonly id: string;
  readonly action: string;
  readonly old: Effect;
  readonly new: Effect;
}

export interface Comparison {
  /** Decisions that were compared. */
  readonly decisions: number;
  readonly differences: readonly Difference[];
  /** Why a version decided nothing; everything counts as denied by it then. */
  readonly oldError: string | null;
  readonly newError: string | null;
}

/** The end of a JSON response that differs from one answer to the next: the call id's 26 characters, `"` and `}`. */
const UNIQUE_TAIL = 28;

/** Most differences of one request that are explained. */
const MAX_EXPLAINED = 20;

const SAME: readonly Difference[] = [];
const unpackr = new Unpackr({ useRecords: false, int64AsType: "number" });

/** Decides `request` by both versions. Does not throw. */
export function compareDecisions(live: Engine, candidate: Engine, request: RecordedRequest): Comparison {
  const before = live.unobserved(() => decide(live, request));
  const after = candidate.unobserved(() => decide(candidate, request));
  if (before.bytes !== null && after.bytes !== null && sameButForIds(before.bytes, after.bytes)) {
    return { decisions: before.decisions, differences: SAME, oldError: null, newError: null };
  }
  // Refused by both, as a bad request is.
  if (before.bytes === null && after.bytes === null) {
    return { decisions: 0, differences: SAME, oldError: before.error, newError: after.error };
  }
  const differences = differencesOf(parse(before.bytes), parse(after.bytes));
  return {
    decisions: Math.max(before.decisions, after.decisions),
    differences,
    oldError: before.error,
    newError: after.error,
  };
}

/** Says which rules the differences come from. Asks both versions again, slowly; at most some of them are explained. */
export function explainDifferences(
  live: Engine,
  candidate: Engine,
  request: RecordedRequest,
  { differences, oldError, newError }: Comparison,
): readonly DecisionChange[] {
  const digest = createHash("sha256").update(request.bytes).digest("hex");
  const chosen = differences.slice(0, MAX_EXPLAINED);
  const wanted = [...new Set(chosen.map(({ resource }) => resource))];
  const explain = (engine: Engine): ReadonlyMap<number, readonly ActionExplanation[]> =>
    engine.unobserved(() => explanations(engine, request, wanted));
  const before = oldError === null ? explain(live) : null;
  const after = newError === null ? explain(candidate) : null;
  return chosen.map((one) => ({
    request: digest,
    kind: one.kind,
    id: one.id,
    action: one.action,
    old: decidedBy(one.old, oldError, before?.get(one.resource), one.action),
    new: decidedBy(one.new, newError, after?.get(one.resource), one.action),
  }));
}

/** A line for people and programs: keys in a fixed order. */
export function changeLine(change: DecisionChange): string {
  return JSON.stringify(change);
}

interface Decided {
  /** A JSON response, valid until the engine is asked again; null when there is none. */
  readonly bytes: Uint8Array | null;
  readonly decisions: number;
  readonly error: string | null;
}

function decide(engine: Engine, { bytes, format, claims }: RecordedRequest): Decided {
  try {
    const status = engine.decide(bytes, format, FORMAT_JSON, 0, claims);
    if (status === STATUS_OK) {
      return { bytes: engine.output(), decisions: engine.partFacts().decisions, error: null };
    }
    return { bytes: null, decisions: 0, error: engine.failure(status, bytes, format).message };
  } catch (error) {
    return { bytes: null, decisions: 0, error: error instanceof EdictError ? error.message : oneLine(error) };
  }
}

/** Whether two responses are equal up to the call id at their end. */
function sameButForIds(one: Uint8Array, other: Uint8Array): boolean {
  const length = one.byteLength - UNIQUE_TAIL;
  return (
    one.byteLength === other.byteLength &&
    length > 0 &&
    Buffer.compare(one.subarray(0, length), other.subarray(0, length)) === 0
  );
}

function parse(bytes: Uint8Array | null): CheckResponse | null {
  return bytes === null ? null : (JSON.parse(new TextDecoder().decode(bytes)) as CheckResponse);
}

/** Answers keep the order of the request, so results belong together by position. */
function differencesOf(before: CheckResponse | null, after: CheckResponse | null): Difference[] {
  const known = before ?? after;
  return (known?.results ?? []).flatMap(({ resource: { kind, id }, actions }, resource) =>
    Object.keys(actions).flatMap((action) => {
      const [old, next] = [before, after].map(
        (response) => response?.results[resource]?.actions[action] ?? "EFFECT_DENY",
      ) as [Effect, Effect];
      return old === next ? [] : [{ resource, kind, id, action, old, new: next }];
    }),
  );
}

/** What led to the decisions about some resources of a request; nothing when that cannot be found out. */
function explanations(
  engine: Engine,
  { bytes, format, claims }: RecordedRequest,
  wanted: readonly number[],
): ReadonlyMap<number, readonly ActionExplanation[]> {
  const found = new Map<number, readonly ActionExplanation[]>();
  try {
    const whole = (
      format === FORMAT_JSON
        ? JSON.parse(new TextDecoder().decode(bytes))
        : unpackr.unpack(Buffer.from(bytes))
    ) as CheckRequest;
    const given =
      claims.byteLength === 0
        ? null
        : (JSON.parse(new TextDecoder().decode(claims)) as Readonly<Record<string, Json>>);
    const resources = wanted.flatMap((index) => whole.resources[index] ?? []);
    const { results } = engine.examine({ ...whole, resources }, given).explain();
    for (const [position, index] of wanted.entries()) found.set(index, results[position]?.actions ?? []);
  } catch {
    // A msgpack body may hold what JSON cannot say. The decision is reported without its rule then.
  }
  return found;
}

function decidedBy(
  effect: Effect,
  error: string | null,
  explained: readonly ActionExplanation[] | undefined,
  action: string,
): DecidedBy {
  const one = explained?.find((explanation) => explanation.action === action);
  const rule = one?.rule?.rule ?? null;
  return {
    effect,
    policy: one === undefined || one.matchedPolicy === "NO_MATCH" ? null : one.matchedPolicy,
    rule: rule === null ? null : rule.name,
    place: rule === null ? null : `${rule.place.file}:${rule.place.line}`,
    error,
  };
}
