/**
 * Small requests that arrive in the same turn of the event loop, decided together at its end. Reading, deciding and writing
 * each run more code than the processor's first cache holds; done one after the other for every request they push each
 * other out, done in three loops they do not (bench/RESULTS.md, ARCHITECTURE.md).
 *
 * uWebSockets.js closes a connection on which it reads another request while one is unanswered, so a client that pipelines
 * must be answered within the read. Requests are therefore gathered only while many connections are busy, and never again
 * once that has cost a client its connection.
 */
// The global of this name is a getter, called anew every time.
import { performance } from "node:perf_hooks";
import { MOST_BODIES, STATUS_OK } from "../../assembly/abi.ts";
import { BodyTable } from "../guest/body-table.ts";
import { log } from "../observe/log.ts";
import type { HttpResponse } from "./uws.ts";

const KIB = 1024;

/** Longest body that is gathered, in bytes: one that takes longer to decide gains nothing. */
export const MAX_GATHERED = 16 * KIB;

/** What can wait at most; the rest of a turn is answered at once. */
const MAX_WAITING = 256;
const BODIES_CAPACITY = 512 * KIB;
const ANSWERS_CAPACITY = 512 * KIB;

const NOTHING = new Uint8Array(0);

/** Requests that take longer together than so many milliseconds are better shed one by one when there are too many (load-gate.ts). */
const LONG = 10;

/** While nothing is gathered, one turn is counted per so many requests. */
const PROBE_STRIDE = 64;

/** Gathering begins after so many counted turns in a row with so many requests, and ends after the same with fewer. */
const BUSY_REQUESTS = 3;
const BUSY_TURNS = 4;
const QUIET_TURNS = 64;

/** What the route does with gathered requests. */
export interface TurnHandler {
  /** Called before each turn's decisions and before each answer: what differs between two calls is not of one version. */
  version(): unknown;
  /**
   * Decides `count` bodies at once, as `table` says; all responses, a view valid until the next call. Null when they have to be decided one
   * by one. Must not throw.
   */
  decideAll(table: BodyTable, bodies: Uint8Array, count: number): Uint8Array | null;
  /** The response, a view valid until the next call; null when there is more to say than a decision. Must not throw. */
  decide(bytes: Uint8Array, input: number, output: number): Uint8Array | null;
  /** Writes a response made by `decide`, with further header `lines`; inside a cork. */
  write(res: HttpResponse, body: Uint8Array, output: number, lines: string): void;
  /** Decides and answers a request on its own; inside a cork. */
  answer(res: HttpResponse, bytes: Uint8Array, input: number, output: number, lines: string): void;
  /** A gathered request was answered, or its client is gone. */
  settled(): void;
}

/** A gathered request; used again for others. */
export interface Waiting {
  /** Null once it is answered or its client is gone. */
  response: HttpResponse | null;
  start: number;
  length: number;
  input: number;
  output: number;
  lines: string;
  /** From the first byte of all answers that were decided with it. */
  answerStart: number;
  /** -1 when there is more to say than a decision. */
  answerLength: number;
}

export class Turn {
  readonly #handler: TurnHandler;
  readonly #waiting: readonly Waiting[] = Array.from({ length: MAX_WAITING }, emptyWaiting);
  readonly #bodies = new Uint8Array(BODIES_CAPACITY);
  /** Answers of requests that are decided one by one. */
  #answers: Uint8Array<ArrayBuffer> | null = null;
  readonly #table = new BodyTable();
  readonly #finish = (): void => this.#end();
  readonly #writeCurrent = (): void => this.#write();
  readonly #answerCurrent = (): void => this.#answer();
  #count = 0;
  #bodiesLength = 0;
  #current: Waiting | null = null;
  /** Where the answers that are being written lie. */
  #decided: Uint8Array = NOTHING;
  #version: unknown = null;
  #scheduled = false;
  #isGathering = false;
  #mayGather = true;
  /** Requests of this turn, while they are gathered. */
  #arrived = 0;
  #untilProbe = PROBE_STRIDE;
  #isProbing = false;
  /** Turns in a row that speak for a change. */
  #turns = 0;

  constructor(handler: TurnHandler) {
    this.#handler = handler;
  }

  /** Takes a request over, or returns null: then it has to be answered now. `chunk` is copied. */
  gather(
    res: HttpResponse,
    chunk: ArrayBuffer,
    input: number,
    output: number,
    lines: string,
  ): Waiting | null {
    if (!this.#isGathering) {
      this.#probe();
      return null;
    }
    this.#arrived++;
    const length = chunk.byteLength;
    const waiting = this.#waiting[this.#count];
    // Answers are never written from here: inside the read of one connection another cannot be corked.
    if (waiting === undefined || length > MAX_GATHERED || this.#bodiesLength + length > BODIES_CAPACITY)
      return null;
    this.#count++;
    this.#bodies.set(new Uint8Array(chunk), this.#bodiesLength);
    waiting.response = res;
    waiting.start = this.#bodiesLength;
    waiting.length = length;
    waiting.input = input;
    waiting.output = output;
    waiting.lines = lines;
    this.#bodiesLength += length;
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#finish);
    }
    return waiting;
  }

  /** The connection of `res` was closed. That happens to a request that waits only when its client had sent more behind it. */
  drop(waiting: Waiting, res: HttpResponse): void {
    if (waiting.response !== res) return;
    waiting.response = null;
    this.#handler.settled();
    if (!this.#mayGather) return;
    this.#mayGather = false;
    this.#isGathering = false;
    log(
      "a client sends requests without waiting for answers: requests are answered one at a time from now on",
    );
  }

  /** The end of the turn. */
  #end(): void {
    this.#scheduled = false;
    const started = performance.now();
    this.#settle();
    if (performance.now() - started > LONG) this.#isGathering = false;
    this.#turns = this.#arrived < BUSY_REQUESTS ? this.#turns + 1 : 0;
    this.#arrived = 0;
    if (this.#isGathering && this.#turns < QUIET_TURNS) return;
    this.#isGathering = false;
    this.#turns = 0;
  }

  /**
   * Decides and answers what waits. Answers go from guest memory to the socket before anything else is decided; what has more to say than a
   * decision comes last, because the guest is asked again for it.
   */
  #settle(): void {
    const count = this.#count;
    for (let first = 0; first < count; first += MOST_BODIES) {
      const end = Math.min(count, first + MOST_BODIES);
      this.#version = this.#handler.version();
      this.#decided = this.#decideTogether(first, end) ?? this.#decideEach(first, end);
      for (let index = first; index < end; index++) {
        const waiting = this.#waiting[index];
        if (waiting !== undefined && waiting.answerLength >= 0) this.#corked(waiting, this.#writeCurrent);
      }
    }
    this.#decided = NOTHING;
    this.#version = null;
    for (let index = 0; index < count; index++) {
      const waiting = this.#waiting[index];
      if (waiting !== undefined) this.#corked(waiting, this.#answerCurrent);
    }
    this.#current = null;
    this.#count = 0;
    this.#bodiesLength = 0;
  }

  /** Calls `write` for a request that is not answered, inside its cork. */
  #corked(waiting: Waiting, write: () => void): void {
    const { response } = waiting;
    if (response === null) return;
    this.#current = waiting;
    response.cork(write);
  }

  /** Decides what waits from `first` up to `end` in one call: where the answers lie; null when that is not possible. */
  #decideTogether(first: number, end: number): Uint8Array | null {
    const from = this.#waiting[first]?.start ?? 0;
    let to = from;
    for (let index = first; index < end; index++) {
      const waiting = this.#waiting[index];
      if (waiting === undefined) return null;
      const { response, start, length, input, output } = waiting;
      // An empty body is refused: nothing is decided for a client that is gone.
      this.#table.place(index - first, start - from, response === null ? 0 : length, input, output);
      to = start + length;
    }
    const all = this.#handler.decideAll(this.#table, this.#bodies.subarray(from, to), end - first);
    if (all === null) return null;
    for (let index = first; index < end; index++) {
      const waiting = this.#waiting[index];
      if (waiting === undefined) continue;
      const isDecided = this.#table.status(index - first) === STATUS_OK;
      waiting.answerStart = this.#table.responseStart(index - first);
      waiting.answerLength = isDecided ? this.#table.responseLength(index - first) : -1;
    }
    return all;
  }

  /** Decides what waits from `first` up to `end`, one after the other: where the answers lie. */
  #decideEach(first: number, end: number): Uint8Array {
    const answers = (this.#answers ??= new Uint8Array(ANSWERS_CAPACITY));
    let length = 0;
    for (let index = first; index < end; index++) {
      const waiting = this.#waiting[index];
      if (waiting === undefined) continue;
      waiting.answerLength = -1;
      if (waiting.response === null) continue;
      const bytes = this.#bodies.subarray(waiting.start, waiting.start + waiting.length);
      const answer = this.#handler.decide(bytes, waiting.input, waiting.output);
      if (answer === null || length + answer.byteLength > ANSWERS_CAPACITY) continue;
      answers.set(answer, length);
      waiting.answerStart = length;
      waiting.answerLength = answer.byteLength;
      length += answer.byteLength;
    }
    return answers;
  }

  /** Writes a decided answer. */
  #write(): void {
    const waiting = this.#current;
    // Another thread may have gone on to another version, after which no answer may come from the old one.
    if (waiting === null || this.#handler.version() !== this.#version) return;
    const { response, answerStart, answerLength, output, lines } = waiting;
    if (response === null) return;
    waiting.response = null;
    this.#handler.settled();
    const { buffer, byteOffset } = this.#decided;
    const body = new Uint8Array(buffer, byteOffset + answerStart, answerLength);
    this.#handler.write(response, body, output, lines);
  }

  /** Decides and answers a request on its own. */
  #answer(): void {
    const waiting = this.#current;
    if (waiting === null || waiting.response === null) return;
    const { response, start, length, input, output, lines } = waiting;
    waiting.response = null;
    this.#handler.settled();
    this.#handler.answer(response, this.#bodies.subarray(start, start + length), input, output, lines);
  }

  /** Now and then counts the requests of a turn, from the present one on. */
  #probe(): void {
    if (this.#isProbing) {
      this.#arrived++;
      return;
    }
    if (--this.#untilProbe > 0 || !this.#mayGather) return;
    this.#untilProbe = PROBE_STRIDE;
    this.#isProbing = true;
    this.#arrived = 1;
    setImmediate(() => {
      this.#turns = this.#arrived >= BUSY_REQUESTS ? this.#turns + 1 : 0;
      this.#isProbing = false;
      this.#arrived = 0;
      if (this.#turns < BUSY_TURNS) return;
      this.#isGathering = this.#mayGather;
      this.#turns = 0;
    });
  }
}

function emptyWaiting(): Waiting {
  return {
    response: null,
    start: 0,
    length: 0,
    input: 0,
    output: 0,
    lines: "",
    answerStart: 0,
    answerLength: -1,
  };
}
