/**
 * Shares a thread between searches and everything else: all searches together get a slice per turn of the event loop, in which they take
 * turns too, so that neither a large search nor many of them keep other requests waiting for long.
 */
import { SearchOverloadError } from "../errors.ts";

/** Milliseconds of searching per turn of the event loop. */
const SLICE = 2;

/** Searches of a thread at a time. */
const MAX_SEARCHES = 64;

/** One step of some work; true when it was the last. A step takes well under a slice. */
export type Step = () => boolean;

interface Work {
  readonly step: Step;
  readonly isWanted: () => boolean;
  readonly resolve: (isDone: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export class SearchTurns {
  readonly #works: Work[] = [];
  readonly #most: number;

  constructor(most = MAX_SEARCHES) {
    this.#most = most;
  }

  /**
   * Has `step` called until it is done or no longer wanted, which the answer says. Rejects with what it throws, and with `SearchOverloadError`
   * when there is too much to do already.
   */
  run(step: Step, isWanted: () => boolean): Promise<boolean> {
    if (this.#works.length >= this.#most) {
      return Promise.reject(new SearchOverloadError("too many searches at a time"));
    }
    return new Promise((resolve, reject) => {
      this.#works.push({ step, isWanted, resolve, reject });
      if (this.#works.length === 1) setImmediate(() => this.#slice());
    });
  }

  #slice(): void {
    const end = performance.now() + SLICE;
    do {
      const work = this.#works.shift();
      if (work === undefined) return;
      if (this.#isUnfinished(work)) this.#works.push(work);
    } while (performance.now() < end);
    if (this.#works.length > 0) setImmediate(() => this.#slice());
  }

  #isUnfinished({ step, isWanted, resolve, reject }: Work): boolean {
    try {
      if (!isWanted()) {
        resolve(false);
        return false;
      }
      if (!step()) return true;
      resolve(true);
    } catch (error) {
      reject(error);
    }
    return false;
  }
}
