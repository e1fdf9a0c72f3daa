/**
 * Files read before. A file is not read again while the system says that it is the same: device, inode, size and the times of its last
 * changes, to the nanosecond. Times have a granularity, so a file that changed shortly before it was read is not believed: it
 * may have changed again within the same tick.
 */
import type { BigIntStats } from "node:fs";
import type { SourceFile } from "./load/policy-document.ts";

/** How long a file must have been at rest before it was read, in nanoseconds; file systems keep times to 2 s at worst. */
const AT_REST = 2_500_000_000n;

interface Kept {
  readonly facts: string;
  readonly isAtRest: boolean;
  readonly source: SourceFile;
}

export class SourceCache {
  #kept = new Map<string, Kept>();
  #next = new Map<string, Kept>();
  /** Files read in the latest turn: the others were unchanged. */
  read = 0;
  /** What the last turn found, when nothing was wrong. */
  last: readonly SourceFile[] | undefined;

  /** Begins a turn; what it does not ask for is forgotten when the next one begins. */
  begin(): void {
    this.#kept = this.#next;
    this.#next = new Map();
    this.read = 0;
  }

  /** The file as it was read before, when it is the same. */
  get(path: string, facts: BigIntStats): SourceFile | undefined {
    const kept = this.#kept.get(path);
    if (kept === undefined || !kept.isAtRest || kept.facts !== describe(facts)) return undefined;
    this.#next.set(path, kept);
    return kept.source;
  }

  /** @param facts from before it was read; @param now when that was, in milliseconds since 1970 */
  put(source: SourceFile, facts: BigIntStats, now: number): SourceFile {
    this.read++;
    const known = this.#kept.get(source.path)?.source;
    // The same object, so that whatever was found out about it stays known.
    const same = known?.text === source.text ? known : source;
    const changed = facts.mtimeNs > facts.ctimeNs ? facts.mtimeNs : facts.ctimeNs;
    const isAtRest = BigInt(Math.floor(now)) * 1_000_000n - changed >= AT_REST;
    this.#next.set(source.path, { facts: describe(facts), isAtRest, source: same });
    return same;
  }
}

function describe({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}
