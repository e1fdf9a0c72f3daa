/** Work that must not overlap: each piece begins when all before it have ended, whether they came to a result or not. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Resolves when everything asked for so far has ended. Never rejects. */
  get idle(): Promise<unknown> {
    return this.#last;
  }

  /** Runs `work` in its turn; resolves or rejects with what it comes to. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
