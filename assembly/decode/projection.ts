/**
 * What both decoders share about `attr` objects: the projection of keys to slots, remembered key sequences, and the
 * memory of attribute pairs.
 *
 * Shapes. Resources of one request, and requests of one client, nearly always have the same attribute names in
 * the same order. So each of the two kinds of `attr` remembers the keys of its last object (a run of
 * key-set.ts, with the slot of each key). As long as the keys of an object repeat the remembered ones, one
 * vector comparison per key finds its end, its slot, and that no key comes twice. From the first key that
 * differs on, keys take the ordinary way (`learnKey`) and are remembered instead.
 *
 * INVARIANT: the first `count` entries of a shape are pairwise different, and their slots are those of the
 * current name tables. Nothing else is remembered, so nothing of an earlier request can reach an answer.
 *
 * Blocks (arena): pairs grow from one end, the 8-byte cells of their strings and raw values from the other. The objects
 * of a request share blocks, so that a short object costs no allocation of its own.
 *
 *   | pair | pair | ... free ... | cell | cell |
 */
import { TAG_STRING } from "../abi";
import { copyBlocks } from "../memory/bytes";
import { nameTablesVersion, principalSlot, resourceSlot } from "../decide/attributes";
import {
  addMember,
  BLOCK_SIZE,
  clearRun,
  MEMBER_NEW,
  MEMBER_REPEATED,
  Run,
  RUN_CAPACITY,
  RUN_ENTRY,
  RUN_ENTRY_SHIFT,
  RUN_HEADER,
} from "./key-set";
import { box } from "../value/value";
import { PAIR_SIZE } from "./request";
import { reserve } from "./reserve";

/** Matches no comparison of 16 lanes: the key is not one that can be recognised by its block. */
const NEVER: u32 = 0xffff_ffff;
/** The same, for a key that can be recognised by two blocks (`repeatsLongQuoted`). */
const LONG: u32 = 0xffff_fffe;
/** Longest such key: its text stands behind its header in the entry, with a quote after it. */
const MOST_LONG: u32 = 30;
/** Pairs (and cells) in a block, at least. */
const BLOCK_PAIRS: usize = 64;
export const CELL_SIZE: usize = 8;

/** Fields of a shape entry that key-set.ts leaves to this file. */
const ENTRY_START: usize = 16;
const ENTRY_LENGTH: usize = 20;
const ENTRY_SLOT: usize = 24;
const ENTRY_MASK: usize = 28;
const ENTRY_FIXSTR: usize = 32;

const principalShape = memory.data(1040, 16);
const resourceShape = memory.data(1040, 16);
let shapesVersion: u32 = 0;
/** The shape of the current object. */
let shape: usize = 0;
let shapeOfPrincipal: bool = false;
/** The end of its remembered entries. */
export let knownEnd: usize = 0;

/** Slot of the key that `learnKey` took. */
export let learntSlot: i32 = 0;
/** The next free pair of the current block, and the end of its free cells. */
export let freePair: usize = 0;
export let freeCell: usize = 0;
/** Pairs of the current object, and of how many the last complete one has. */
export let pairs: usize = 0;
export let pairCount: u32 = 0;

/** Forgets the shapes if the projection has changed since they were learnt. Called before each request. */
export function prepareShapes(): void {
  if (shapesVersion == nameTablesVersion) return;
  shapesVersion = nameTablesVersion;
  clearRun(principalShape);
  clearRun(resourceShape);
}

/** Begins an object of one of the two kinds: answers the first entry of its shape, and sets `knownEnd`. */
export function openShape(ofPrincipal: bool): usize {
  const run = ofPrincipal ? principalShape : resourceShape;
  const first = run + RUN_HEADER;
  shape = run;
  shapeOfPrincipal = ofPrincipal;
  store<u32>(run, 0, 4);
  knownEnd = first + ((<usize>load<u32>(run)) << RUN_ENTRY_SHIFT);
  pairs = freePair;
  return first;
}

/** The short ways, expanded at their call sites. */
export class Shape {
  @inline static next(entry: usize): usize {
    return entry + RUN_ENTRY;
  }

  /** How many of the next `left` entries, from `entry` on, are remembered. */
  @inline static known(entry: usize, left: u32): u32 {
    const known: u32 = entry < knownEnd ? <u32>(knownEnd - entry) >> <u32>RUN_ENTRY_SHIFT : 0;
    return left < known ? left : known;
  }

  /**
   * Whether the bytes at `start` are the remembered key followed by a quote. Reads 16 bytes. A match is all that
   * must be known of a JSON key: remembered keys have no byte that JSON escapes, and are well-formed UTF-8.
   */
  @inline static repeatsQuoted(start: usize, entry: usize): bool {
    const mask = load<u32>(entry, ENTRY_MASK);
    return (Shape.same(start, entry) & mask) == mask;
  }

  /** Whether a fixstr with the remembered key is at `at`. Reads 16 bytes; the caller checks where the body ends. */
  @inline static repeatsPacked(at: usize, entry: usize): bool {
    const mask = load<u32>(entry, ENTRY_MASK);
    return (Shape.same(at, entry + ENTRY_FIXSTR) & mask) == mask;
  }

  @inline static same(start: usize, entry: usize): u32 {
    return <u32>i8x16.bitmask(i8x16.eq(v128.load(start), v128.load(entry)));
  }

  /** The slot of a remembered key. */
  @inline static slot(entry: usize): i32 {
    return load<i32>(entry, ENTRY_SLOT);
  }

  /** Writes the pair of a text, which its cell points to. */
  @inline static text(pair: usize, cell: usize, slot: i32, start: usize, length: u32): void {
    store<u64>(cell, <u64>start | ((<u64>length) << 32));
    store<u64>(pair, <u64>slot);
    store<u64>(pair, box(TAG_STRING, cell), 8);
  }

  /** Writes the pair of a value that needs no cell. */
  @inline static scalar(pair: usize, slot: i32, value: u64): void {
    store<u64>(pair, <u64>slot);
    store<u64>(pair, value, 8);
  }

  /** Byte length of a remembered key. */
  @inline static length(entry: usize): usize {
    return load<u32>(entry, ENTRY_LENGTH);
  }
}

/**
 * As `Shape.repeatsQuoted`, for the remembered keys of 16 to 30 bytes (`cerbos.policyVersion`). Asked only where that one said no, so that
 * short keys do not pay for long ones.
 */
export function repeatsLongQuoted(start: usize, entry: usize): bool {
  return load<u32>(entry, ENTRY_MASK) == LONG && sameLong(start, entry, 2);
}

/** As `Shape.repeatsPacked`, for the same keys; at least 32 bytes from `at` on are readable. */
export function repeatsLongPacked(at: usize, entry: usize): bool {
  if (load<u32>(entry, ENTRY_MASK) != LONG || load<u8>(at) != load<u8>(entry, ENTRY_FIXSTR)) return false;
  return sameLong(at + 1, entry, 1);
}

/** `last` is 2 when the quote behind the key has to be there, too. */
function sameLong(start: usize, entry: usize, last: u32): bool {
  const text = entry + ENTRY_FIXSTR + 1;
  if (!i8x16.all_true(i8x16.eq(v128.load(start), v128.load(text)))) return false;
  const behind = load<u32>(entry, ENTRY_LENGTH) - BLOCK_SIZE;
  const mask: u32 = (last << behind) - 1;
  const rest = <u32>i8x16.bitmask(i8x16.eq(v128.load(start, 16), v128.load(text, 16)));
  return (rest & mask) == mask;
}

/**
 * Takes the key of an object whose place in the shape is `entry` the ordinary way: its slot goes to `learntSlot`, its
 * uniqueness is the answer (MEMBER_*). `plain` says that no byte of it needs an escape in JSON. What was remembered ends with it.
 */
export function learnKey(entry: usize, start: usize, length: u32, plain: bool): i32 {
  const slot = shapeOfPrincipal ? principalSlot(start, length) : resourceSlot(start, length);
  learntSlot = slot;
  const index = <u32>(entry - shape - RUN_HEADER) / <u32>RUN_ENTRY;
  knownEnd = 0;
  if (index >= RUN_CAPACITY) return addMember(shape, start, length);
  if (Run.add(shape, index, start, length) == 0) return MEMBER_REPEATED;
  store<i32>(entry, slot, ENTRY_SLOT);
  if (!plain || length > MOST_LONG) {
    store<u32>(entry, NEVER, ENTRY_MASK);
    return MEMBER_NEW;
  }
  // The entry keeps the text of a key that can be recognised, so that its place in each request need not be noted.
  const text = entry + ENTRY_FIXSTR + 1;
  v128.store(text, v128.load(entry));
  store<u8>(entry, 0xa0 | length, ENTRY_FIXSTR);
  store<u32>(entry, <u32>text, ENTRY_START);
  if (length < BLOCK_SIZE) {
    // One bit for each byte of the key, and one for the quote after it or the header before it.
    store<u32>(entry, (2 << length) - 1, ENTRY_MASK);
    return MEMBER_NEW;
  }
  // Byte by byte: the entry ends with the last of them.
  for (let place = BLOCK_SIZE; place < length; place++) store<u8>(text + place, load<u8>(start + place));
  store<u8>(text + length, 0x22);
  store<u32>(entry, LONG, ENTRY_MASK);
  return MEMBER_NEW;
}

/** Begins a request: there is no block yet. */
export function openPairs(): void {
  freePair = 0;
  freeCell = 0;
}

/** Notes that the object's pairs end before `end`, and that cells from `cell` on are taken. */
export function takePairs(end: usize, cell: usize): void {
  freePair = end;
  freeCell = cell;
}

/** Takes a pair for a value of `slot`, with the cell at `freeCell`: its address, or 0 when it does not fit. */
export function takePair(slot: i32): usize {
  let pair = freePair;
  if (pair + PAIR_SIZE + CELL_SIZE > freeCell) {
    pair = movePairs(pair);
    if (pair == 0) return 0;
  }
  takePairs(pair + PAIR_SIZE, freeCell - CELL_SIZE);
  store<u64>(pair, <u64>slot);
  return pair;
}

/** Ends an object, whose pairs have been taken. */
export function closePairs(): void {
  pairCount = <u32>(freePair - pairs) / <u32>PAIR_SIZE;
}

/**
 * Moves the pairs of the object, which end before `end`, to a block with room for as many again; cells stay where they
 * are. Answers where the next pair goes (its cell before `freeCell`), or 0 when it does not fit.
 */
function movePairs(end: usize): usize {
  const used = end - pairs;
  const count: usize = used / PAIR_SIZE;
  const room: usize = count < BLOCK_PAIRS / 2 ? BLOCK_PAIRS : count * 2;
  const block = reserve(room * (PAIR_SIZE + CELL_SIZE));
  if (block == 0) return 0;
  copyBlocks(block, pairs, used);
  pairs = block;
  freeCell = block + room * (PAIR_SIZE + CELL_SIZE);
  return block + used;
}
