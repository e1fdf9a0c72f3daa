/**
 * A request that is answered in a later turn of the event loop than it was read in: counted as in flight, its bytes charged to the
 * budget of bodies, until it is answered or its client is gone.
 */
import type { HttpContext } from "./decision-route.ts";
import type { HttpResponse } from "./uws.ts";

export class HeldRequest {
  readonly #context: HttpContext;
  readonly #response: HttpResponse;
  readonly #size: number;
  readonly #pauses: boolean;
  #isOpen = true;

  /**
   * @param size bytes that have been taken from `context.bodies`; given back in the end
   * @param pauses whether to read nothing more from the connection meanwhile. uWebSockets.js closes a connection on which it reads the next
   *   pipelined request while one is open; what arrived in the same read is lost with it all the same. While it is paused, a
   *   client that goes away is not noticed.
   */
  constructor(context: HttpContext, response: HttpResponse, size: number, pauses: boolean) {
    this.#context = context;
    this.#response = response;
    this.#size = size;
    this.#pauses = pauses;
    context.inFlight++;
    response.onAborted(() => {
      if (this.#isOpen) this.#close();
    });
    if (pauses) response.pause();
  }

  /** Whether somebody still waits for the answer. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Ends it: calls `reply`, which answers, unless the client is gone. To be called once. */
  answer(reply: () => void): void {
    if (!this.#isOpen) return;
    this.#close();
    this.#response.cork(() => {
      if (this.#pauses) this.#response.resume();
      reply();
    });
  }

  #close(): void {
    this.#isOpen = false;
    this.#context.inFlight--;
    this.#context.bodies.give(this.#size);
  }
}
