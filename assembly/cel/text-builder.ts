/**
 * Text of unknown length, built at the end of the arena: one at a time, bytes appended, the block doubled and
 * copied when it is full. Failures stick: after one, appending does nothing and `builtText` answers it.
 */
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { ofString } from "../value/value";
import { noFuel, noMemory } from "./failure";

const FIRST_CAPACITY: usize = 256;
/** Longest text, in bytes; longer ones never fit an arena. */
const MAX_CAPACITY: usize = 0x4000_0000;

const FINE: i32 = 0;
const OUT_OF_MEMORY: i32 = 1;
const OUT_OF_FUEL: i32 = 2;
const FAILED: i32 = 3;

let start: usize = 0;
let length: usize = 0;
let capacity: usize = 0;
let state: i32 = FINE;
let failure: u64 = 0;

/** Begins a new text; what was built before stays where it is. */
export function beginText(): void {
  start = allocate(FIRST_CAPACITY);
  length = 0;
  capacity = FIRST_CAPACITY;
  state = FINE;
}

/** Ends the text in failure, unless it has failed before; `error` is what `builtText` answers. */
export function failText(error: u64): void {
  if (state != FINE) return;
  state = FAILED;
  failure = error;
}

/** Whether nothing has failed yet. */
export function textIsFine(): bool {
  return state == FINE;
}

/** Makes room for `size` more bytes: the address to write them to, or 0 after a failure. */
export function roomFor(size: usize): usize {
  if (state != FINE) return 0;
  if (!burn(<u32>(1 + (size >> 4)))) {
    state = OUT_OF_FUEL;
    return 0;
  }
  if (size <= capacity - length) return start + length;
  const doubled = capacity << 1;
  const wanted = doubled - length >= size ? doubled : length + size;
  if (size > MAX_CAPACITY || wanted > MAX_CAPACITY || !fits(wanted)) {
    state = OUT_OF_MEMORY;
    return 0;
  }
  if (!burn(<u32>(1 + (length >> 4)))) {
    state = OUT_OF_FUEL;
    return 0;
  }
  const moved = allocate(wanted);
  memory.copy(moved, start, length);
  start = moved;
  capacity = wanted;
  return start + length;
}

/** Counts in `size` bytes that were written where `roomFor` said. */
export function advanceText(size: usize): void {
  length += size;
}

export function appendByte(byte: u8): void {
  const at = roomFor(1);
  if (at == 0) return;
  store<u8>(at, byte);
  length++;
}

export function appendBytes(from: usize, size: usize): void {
  const at = roomFor(size);
  if (at == 0) return;
  memory.copy(at, from, size);
  length += size;
}

/** Number of bytes so far. */
export function textLength(): usize {
  return length;
}

/** Address of the text so far; only good until the next append. */
export function textStart(): usize {
  return start;
}

/** Takes everything after the first `size` bytes off the text again. */
export function truncateText(size: usize): void {
  if (size < length) length = size;
}

/** The finished text, or what went wrong. */
export function builtText(): u64 {
  if (state == OUT_OF_MEMORY) return noMemory();
  if (state == OUT_OF_FUEL) return noFuel();
  return state == FAILED ? failure : ofString(start, <u32>length);
}
