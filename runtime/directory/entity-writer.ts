/**
 * The one writer of a table: adds, replaces and removes entities in the memory that entity-table.ts reads, and makes a copy without dead
 * records. What it allocates it announces before anything in it is published. It parses nothing and keeps no order between tables.
 */
import { DirectoryError } from "../errors.ts";
import type { EntityKind } from "./entity-lookup.ts";
import {
  EntityTable,
  FACT_DEAD,
  FACT_ENDS,
  FACT_LIVE,
  FACT_WORDS,
  GONE,
  type HashKey,
  MAX_SEGMENTS,
  PUSHED,
  RECORD_HEAD,
  SEGMENT_BITS,
  SEGMENT_SIZE,
  type TableParts,
} from "./entity-table.ts";

/** Bytes of the first segment of a table, and its first number of slots: most types are small. */
const FIRST_SEGMENT = 4096;
const FIRST_SLOTS = 64;

/** Dead records below which a copy without them is not worth its time. */
const MIN_DEAD = 1024;

/** Who is told about new memory, and of how much. */
export interface TableOwner {
  /** Takes `bytes` of the directory's budget, or gives them back. Throws `DirectoryError` when there are none. */
  account(bytes: number): void;
  /** Sends the table's parts to the other threads. */
  announce(table: EntityWriter): void;
}

/** Shared memory of a table, and what of it is in use. */
export class EntityWriter extends EntityTable {
  readonly #owner: TableOwner;
  #parts: TableParts;
  /** Where the next record goes: an offset in the last segment. */
  #end = 0;
  /** Slots that hold an entity or did. */
  #slotsUsed = 0;

  /** An empty table. */
  static create(
    kind: EntityKind,
    type: string,
    edition: number,
    key: HashKey,
    owner: TableOwner,
  ): EntityWriter {
    const parts: TableParts = {
      kind,
      type,
      edition,
      facts: new SharedArrayBuffer(4 * FACT_WORDS),
      segments: [new SharedArrayBuffer(FIRST_SEGMENT)],
      index: new SharedArrayBuffer(8 * FIRST_SLOTS),
    };
    owner.account(bytesOf(parts));
    return new EntityWriter(parts, key, owner);
  }

  private constructor(parts: TableParts, key: HashKey, owner: TableOwner) {
    super(parts, key);
    this.#parts = parts;
    this.#owner = owner;
  }

  /** What another thread needs to read it. */
  get parts(): TableParts {
    return this.#parts;
  }

  /** Bytes of shared memory. */
  get byteLength(): number {
    return bytesOf(this.#parts);
  }

  /** Whether more than half of the records are dead. */
  get isWasteful(): boolean {
    return this.dead >= MIN_DEAD && this.dead > this.live;
  }

  /** Whether an entity is there and came over the admin API. */
  isPushed(id: Uint8Array): boolean {
    const slot = this.slotOf(this.index, id, this.hashOf(id));
    return slot >= 0 && (this.index[slot + 1] ?? 0) >>> 0 >= PUSHED;
  }

  /** Adds an entity or replaces it. `properties` is a msgpack map, empty for none. */
  put(id: Uint8Array, properties: Uint8Array, pushed: boolean): void {
    const hash = this.hashOf(id);
    const slot = this.slotOf(this.index, id, hash);
    if (slot < 0) this.#reserveSlot();
    const address = this.#append(id, properties);
    const value = ((address + 1) | (pushed ? PUSHED : 0)) >>> 0;
    if (slot >= 0) {
      Atomics.store(this.index, slot + 1, value | 0);
      Atomics.add(this.facts, FACT_DEAD, 1);
      return;
    }
    this.#insert(hash, value);
    this.#slotsUsed++;
    Atomics.add(this.facts, FACT_LIVE, 1);
  }

  /** Removes an entity; false when there is none. */
  remove(id: Uint8Array): boolean {
    const slot = this.slotOf(this.index, id, this.hashOf(id));
    if (slot < 0) return false;
    Atomics.store(this.index, slot + 1, GONE | 0);
    Atomics.add(this.facts, FACT_LIVE, -1);
    Atomics.add(this.facts, FACT_DEAD, 1);
    return true;
  }

  /** Every entity in order, as it is at that moment: views, valid until the next step. */
  *entities(): Generator<{
    readonly id: Uint8Array;
    readonly properties: Uint8Array;
    readonly pushed: boolean;
  }> {
    for (let address = 0; ;) {
      const { bytes, address: start, next, isLast } = this.run(address, 1);
      if (bytes.byteLength === 0) return;
      const id = this.idAt(start);
      if (this.isCurrent(start, id)) {
        const properties = bytes.subarray(RECORD_HEAD + id.byteLength);
        yield { id, properties, pushed: this.isPushed(id) };
      }
      if (isLast) return;
      address = next;
    }
  }

  #append(id: Uint8Array, properties: Uint8Array): number {
    const length = RECORD_HEAD + id.byteLength + properties.byteLength;
    const segment = this.#room(length);
    const number = this.segments.length - 1;
    const start = this.#end;
    let at = start;
    at = putWord(segment, at, id.byteLength);
    at = putWord(segment, at, properties.byteLength);
    segment.set(id, at);
    segment.set(properties, at + id.byteLength);
    this.#end = start + length;
    Atomics.store(this.facts, FACT_ENDS + number, this.#end);
    return (number << SEGMENT_BITS) | start;
  }

  /** The last segment, with room for `length` bytes behind `#end`. */
  #room(length: number): Uint8Array {
    const last = this.segments.length - 1;
    const segment = this.segments[last] ?? new Uint8Array(0);
    if (this.#end + length <= segment.byteLength) return segment;
    if (this.#end + length <= SEGMENT_SIZE) {
      let size = segment.byteLength * 2;
      while (size < this.#end + length) size *= 2;
      const grown = this.#allocate(size, segment.byteLength);
      grown.set(segment.subarray(0, this.#end));
      this.segments[last] = grown;
      this.#publish(this.#parts.segments.with(last, grown.buffer as SharedArrayBuffer));
      return grown;
    }
    if (this.segments.length === MAX_SEGMENTS) {
      throw new DirectoryError(
        "EDICT_DIRECTORY_FULL",
        `there is no room for more entities of type \`${this.type}\``,
      );
    }
    const added = this.#allocate(SEGMENT_SIZE, 0);
    this.segments.push(added);
    this.#end = 0;
    this.#publish([...this.#parts.segments, added.buffer as SharedArrayBuffer]);
    return added;
  }

  #allocate(size: number, instead: number): Uint8Array {
    this.#owner.account(size - instead);
    return new Uint8Array(new SharedArrayBuffer(size));
  }

  #publish(segments: readonly SharedArrayBuffer[], index: SharedArrayBuffer = this.#parts.index): void {
    this.#parts = { ...this.#parts, segments, index };
    this.#owner.announce(this);
  }

  /** Makes sure that one more slot can be taken: at most two of three are. */
  #reserveSlot(): void {
    const slots = this.index.length / 2;
    if ((this.#slotsUsed + 1) * 3 <= slots * 2) return;
    let wanted = FIRST_SLOTS;
    while (wanted < (this.live + 1) * 2) wanted *= 2;
    const before = this.index;
    this.#owner.account((wanted - slots) * 8);
    const shared = new SharedArrayBuffer(wanted * 8);
    this.index = new Int32Array(shared);
    this.#slotsUsed = this.live;
    for (let at = 0; at < before.length; at += 2) {
      const value = (before[at + 1] ?? 0) >>> 0;
      if (value !== 0 && value !== GONE) this.#insert(before[at] ?? 0, value);
    }
    this.#publish(this.#parts.segments, shared);
  }

  /** Takes the first unused slot. The id must not have one. */
  #insert(hash: number, value: number): void {
    const { index } = this;
    const mask = index.length / 2 - 1;
    let slot = hash & mask;
    // A slot whose entity is gone keeps its hash for those who read it at this moment.
    while (index[slot * 2 + 1] !== 0) slot = (slot + 1) & mask;
    index[slot * 2] = hash;
    Atomics.store(index, slot * 2 + 1, value | 0);
  }
}

function bytesOf({ facts, segments, index }: TableParts): number {
  return segments.reduce((sum, { byteLength }) => sum + byteLength, facts.byteLength + index.byteLength);
}

function putWord(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = word;
  bytes[at + 1] = word >>> 8;
  bytes[at + 2] = word >>> 16;
  bytes[at + 3] = word >>> 24;
  return at + 4;
}
