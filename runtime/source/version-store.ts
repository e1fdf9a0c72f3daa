/**
 * The versions that have served: the last good one, which the next start falls back to, the ones before it, which a rollback can
 * name, and the highest sequence, below which nothing is accepted. What is kept is as untrusted as what a source gives: whoever reads it
 * takes it through the same acceptance.
 */
import type { SequenceStore } from "../bundle/accept.ts";

/** A version whose bytes are kept. */
export interface KeptVersion {
  /** 64 hex digits. */
  readonly digest: string;
  readonly sequence: number | null;
  /** When it began to serve, RFC 3339. */
  readonly at: string;
}

/** How many versions are kept, the one that serves included: as many as a rollback can name. */
export const KEPT_VERSIONS = 3;

export interface VersionStore extends SequenceStore {
  /** The kept versions; the first is the one that served last. */
  versions(): readonly KeptVersion[];
  /** The bytes of a kept version; null when they are not to be had. Never rejects. */
  read(digest: string): Promise<Uint8Array | null>;
  /** Makes a version the one that served last. Never rejects: what could not be kept is in `problem`, and tried again by `mend`. */
  keep(
    version: { readonly digest: string; readonly sequence: number | null },
    file: Uint8Array,
  ): Promise<void>;
  /** Why the store does not hold what it should, on one line; null when it does. */
  readonly problem: string | null;
  /** Called when `problem` has changed. */
  onProblem: () => void;
  /** Tries again to keep what could not be kept. Never rejects. */
  mend(): Promise<void>;
}

/** Most bytes of versions that serve no longer and are kept in memory all the same; oldest are forgotten first. */
const MAX_MEMORY = 64 * 1024 * 1024;

/** Keeps versions as long as the process lives. */
export class MemoryVersionStore implements VersionStore {
  readonly problem = null;
  onProblem: () => void = () => undefined;
  #kept: (KeptVersion & { readonly file: Uint8Array })[] = [];
  #highest: number | null = null;

  highest(): number | null {
    return this.#highest;
  }

  async accept(sequence: number): Promise<void> {
    this.#highest = Math.max(this.#highest ?? 0, sequence);
  }

  versions(): readonly KeptVersion[] {
    return this.#kept.map(({ digest, sequence, at }) => ({ digest, sequence, at }));
  }

  async read(digest: string): Promise<Uint8Array | null> {
    return this.#kept.find((kept) => kept.digest === digest)?.file ?? null;
  }

  async keep(
    { digest, sequence }: { readonly digest: string; readonly sequence: number | null },
    file: Uint8Array,
  ): Promise<void> {
    let room = MAX_MEMORY;
    const others = this.#kept.filter((kept) => {
      if (kept.digest === digest) return false;
      room -= kept.file.byteLength;
      return room >= 0;
    });
    const version = { digest, sequence, at: new Date().toISOString(), file };
    this.#kept = [version, ...others].slice(0, KEPT_VERSIONS);
  }

  async mend(): Promise<void> {
    // Nothing can be missing.
  }
}
