/**
 * A large request over HTTP: its body goes to the workers (runtime/batch), and their answer to the socket piece by piece, one
 * per turn of the event loop, so that what else arrives on this thread waits for neither. A client that is gone is not
 * decided for any longer. The connection is not paused meanwhile, because a closed one would go unnoticed.
 */
import { setImmediate } from "node:timers";
import type { LargeRequest } from "../batch/division.ts";
import type { BodyBuffer } from "./body.ts";
import type { HttpContext } from "./decision-route.ts";
import { OVERLOADED, type Reply, send } from "./replies.ts";
import type { HttpResponse } from "./uws.ts";

/** Bytes of an answer that are given to the socket at once, which takes some 20 µs. */
const SLICE = 64 * 1024;

export interface LargeRequestOptions {
  /** The value of Content-Type and the header lines behind it, by output format, with further lines. */
  readonly headers: (output: number, lines: string) => string;
  /** The answer to a request whose tokens were not accepted, or whose check failed; logs why. */
  readonly refusal: (error: unknown) => Reply;
  /** The header line of a request that ran out of budget. */
  readonly budgetReason: string;
}

export class LargeRequests {
  readonly #context: HttpContext;
  readonly #options: LargeRequestOptions;

  constructor(context: HttpContext, options: LargeRequestOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Decides the request in `body`, which is released when it is no longer needed, and answers. */
  receive(res: HttpResponse, body: BodyBuffer, input: number, output: number, lines: string): void {
    const context = this.#context;
    const cancelled = new Int32Array(new SharedArrayBuffer(4));
    const answer = new Answer(res, context);
    context.inFlight++;
    res.onAborted(() => {
      Atomics.store(cancelled, 0, 1);
      answer.abort();
    });
    void this.#decide({ bytes: body.bytes(), input, output, cancelled }, body, answer, lines);
  }

  async #decide(request: LargeRequest, body: BodyBuffer, answer: Answer, lines: string): Promise<void> {
    const { batches, cors } = this.#context;
    const { headers, refusal, budgetReason } = this.#options;
    try {
      await batches.decide(request, (decided) => {
        if (decided.kind === "refused") answer.refuse(decided.reply, cors.fixedHeaders + lines);
        else {
          const head = headers(request.output, lines) + (decided.denied ? budgetReason : "");
          answer.write(decided.pieces, head, decided.release);
        }
      });
    } catch (error) {
      if (answer.isOpen) answer.refuse(refusal(error), cors.fixedHeaders + lines);
    } finally {
      body.release();
    }
  }
}

/** The answer of one request: nothing happens any more once it is complete or its client is gone. */
class Answer {
  readonly #res: HttpResponse;
  readonly #context: HttpContext;
  #open = true;
  #pieces: readonly Uint8Array[] = [];
  #release: () => void = () => undefined;
  /** Bytes of the body, and how many of them the socket has taken. */
  #size = 0;
  #taken = 0;

  constructor(res: HttpResponse, context: HttpContext) {
    this.#res = res;
    this.#context = context;
  }

  get isOpen(): boolean {
    return this.#open;
  }

  abort(): void {
    if (this.#open) this.#close();
  }

  refuse(reply: Reply, headers: string): void {
    if (!this.#open) return;
    this.#close();
    this.#res.cork(() => send(this.#res, reply, headers, this.#context.state.draining));
  }

  /** Sends the pieces; `release` is called when they are no longer needed. */
  write(pieces: readonly Uint8Array[], headers: string, release: () => void): void {
    if (!this.#open) {
      release();
      return;
    }
    this.#release = release;
    const size = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    if (!this.#context.bodies.take(size)) {
      this.refuse(OVERLOADED, this.#context.cors.fixedHeaders);
      return;
    }
    this.#size = size;
    this.#pieces = pieces;
    const isDraining = this.#context.state.draining;
    this.#res.onWritable((offset) => {
      this.#taken = offset;
      this.#continue();
      return true;
    });
    this.#res.cork(() => {
      this.#res.writeHeader("Content-Type", headers);
      // The last answer of a connection is written whole, because only that can say that it is the last.
      if (isDraining) {
        this.#res.end(Buffer.concat(pieces), true);
        this.#close();
      } else this.#writeSlice();
    });
  }

  #continue(): void {
    if (this.#open) this.#res.cork(() => this.#writeSlice());
  }

  #writeSlice(): void {
    const slice = sliceAt(this.#pieces, this.#taken);
    const [isTaken, isComplete] = this.#res.tryEnd(slice, this.#size);
    if (isComplete) {
      this.#close();
      return;
    }
    // What the socket did not take is given again from where it says.
    if (!isTaken) return;
    this.#taken += slice.byteLength;
    setImmediate(() => this.#continue());
  }

  #close(): void {
    this.#open = false;
    this.#context.inFlight--;
    this.#context.bodies.give(this.#size);
    this.#pieces = [];
    this.#release();
  }
}

/** At most SLICE bytes of the joined pieces from `offset` on, without joining them. */
function sliceAt(pieces: readonly Uint8Array[], offset: number): Uint8Array {
  let start = offset;
  for (const piece of pieces) {
    if (start < piece.byteLength) return piece.subarray(start, start + SLICE);
    start -= piece.byteLength;
  }
  return new Uint8Array(0);
}
