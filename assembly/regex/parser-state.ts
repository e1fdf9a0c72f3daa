/** The text of the pattern being parsed, the place in it, and the flags in force. */
import { codePointAt, widthOf } from "../cel/code-points";

export const FLAG_FOLD: u32 = 1;
/** `^` and `$` match at lines. */
export const FLAG_LINES: u32 = 2;
/** `.` matches a newline. */
export const FLAG_DOT_ALL: u32 = 4;
/** Repetitions are lazy unless followed by `?`. */
export const FLAG_LAZY: u32 = 8;

export let at: usize = 0;
export let end: usize = 0;
export let flags: u32 = 0;

export function beginPattern(start: usize, length: u32): void {
  at = start;
  end = start + length;
  flags = 0;
}

export function setFlags(value: u32): void {
  flags = value;
}

export function moveTo(position: usize): void {
  at = position;
}

export function atEnd(): bool {
  return at >= end;
}

/** The byte `offset` behind the place; 0 behind the end. */
export function peek(offset: usize): u32 {
  return at + offset < end ? load<u8>(at + offset) : 0;
}

/** Goes on by `count` bytes, at most to the end. */
export function skip(count: usize): void {
  at = end - at < count ? end : at + count;
}

/** Takes a byte if it is the next one. */
export function take(byte: u32): bool {
  if (at >= end || <u32>load<u8>(at) != byte) return false;
  at++;
  return true;
}

/** Takes the next code point; there must be one. */
export function takeRune(): u32 {
  const rune = codePointAt(at, end);
  skip(<usize>widthOf(load<u8>(at)));
  return rune;
}
