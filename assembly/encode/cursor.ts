/**
 * The output cursor: bytes are appended to one fixed region. A write that does not fit sets `outputFull` and writes
 * nothing, and so does every write after it.
 *
 * INVARIANT: `SLACK` bytes behind the usable end belong to the region, so short copies may run over in blocks of 16.
 */

const SLACK: usize = 32;

let regionStart: usize = 0;
/** Where outputs begin: the region's start, unless earlier ones stand there. */
let firstByte: usize = 0;
let regionEnd: usize = 0;

/** Where the next byte goes. */
export let position: usize = 0;
/** First byte of the current output. */
export let cursorStart: usize = 0;
/** Whether something did not fit. */
export let outputFull: bool = false;

/** Sets the region, once. */
export function setOutput(start: usize, end: usize): void {
  regionStart = start;
  regionEnd = end - SLACK;
  outputFromStart();
}

/** Has outputs begin where the region does, which is returned, and starts a new one. */
export function outputFromStart(): usize {
  outputAt(regionStart);
  return regionStart;
}

/** Has outputs begin at `start`, behind what is to be kept, and starts a new one. */
export function outputAt(start: usize): void {
  firstByte = start;
  resetOutput();
}

/** Starts a new output. */
export function resetOutput(): void {
  position = firstByte;
  cursorStart = firstByte;
  outputFull = false;
}

/** Whether `size` more bytes fit; sets `outputFull` when they do not. */
export function room(size: usize): bool {
  if (outputFull || position + size > regionEnd) {
    outputFull = true;
    return false;
  }
  return true;
}

/** Whether `size` more bytes fit, for writers that have another way when they do not. */
export function fits(size: usize): bool {
  return !outputFull && position + size <= regionEnd;
}

/** Sets the position after bytes were stored directly, for writers that asked for `room` first. */
export function moveTo(next: usize): void {
  position = next;
}

export function putByte(byte: u32): void {
  if (!room(1)) return;
  store<u8>(position, byte);
  position += 1;
}

/** Appends `length` bytes from `start`. Reads up to 15 bytes past the source's end, never past linear memory. */
export function putBytes(start: usize, length: u32): void {
  if (!room(length)) return;
  const size: usize = length;
  if (size > 64) memory.copy(position, start, size);
  else {
    for (let at: usize = 0; at < size; at += 16) v128.store(position + at, v128.load(start + at));
  }
  position += size;
}
