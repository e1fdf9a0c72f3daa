/**
 * One connection of `/v1/stream`: decides the frames of its messages and sends the answers. A client that does not read its
 * answers is not decided for: what it sends then waits, within a limit, and beyond it the connection is closed. Nothing is
 * buffered without bound: unsent answers and waiting messages are both counted against the budget that all connections share.
 */
import { pack } from "msgpackr";
import {
  FLAG_DENY_ALL,
  FORMAT_MSGPACK,
  STATUS_AUX_DATA,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import { TokenError, TokenOverloadError } from "../errors.ts";
import { type Engine, STATUS_TRAP } from "../guest/engine.ts";
import { oneLine } from "../guest/modules.ts";
import type { BatchPool } from "../batch/batch-pool.ts";
import type { SharedMemory } from "../batch/shared-memory.ts";
import { BodyBuffer, type BodyBudget } from "../http/body.ts";
import type { LoadGate } from "../http/load-gate.ts";
import {
  BATCHES_OVERLOADED,
  CHECK_FAILED,
  failureReply,
  OVERLOADED,
  type Reply,
  TOKENS_OVERLOADED,
  TOO_BUSY,
} from "../http/replies.ts";
import type { WebSocket } from "../http/uws.ts";
import { log, throttledLog } from "../observe/log.ts";
import { tooLarge } from "../request/describe.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { FrameReader, FrameWriter } from "./frames.ts";
import { WaitingMessages } from "./waiting-messages.ts";

/** Unsent bytes from which on a connection is not decided for, and those below which it is again. */
const PAUSE_ABOVE = 1024 * 1024;
const RESUME_BELOW = 256 * 1024;

/** Answers are sent when this many bytes of them are there, and at the end of a message. */
const SEND_ABOVE = 64 * 1024;

/** Most frames in one message, so that no message keeps the thread for long. */
export const MAX_FRAMES = 1024;

/** Most frames that the guest decides in one call, and most bytes that are copied for it: other requests may wait for as long. */
const FRAMES_AT_ONCE = 32;
const BYTES_AT_ONCE = 256 * 1024;

/** Most requests of one connection whose tokens are being verified. */
const MAX_VERIFYING = 64;

/** Most large requests of one connection that workers decide at a time; what comes after them waits. */
const MAX_LARGE = 8;

/** Close codes (RFC 6455 section 7.4.1). */
const GOING_AWAY = 1001;
const INVALID = 1007;
const POLICY = 1008;
const TRY_AGAIN_LATER = 1013;

const NOTHING = new Uint8Array(0);
const BUDGET_NOTE = { denyReason: "evaluation-budget" };

const logFailure = throttledLog(1000);

/** What the connections of one thread share. */
export interface StreamContext {
  readonly state: ServingState;
  readonly bodies: BodyBudget;
  readonly gate: LoadGate;
  readonly memory: SharedMemory;
  readonly batches: BatchPool;
  readonly connections: Set<StreamConnection>;
  /** Requests received but not answered. */
  inFlight: number;
}

const TOO_BUSY_PACKED = packError(TOO_BUSY);
const NO_WORKER_PACKED = packError(BATCHES_OVERLOADED);

// One of each is enough: a message is read and answered within one turn.
const reader = new FrameReader();
const writer = new FrameWriter();

export class StreamConnection {
  readonly #context: StreamContext;
  readonly #socket: WebSocket;
  #heardAt: number;
  /** The version of the last notice. */
  #announced: Engine | null = null;
  #open = true;
  #draining = false;
  #paused = false;
  #verifying = 0;
  /** What cancels the large requests that workers decide. */
  readonly #large = new Set<Int32Array>();
  readonly #waiting: WaitingMessages;

  constructor(context: StreamContext, socket: WebSocket) {
    this.#context = context;
    this.#socket = socket;
    this.#heardAt = context.gate.turns;
    this.#waiting = new WaitingMessages(context.bodies);
  }

  /** The turn of the load gate in which the last message came. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Closes at once, without a word, because memory is short. */
  drop(): void {
    if (this.#open) this.#socket.close();
  }

  /** Takes a message; `bytes` belong to uWebSockets.js and are gone afterwards. */
  receive(bytes: Uint8Array): void {
    this.#heardAt = this.#context.gate.turns;
    if (this.#isHeld) this.#wait(bytes, 0, 0);
    else this.#decideAll(bytes, 0, 0);
  }

  /** The socket has taken what was unsent: decides what waits. */
  drained(): void {
    if (!this.#paused || !this.#open || this.#socket.getBufferedAmount() > RESUME_BELOW) return;
    this.#paused = false;
    this.#context.bodies.give(PAUSE_ABOVE);
    this.#decideWaiting();
  }

  /** Whether nothing more is decided for now. */
  get #isHeld(): boolean {
    return this.#paused || this.#large.size >= MAX_LARGE;
  }

  /** Decides what waits, until nothing more is decided for now. */
  #decideWaiting(): void {
    while (!this.#isHeld && this.#open) {
      const next = this.#waiting.take();
      if (next === null) break;
      this.#decideAll(next.bytes, 0, next.frames);
    }
    this.#endIfDone();
  }

  /** The socket is gone. */
  closed(): void {
    this.#open = false;
    if (this.#paused) this.#context.bodies.give(PAUSE_ABOVE);
    this.#paused = false;
    this.#waiting.clear();
    for (const cancelled of this.#large) Atomics.store(cancelled, 0, 1);
  }

  /** Ends the connection once everything it has sent is answered. */
  drain(): void {
    this.#draining = true;
    this.#endIfDone();
  }

  #endIfDone(): void {
    if (this.#draining && this.#verifying + this.#large.size === 0 && this.#waiting.isEmpty)
      this.#end(GOING_AWAY, "the server stops");
  }

  /** Decides the frames of a message from `at` on, until nothing more is decided for now. */
  #decideAll(bytes: Uint8Array, at: number, frames: number): void {
    let next = at;
    let count = frames;
    // How many frames the guest is asked for at a time; 0 once one was not plain.
    let atOnce = FRAMES_AT_ONCE;
    while (next < bytes.byteLength && this.#open) {
      if (this.#isHeld) {
        this.#send();
        this.#wait(bytes, next, count);
        return;
      }
      const isAdmitted = this.#context.gate.admits();
      const { engine } = this.#context.state;
      let status = STATUS_OK;
      if (atOnce > 0 && isAdmitted && engine.decidesTogether(0)) {
        const some = bytes.subarray(next, next + BYTES_AT_ONCE);
        const asked = Math.min(atOnce, MAX_FRAMES - count);
        status = this.#decideFrames(engine, some, asked);
        const decided = status === STATUS_TRAP ? 0 : engine.framesDecided;
        if (status !== STATUS_TRAP) next += engine.framesEnd;
        count += decided;
        // Fewer than asked for: their answers are long, or they take long, and those behind them would be read in vain again.
        atOnce = status === STATUS_OK ? Math.min(atOnce, decided) : 0;
        if (atOnce > 0) {
          if (writer.length > SEND_ABOVE) this.#send();
          continue;
        }
      }
      next = reader.read(bytes, next);
      if (next < 0) {
        this.#send();
        this.#end(INVALID, "a message must consist of frames `[id, request]`");
        return;
      }
      if (++count > MAX_FRAMES) {
        this.#send();
        this.#end(POLICY, `a message holds at most ${MAX_FRAMES} frames`);
        return;
      }
      const id = bytes.subarray(reader.idStart, reader.idEnd);
      const body = bytes.subarray(reader.bodyStart, reader.bodyEnd);
      if (!isAdmitted) {
        this.#context.state.noteShed();
        writer.error(id, TOO_BUSY_PACKED);
      } else if (status === STATUS_FUEL) this.#finish(engine, status, id, body, reader.isBin, NOTHING);
      else this.#decide(id, body, reader.isBin, NOTHING);
      if (writer.length > SEND_ABOVE) this.#send();
    }
    this.#send();
  }

  /**
   * Decides the first frames of `bytes` in one call, as far as they are plain, and writes the answers. Returns as `Engine.decideFrames` does;
   * what that has not decided is to be asked for alone, but for what has used up its budget. Does not throw.
   */
  #decideFrames(engine: Engine, bytes: Uint8Array, most: number): number {
    const { batches, gate, state } = this.#context;
    let status = STATUS_TRAP;
    try {
      status = engine.decideFrames(bytes, most, batches.minBytes - 1);
    } catch (error) {
      // Not even a fresh instance could be had.
      logFailure(`checks failed: ${oneLine(error)}`);
      return STATUS_TRAP;
    }
    if (status === STATUS_TRAP) {
      state.noteTrap();
      logFailure("checks failed together: the guest trapped; they are decided one by one");
      return status;
    }
    const decided = engine.framesDecided;
    gate.note(status === STATUS_OK ? Math.max(0, decided - 1) : decided);
    if (decided === 0) return status;
    this.#announce(engine);
    writer.frames(engine.output());
    return status;
  }

  /** Decides one request by the engine of this moment, and writes the answer; a large one is answered later. */
  #decide(id: Uint8Array, body: Uint8Array, isBin: boolean, claims: Uint8Array): void {
    if (body.byteLength >= this.#context.batches.minBytes && claims === NOTHING) {
      this.#decideLarge(id, body, isBin);
      return;
    }
    const { engine } = this.#context.state;
    try {
      const status = engine.decide(body, FORMAT_MSGPACK, FORMAT_MSGPACK, 0, claims);
      this.#finish(engine, status, id, body, isBin, claims);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  /** Not even a fresh instance could be had. */
  #fail(id: Uint8Array, error: unknown): void {
    logFailure(`a check failed: ${oneLine(error)}`);
    this.#error(id, CHECK_FAILED);
  }

  /** Answers what `engine` has just decided with `status`, or says why it has not. Does not throw. */
  #finish(
    engine: Engine,
    status: number,
    id: Uint8Array,
    body: Uint8Array,
    isBin: boolean,
    claims: Uint8Array,
  ): void {
    try {
      if (status === STATUS_OK) {
        this.#announce(engine);
        writer.response(id, engine.output(), isBin, noteOf(this.#context.state.denial));
      } else if (status === STATUS_AUX_DATA && claims === NOTHING)
        this.#decideWithTokens(engine, id, body, isBin);
      else this.#refuse(engine, status, id, body, isBin, claims);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  /** Everything but a decision; fails closed as the HTTP route does. */
  #refuse(
    engine: Engine,
    status: number,
    id: Uint8Array,
    body: Uint8Array,
    isBin: boolean,
    claims: Uint8Array,
  ): void {
    const isBudget = status === STATUS_FUEL || status === STATUS_OUTPUT_FULL || status === STATUS_MEMORY;
    if (
      isBudget &&
      engine.decide(body, FORMAT_MSGPACK, FORMAT_MSGPACK, FLAG_DENY_ALL, claims) === STATUS_OK
    ) {
      this.#announce(engine);
      writer.response(id, engine.output(), isBin, BUDGET_NOTE);
      return;
    }
    if (status === STATUS_TRAP) this.#context.state.noteTrap();
    const error = engine.failure(status, body, FORMAT_MSGPACK);
    const reply = failureReply(error);
    if (reply.status.startsWith("5")) logFailure(`a check failed: ${error.message}`);
    this.#error(id, reply);
  }

  /** Finds the claims of the request's tokens, then decides: later, when they have to be verified first. */
  #decideWithTokens(engine: Engine, id: Uint8Array, body: Uint8Array, isBin: boolean): void {
    let claims: Uint8Array | null;
    try {
      claims = engine.rememberedClaims(body, FORMAT_MSGPACK);
    } catch (error) {
      this.#refuseTokens(id, error);
      return;
    }
    if (claims !== null) {
      this.#decide(id, body, isBin, claims);
      return;
    }
    const context = this.#context;
    if (this.#verifying >= MAX_VERIFYING || !context.bodies.take(body.byteLength)) {
      this.#error(id, this.#verifying >= MAX_VERIFYING ? TOKENS_OVERLOADED : OVERLOADED);
      return;
    }
    const ownId = id.slice();
    const ownBody = body.slice();
    this.#verifying++;
    context.inFlight++;
    const answer = (write: () => void): void => {
      this.#verifying--;
      context.inFlight--;
      context.bodies.give(ownBody.byteLength);
      if (!this.#open) return;
      this.#socket.cork(() => {
        write();
        this.#send();
      });
      this.#endIfDone();
    };
    engine.verifyTokens(ownBody, FORMAT_MSGPACK).then(
      (verified) => answer(() => this.#decide(ownId, ownBody, isBin, verified)),
      (error: unknown) => answer(() => this.#refuseTokens(ownId, error)),
    );
  }

  /** Hands a large request to the workers (runtime/batch). */
  #decideLarge(id: Uint8Array, body: Uint8Array, isBin: boolean): void {
    const context = this.#context;
    if (context.batches.full) {
      // In its place and without a copy: the rest of the message need not wait for a refusal.
      context.state.noteShed();
      writer.error(id, NO_WORKER_PACKED);
      return;
    }
    const held = new BodyBuffer(context.bodies, context.state.engine.options.maxBodyBytes, context.memory);
    held.append(body);
    if (held.state !== "ok") {
      held.release();
      const isTooLarge = held.state === "too-large";
      const limit = context.state.engine.options.maxBodyBytes;
      this.#error(id, isTooLarge ? failureReply(tooLarge(limit)) : OVERLOADED);
      return;
    }
    const ownId = id.slice();
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    this.#large.add(cancelled);
    context.inFlight++;
    void this.#awaitLarge(ownId, isBin, held, cancelled);
  }

  async #awaitLarge(id: Uint8Array, isBin: boolean, held: BodyBuffer, cancelled: Int32Array): Promise<void> {
    const context = this.#context;
    const request = { bytes: held.bytes(), input: FORMAT_MSGPACK, output: FORMAT_MSGPACK, cancelled };
    let isAnswered = false;
    const answer = (write: () => void): void => {
      isAnswered = true;
      held.release();
      this.#large.delete(cancelled);
      context.inFlight--;
      if (!this.#open) return;
      this.#socket.cork(() => {
        write();
        this.#send();
        this.#decideWaiting();
      });
    };
    try {
      // Written before anything else happens, so that the notice names the version that has decided.
      await context.batches.decide(request, (decided) => {
        if (decided.kind === "refused") {
          answer(() => this.#error(id, decided.reply));
          return;
        }
        answer(() => {
          // Not what the serving state says now: another thread may have gone on to another version since the pool looked.
          this.#announce(decided.engine);
          const note = decided.denied ? BUDGET_NOTE : noteOf(decided.denial);
          writer.responseInPieces(id, decided.pieces, isBin, note);
        });
        decided.release();
      });
    } catch (error) {
      if (isAnswered) throw error;
      answer(() => this.#refuseTokens(id, error));
    }
  }

  #refuseTokens(id: Uint8Array, error: unknown): void {
    this.#context.state.counters.add("tokens");
    if (error instanceof TokenError) {
      logFailure(`tokens were refused: ${error.reason}`);
      this.#error(id, failureReply(error));
    } else if (error instanceof TokenOverloadError) this.#error(id, TOKENS_OVERLOADED);
    else {
      logFailure(`a check failed: ${oneLine(error)}`);
      this.#error(id, CHECK_FAILED);
    }
  }

  #error(id: Uint8Array, reply: Reply): void {
    writer.error(id, packError(reply));
  }

  /** Says which version decides, before the first answer by it. */
  #announce(engine: Engine): void {
    if (engine === this.#announced) return;
    this.#announced = engine;
    writer.notice({ bundle: engine.bundle.shortDigest });
  }

  /** Sends what is written, and pauses when the client does not keep up. */
  #send(): void {
    if (writer.length === 0) return;
    if (this.#open) {
      const isDropped = this.#socket.send(writer.bytes(), true) === 2;
      if (isDropped) {
        // uWebSockets.js has thrown an answer away, so the connection is of no use any more.
        writer.clear();
        this.#socket.close();
        return;
      }
    }
    writer.clear();
    if (!this.#open || this.#paused || this.#socket.getBufferedAmount() <= PAUSE_ABOVE) return;
    if (!this.#context.bodies.take(PAUSE_ABOVE)) {
      log("a stream was closed: too many clients do not read their answers");
      this.#socket.close();
      return;
    }
    this.#paused = true;
  }

  /** Keeps the rest of a message until the client reads. */
  #wait(bytes: Uint8Array, at: number, frames: number): void {
    // Sending can have closed the connection, after which nobody would give back what is taken from the budget.
    if (!this.#open) return;
    if (!this.#waiting.keep(bytes, at, frames)) this.#end(TRY_AGAIN_LATER, "too many requests wait");
  }

  #end(code: number, reason: string): void {
    if (this.#open) this.#socket.end(code, reason);
  }
}

/** What stands beside a response when everything is denied for the reason `denial`; null when it is null. */
function noteOf(denial: string | null): { readonly denyReason: string } | null {
  return denial === null ? null : { denyReason: denial };
}

/** What HTTP would say in body and headers. */
function packError({ body, retryAfter }: Reply): Uint8Array {
  const error = JSON.parse(body) as object;
  return pack(retryAfter === undefined ? error : { ...error, retryAfter });
}
