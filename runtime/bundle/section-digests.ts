/**
 * Digests of sections, from one bundle to the next. SHA-256 reads its input from the beginning, so what a section has in common with the one
 * before it, up to the first difference, need not be read again: the states that the hash had there are kept. Comparing bytes is
 * thirty times as fast as hashing them. Changes the time that a digest takes, never what it is. (compiler/bundle/section-digests.ts is
 * the same for the compiler, which does not depend on the runtime.)
 */
import { createHash, type Hash } from "node:crypto";

/** Bytes between two states that are kept. */
const STEP = 256 * 1024;

interface Kept {
  readonly content: Uint8Array;
  /** After every whole step. */
  readonly states: readonly Hash[];
  readonly digest: Uint8Array;
}

export class SectionDigests {
  readonly #kept = new Map<number, Kept>();

  /** SHA-256 of `content`, which must not be written to from now on. @param kind SECTION_*, whose last content is compared with this one */
  digest(kind: number, content: Uint8Array): Uint8Array {
    const kept = this.#kept.get(kind);
    const same = kept === undefined ? 0 : sameSteps(kept.content, content);
    if (kept !== undefined && same * STEP >= content.length && kept.content.length === content.length) {
      return kept.digest;
    }
    const states = kept?.states.slice(0, same) ?? [];
    const hash = states.at(-1)?.copy() ?? createHash("sha256");
    for (let at = states.length * STEP; at < content.length; at += STEP) {
      hash.update(content.subarray(at, at + STEP));
      if (at + STEP <= content.length) states.push(hash.copy());
    }
    const digest = hash.digest();
    this.#kept.set(kind, { content, states, digest });
    return digest;
  }
}

/** Steps from the beginning in which the contents are equal; the last one may be shorter where both end. */
function sameSteps(before: Uint8Array, after: Uint8Array): number {
  const ends = Math.min(before.length, after.length);
  let steps = 0;
  for (let at = 0; at < ends; at += STEP, steps++) {
    const end = Math.min(at + STEP, ends);
    if (Buffer.compare(before.subarray(at, end), after.subarray(at, end)) !== 0) return steps;
    // A step that ends early in one of them is not the same in both.
    if (end - at < STEP && before.length !== after.length) return steps;
  }
  return steps;
}
