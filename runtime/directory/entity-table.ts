/**
 * The entities of one kind and type, as every thread reads them. Nothing here writes; entity-writer.ts does, on the first thread alone.
 *
 *   segment   records one behind the other, in the order of insertion, never across two segments:
 *             ┌───────────────┬───────────────────────┬──────────┬─────────────┐
 *             │ u32 id length │ u32 properties length │ id UTF-8 │ msgpack map │   little-endian, no padding
 *             └───────────────┴───────────────────────┴──────────┴─────────────┘
 *   address   segment number << 24 | offset; grows with every insertion, so it is also a position in the order
 *   index     slots of two words, open addressing: hash of the id; 0 for never used, GONE, or address + 1 (with PUSHED)
 *   facts     words: live entities, records without one, and the end of every segment
 *
 * INVARIANT: records and hashes are written before the word that publishes them (a segment's end, a slot's second word), which is stored
 * and loaded with Atomics; records never change; a slot keeps its id and its hash for as long as the index lives. A replaced entity is a
 * new record at the end.
 */
import type { EntityKind } from "./entity-lookup.ts";
import { keyedHash } from "./keyed-hash.ts";

/** Bits of an address that are the offset in a segment. */
export const SEGMENT_BITS = 24;
/** Largest segment in bytes. */
export const SEGMENT_SIZE = 1 << SEGMENT_BITS;
/** Segments of a table: 2 GiB of records, so that an address has 31 bits. */
export const MAX_SEGMENTS = 128;

/** Bytes in front of the id. */
export const RECORD_HEAD = 8;

/** Bit of a slot's second word: the entity came over the admin API. */
export const PUSHED = 0x8000_0000;
/** A slot whose entity was removed. */
export const GONE = 0xffff_ffff;

/** Words of `facts`. */
export const FACT_LIVE = 0;
export const FACT_DEAD = 1;
export const FACT_ENDS = 2;
export const FACT_WORDS = FACT_ENDS + MAX_SEGMENTS;

/** An empty msgpack map. */
const NO_PROPERTIES = Uint8Array.of(0x80);

/** Everything a thread needs to read a table; all of it is shared. */
export interface TableParts {
  readonly kind: EntityKind;
  readonly type: string;
  /** Another number after every compaction, so that old addresses can be told. */
  readonly edition: number;
  readonly facts: SharedArrayBuffer;
  readonly segments: readonly SharedArrayBuffer[];
  readonly index: SharedArrayBuffer;
}

/** The key of ids' hashes. */
export interface HashKey {
  readonly key0: number;
  readonly key1: number;
}

/** Records one behind the other, from `address` on. */
export interface RecordRun {
  readonly address: number;
  /** A view of shared memory. */
  readonly bytes: Uint8Array;
  /** Where it goes on behind all of the bytes. */
  readonly next: number;
  readonly isLast: boolean;
}

export class EntityTable {
  readonly kind: EntityKind;
  readonly type: string;
  readonly edition: number;
  protected readonly facts: Int32Array;
  protected readonly segments: Uint8Array[];
  protected index: Int32Array;
  /** Called when an address leads to a segment that is not here yet; brings it (`adopt`). */
  onMissing: () => void = () => undefined;
  readonly #key: HashKey;

  constructor(parts: TableParts, key: HashKey) {
    this.kind = parts.kind;
    this.type = parts.type;
    this.edition = parts.edition;
    this.facts = new Int32Array(parts.facts);
    this.segments = parts.segments.map((segment) => new Uint8Array(segment));
    this.index = new Int32Array(parts.index);
    this.#key = key;
  }

  /** Takes over what has been added to the table since it was made. */
  adopt(parts: TableParts): void {
    for (const segment of parts.segments.slice(this.segments.length)) {
      this.segments.push(new Uint8Array(segment));
    }
    const last = parts.segments.length - 1;
    const grown = parts.segments[last];
    // The last segment may have been copied to a larger one.
    if (grown !== undefined && this.segments[last]?.buffer !== grown)
      this.segments[last] = new Uint8Array(grown);
    if (this.index.buffer !== parts.index) this.index = new Int32Array(parts.index);
  }

  /** Entities that there are. */
  get live(): number {
    return Atomics.load(this.facts, FACT_LIVE);
  }

  /** Records of entities that were replaced or removed. */
  get dead(): number {
    return Atomics.load(this.facts, FACT_DEAD);
  }

  /** Address of an entity's record, -1 for none. */
  find(id: Uint8Array): number {
    // The index that is searched is the one that is read: looking at a record may bring another.
    const { index } = this;
    const slot = this.slotOf(index, id, this.hashOf(id));
    if (slot < 0) return -1;
    const value = Atomics.load(index, slot + 1) >>> 0;
    // The writer may have removed it since its slot was found.
    return value === GONE ? -1 : addressOf(value);
  }

  /** Whether the record at `address`, of this id, is the one that counts. */
  isCurrent(address: number, id: Uint8Array): boolean {
    return this.find(id) === address;
  }

  /** The properties of the record at `address`: a view of a msgpack map. */
  propertiesAt(address: number): Uint8Array {
    const segment = this.segmentOf(address);
    const offset = address & (SEGMENT_SIZE - 1);
    const start = offset + RECORD_HEAD + wordAt(segment, offset);
    const length = wordAt(segment, offset + 4);
    return length === 0 ? NO_PROPERTIES : segment.subarray(start, start + length);
  }

  /** The id of the record at `address`: a view. */
  idAt(address: number): Uint8Array {
    const segment = this.segmentOf(address);
    const offset = address & (SEGMENT_SIZE - 1);
    const start = offset + RECORD_HEAD;
    return segment.subarray(start, start + wordAt(segment, offset));
  }

  /** Bytes of a record on average; 0 when there are none. */
  get averageLength(): number {
    let bytes = 0;
    for (let number = 0; number < this.segments.length; number++) bytes += this.#endOf(number);
    return bytes === 0 ? 0 : bytes / (this.live + this.dead);
  }

  /** Records from `address` on: whole ones of together at most `maxBytes`, but at least one; no bytes at the end of the table. */
  run(address: number, maxBytes: number): RecordRun {
    const span = this.span(address, maxBytes);
    const { bytes } = span;
    let end = 0;
    while (end < bytes.byteLength && end + recordLength(bytes, end) <= bytes.byteLength) {
      end += recordLength(bytes, end);
    }
    if (end === bytes.byteLength) return span;
    return { ...span, bytes: bytes.subarray(0, end), next: span.address + end, isLast: false };
  }

  /** The same without looking at every record: the last one may be cut, the first one is whole. */
  span(address: number, maxBytes: number): RecordRun {
    let number = address >>> SEGMENT_BITS;
    let offset = address & (SEGMENT_SIZE - 1);
    let end = this.#endOf(number);
    if (offset >= end && this.#endOf(number + 1) > 0) {
      // Records may have come to this segment before the next one was begun; only since then is its end the last word.
      end = this.#endOf(number);
      if (offset >= end) {
        number++;
        offset = 0;
        end = this.#endOf(number);
      }
    }
    const start = (number << SEGMENT_BITS) | offset;
    const segment = this.segments[number];
    if (segment === undefined || offset >= end) {
      return { address: start, bytes: new Uint8Array(0), next: start, isLast: true };
    }
    const stop = Math.min(end, offset + Math.max(maxBytes, recordLength(segment, offset)));
    const isLast = stop >= end && this.#endOf(number + 1) === 0;
    // A full segment may end where the next address would be that of the next segment's first record, which is the same position.
    const next = stop === SEGMENT_SIZE ? (number + 1) << SEGMENT_BITS : (number << SEGMENT_BITS) | stop;
    return { address: start, bytes: segment.subarray(offset, stop), next, isLast };
  }

  protected hashOf(id: Uint8Array): number {
    return keyedHash(id, this.#key.key0, this.#key.key1);
  }

  /** Word number of the slot in `index` that holds an id, -1 for none. */
  protected slotOf(index: Int32Array, id: Uint8Array, hash: number): number {
    const mask = index.length / 2 - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * 2;
      const value = Atomics.load(index, at + 1) >>> 0;
      if (value === 0) return -1;
      if (value === GONE || index[at] !== hash) continue;
      if (this.#isId(addressOf(value), id)) return at;
    }
  }

  protected segmentOf(address: number): Uint8Array {
    const number = address >>> SEGMENT_BITS;
    this.#endOf(number);
    const segment = this.segments[number];
    // INVARIANT: a segment is sent to every thread before an address in it is published.
    if (segment === undefined) throw new Error(`no segment for address ${address}`);
    return segment;
  }

  /** Published bytes of a segment, which is here then; 0 when there is none. */
  #endOf(number: number): number {
    if (number >= MAX_SEGMENTS) return 0;
    const end = Atomics.load(this.facts, FACT_ENDS + number);
    if (end > (this.segments[number]?.byteLength ?? 0)) this.onMissing();
    return end;
  }

  #isId(address: number, id: Uint8Array): boolean {
    const segment = this.segmentOf(address);
    const offset = address & (SEGMENT_SIZE - 1);
    const { length } = id;
    if (wordAt(segment, offset) !== length) return false;
    const start = offset + RECORD_HEAD;
    for (let index = 0; index < length; index++) {
      if (segment[start + index] !== id[index]) return false;
    }
    return true;
  }
}

/** The address in a slot's second word. */
export function addressOf(value: number): number {
  return (value & ~PUSHED) - 1;
}

/** Bytes of the record at `offset`. */
export function recordLength(segment: Uint8Array, offset: number): number {
  return RECORD_HEAD + wordAt(segment, offset) + wordAt(segment, offset + 4);
}

/** A little-endian word; lengths are below 2^31. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}
