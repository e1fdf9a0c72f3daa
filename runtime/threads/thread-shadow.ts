/**
 * The shadow of a serving thread that is not the first: which candidate it was told to decide by last, and the tap that takes its
 * sample. What the candidates of all threads come to is runtime/shadow/shadow.ts, on the first thread.
 */
import type { Engine } from "../guest/engine.ts";
import { type CompiledBundle, oneLine } from "../guest/modules.ts";
import type { ServingState } from "../observe/serving-state.ts";
import { ShadowTap } from "../shadow/shadow-tap.ts";
import type { FromThread, ShadowOrder } from "./messages.ts";

export class ThreadShadow {
  readonly #prepare: (compiled: CompiledBundle) => Promise<Engine>;
  readonly #tell: (message: FromThread) => void;
  /** The last order; 0 for none. */
  #id = 0;
  #tap: ShadowTap | null = null;

  /** `prepare` makes an engine that is ready to decide; `tell` reaches the first thread. */
  constructor(prepare: (compiled: CompiledBundle) => Promise<Engine>, tell: (message: FromThread) => void) {
    this.#prepare = prepare;
    this.#tell = tell;
  }

  /** Begins or ends deciding a share of the requests by another version. Never rejects. */
  async obey(state: ServingState, order: ShadowOrder | null): Promise<void> {
    // INVARIANT: before the order is answered. The first thread begins to count for a candidate when every thread has answered, and what
    // still waits for the one before is not to count for it.
    this.#tap?.close();
    this.#tap = null;
    this.#id = order?.id ?? 0;
    if (order === null) return;
    const { id, compiled, sample } = order;
    try {
      const candidate = await this.#prepare(compiled);
      // Another one may have been ordered meanwhile.
      if (this.#id !== id) return;
      this.#tap = ShadowTap.begin(candidate, state, sample, (changes) =>
        this.#tell({ kind: "changes", changes }),
      );
      this.#tell({ kind: "shadowing", id });
    } catch (error) {
      this.#tell({ kind: "shadow-refused", id, message: oneLine(error) });
    }
  }
}
