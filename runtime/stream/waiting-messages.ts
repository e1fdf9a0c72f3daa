/** Messages of a connection that is not decided for at the moment, within a limit of its own and the budget that all connections share. */
import type { BodyBudget } from "../http/body.ts";

/** Most bytes that wait for one connection. */
const MAX_WAITING = 8 * 1024 * 1024;

export interface WaitingMessage {
  /** What is not decided of it. */
  readonly bytes: Uint8Array;
  /** Frames of it that are decided already. */
  readonly frames: number;
}

export class WaitingMessages {
  readonly #budget: BodyBudget;
  readonly #messages: WaitingMessage[] = [];
  #bytes = 0;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0;
  }

  /** Keeps a copy of a message from `at` on, of which `frames` are decided; false when there is no room. */
  keep(message: Uint8Array, at: number, frames: number): boolean {
    const bytes = message.slice(at);
    const fits = this.#bytes + bytes.byteLength <= MAX_WAITING;
    if (!fits || !this.#budget.take(bytes.byteLength)) return false;
    this.#bytes += bytes.byteLength;
    // What was begun before goes on before what came later.
    if (frames > 0) this.#messages.unshift({ bytes, frames });
    else this.#messages.push({ bytes, frames });
    return true;
  }

  /** The message that is next, which waits no more; null when there is none. */
  take(): WaitingMessage | null {
    const next = this.#messages.shift();
    if (next === undefined) return null;
    this.#bytes -= next.bytes.byteLength;
    this.#budget.give(next.bytes.byteLength);
    return next;
  }

  clear(): void {
    while (this.take() !== null);
  }
}
