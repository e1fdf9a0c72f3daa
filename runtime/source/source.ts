/**
 * What a place that bundles come from can do. Each kind has a file of its own beside this one; the reloader asks them and knows
 * no more than this. A source gives bytes and says when to ask again; whether the bytes may serve is decided elsewhere
 * (runtime/bundle/accept.ts), so nothing a source says is trusted.
 */

/** Largest bundle taken from anywhere, in bytes. */
export const MAX_BUNDLE_SIZE = 1024 * 1024 * 1024;

export interface FetchedBundle {
  readonly bytes: Uint8Array;
  /** What the source calls this version (an ETag, a revision), for the log; empty when it has no name for it. */
  readonly label: string;
  /** Diagnostics of a compilation that did not stop anything, rendered; empty when there are none. */
  readonly warnings: string;
}

export interface BundleSource {
  /** What and where, for people; never holds a secret. */
  readonly name: string;
  /**
   * The newest bundle, or `unchanged` when it is the one that the last call gave. Rejects with a `SourceError` when the source
   * cannot be asked, and with a `BundleError` or `PolicyError` when it answers with what cannot be a bundle.
   */
  fetch(signal: AbortSignal): Promise<FetchedBundle | "unchanged">;
  /** Makes the next `fetch` give the bytes, whatever was given before. */
  forget(): void;
  /**
   * Calls `changed` whenever `fetch` should be asked, also when the source fails (so that the failure is seen) and when it
   * is known to have nothing new (so that this is known, too). Returns what ends it. Never throws.
   */
  watch(changed: () => void): () => void;
}
