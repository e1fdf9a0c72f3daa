/**
 * One page of a search: goes over candidates in order, in steps of about a millisecond, until it has one match more than the page holds, has
 * looked at as many as it may, or is at the end.
 */
import { RECORD_HEAD, recordLength, type RecordRun, wordAt } from "../directory/entity-table.ts";
import { EngineError } from "../errors.ts";
import type { Judge } from "./candidate-judge.ts";

/** Bytes of candidates of the first step, when nobody knows what one takes, and how few and how many a step may have. */
const FIRST_STEP = 2 * 1024;
const STEP_RANGE = [256, 512 * 1024] as const;

/** Milliseconds that a step should take. */
const STEP_TIME = 1;

/** Where candidates come from: a table, or a list. */
export interface Candidates {
  /** Bytes of a record on average. */
  readonly averageLength: number;
  /** Records from a position on, of at most `maxBytes` unless the first one has more; the last one may be cut. */
  span(position: number, maxBytes: number): RecordRun;
  /** Whether the record at a position still counts. */
  isCurrent(position: number, id: Uint8Array): boolean;
}

export interface WalkLimits {
  /** Matches of the page. */
  readonly limit: number;
  /** About as many are looked at. */
  readonly maxCandidates: number;
}

export class CandidateWalk {
  /** Ids of the matches. */
  readonly ids: string[] = [];
  readonly #candidates: Candidates;
  readonly #judge: Judge;
  readonly #limits: WalkLimits;
  #position: number;
  #looked = 0;
  #stepBytes = FIRST_STEP;
  #next: number | null = null;

  constructor(candidates: Candidates, position: number, judge: Judge, limits: WalkLimits) {
    this.#candidates = candidates;
    this.#position = position;
    this.#judge = judge;
    this.#limits = limits;
  }

  /** Where the next page begins; null when there is none. */
  get next(): number | null {
    return this.#next;
  }

  /** Does a step; true when the page is complete. Throws `RequestError` and `EngineError`. */
  step(): boolean {
    const began = performance.now();
    const left = (this.#limits.maxCandidates - this.#looked) * this.#candidates.averageLength;
    const run = this.#candidates.span(this.#position, Math.ceil(Math.min(this.#stepBytes, left)));
    if (run.bytes.byteLength === 0) return true;
    const judgement = this.#judge(run.bytes, this.#limits.limit + 1 - this.ids.length);
    if (judgement.kind === "failed") throw judgement.error;
    if (judgement.kind === "too-much") return this.#shrink(run);
    const { matches, searched } = judgement;
    if (searched === 0) throw new EngineError("EDICT_ENGINE_TRAP", "a search does not go on");
    for (let index = 0; index < matches.length; index++) {
      const offset = matches[index] ?? 0;
      const id = idAt(run.bytes, offset);
      if (!this.#candidates.isCurrent(run.address + offset, id)) continue;
      if (this.ids.length === this.#limits.limit) {
        this.#next = run.address + offset;
        return true;
      }
      this.ids.push(Buffer.from(id).toString("utf8"));
    }
    this.#looked += searched / this.#candidates.averageLength;
    return this.#goOn(run, searched, performance.now() - began);
  }

  /** After a step over `searched` bytes that took `elapsed` milliseconds. */
  #goOn(run: RecordRun, searched: number, elapsed: number): boolean {
    const isWhole = searched >= run.bytes.byteLength;
    this.#position = isWhole ? run.next : run.address + searched;
    if (isWhole && run.isLast) return true;
    if (this.#looked >= this.#limits.maxCandidates) {
      this.#next = this.#position;
      return true;
    }
    const factor = Math.min(4, Math.max(0.1, STEP_TIME / Math.max(elapsed, 0.01)));
    this.#resize(this.#stepBytes * factor);
    return false;
  }

  /** After a step that was too much: a smaller one, or past a candidate that is too much by itself. */
  #shrink(run: RecordRun): boolean {
    const first = recordLength(run.bytes, 0);
    if (run.bytes.byteLength > first) {
      this.#stepBytes = Math.max(1, Math.floor(run.bytes.byteLength / 2));
      return false;
    }
    this.#looked += first / this.#candidates.averageLength;
    this.#resize(FIRST_STEP);
    return this.#goOn(run, first, STEP_TIME);
  }

  #resize(bytes: number): void {
    this.#stepBytes = Math.min(STEP_RANGE[1], Math.max(STEP_RANGE[0], Math.floor(bytes)));
  }
}

function idAt(bytes: Uint8Array, offset: number): Uint8Array {
  const start = offset + RECORD_HEAD;
  return bytes.subarray(start, start + wordAt(bytes, offset));
}
