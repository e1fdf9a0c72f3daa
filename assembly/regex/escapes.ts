/** Escape sequences and what stands inside brackets: RE2's syntax as Go reads it, with Perl's and Unicode's classes. */
import {
  addFoldedRange,
  addRange,
  beginClass,
  beginPart,
  cleanClass,
  foldClass,
  MAX_RUNE,
  negateClass,
} from "./classes";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { at, atEnd, end, FLAG_FOLD, flags, moveTo, peek, skip, take, takeRune } from "./parser-state";
import { findUnicodeClass, unicodeClassRanges, unicodeClassSize } from "./unicode";

/** No code point: the escape is wrong. */
export const BAD_RUNE: u32 = 0xffffffff;

const BACKSLASH: u32 = 0x5c;

function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

function isOctal(byte: u32): bool {
  return byte - 0x30 < 8;
}

function hexDigit(byte: u32): u32 {
  if (isDigit(byte)) return byte - 0x30;
  const lower = byte | 0x20;
  return lower - 0x61 < 6 ? lower - 0x61 + 10 : 16;
}

function isWordByte(byte: u32): bool {
  return isDigit(byte) || (byte | 0x20) - 0x61 < 26;
}

/** The code point of an escape; the place is at the backslash, and behind the escape afterwards. */
export function takeEscape(): u32 {
  skip(1);
  if (atEnd()) return BAD_RUNE;
  const rune = takeRune();
  if (isOctal(rune)) return octal(rune - 0x30);
  switch (rune) {
    case 0x78: // x
      return hexadecimal();
    case 0x61: // a
      return 7;
    case 0x66: // f
      return 0x0c;
    case 0x6e: // n
      return 0x0a;
    case 0x72: // r
      return 0x0d;
    case 0x74: // t
      return 9;
    case 0x76: // v
      return 0x0b;
    default:
      return rune < 0x80 && !isWordByte(rune) ? rune : BAD_RUNE;
  }
}

/** Up to three digits; a single one that is not 0 would be a back reference. */
function octal(first: u32): u32 {
  if (first != 0 && !isOctal(peek(0))) return BAD_RUNE;
  let value = first;
  for (let count = 1; count < 3 && isOctal(peek(0)); count++) {
    value = (value << 3) + peek(0) - 0x30;
    skip(1);
  }
  return value;
}

function hexadecimal(): u32 {
  if (!take(0x7b)) {
    const high = hexDigit(peek(0));
    const low = hexDigit(peek(1));
    if (high == 16 || low == 16) return BAD_RUNE;
    skip(2);
    return (high << 4) | low;
  }
  let value: u32 = 0;
  let digits = 0;
  while (!take(0x7d)) {
    const digit = hexDigit(peek(0));
    if (digit == 16) return BAD_RUNE;
    value = (value << 4) | digit;
    if (value > MAX_RUNE) return BAD_RUNE;
    skip(1);
    digits++;
  }
  return digits == 0 ? BAD_RUNE : value;
}

// --- classes by name --------------------------------------------------------------------------------------

const NOT_A_CLASS: i32 = 0;
export const CLASS_TAKEN: i32 = 1;
export const CLASS_WRONG: i32 = 2;

/** Folds and negates the part from range `from` on as wanted. */
function finishPart(from: u32, negated: bool): i32 {
  cleanClass(from);
  if ((flags & FLAG_FOLD) != 0) foldClass(from);
  if (negated) negateClass(from);
  return CLASS_TAKEN;
}

function addDigits(): void {
  addRange(0x30, 0x39);
}

function addWordBytes(): void {
  addRange(0x30, 0x39);
  addRange(0x41, 0x5a);
  addRange(0x5f, 0x5f);
  addRange(0x61, 0x7a);
}

/** `\d`, `\D`, `\s`, `\S`, `\w`, `\W`, `\p` and `\P`: adds the class when it is one of them. */
export function takeClassEscape(): i32 {
  if (peek(0) != BACKSLASH) return NOT_A_CLASS;
  const letter = peek(1);
  const lower = letter | 0x20;
  if (lower == 0x70) return takeUnicodeClass(letter == 0x50);
  if (lower != 0x64 && lower != 0x73 && lower != 0x77) return NOT_A_CLASS;
  skip(2);
  const from = beginPart();
  if (lower == 0x64) addDigits();
  else if (lower == 0x77) addWordBytes();
  else {
    addRange(9, 0x0a);
    addRange(0x0c, 0x0d);
    addRange(0x20, 0x20);
  }
  return finishPart(from, letter != lower);
}

/** `\pN`, `\p{Name}`, `\p{^Name}`. */
function takeUnicodeClass(negatedByLetter: bool): i32 {
  skip(2);
  if (atEnd()) return CLASS_WRONG;
  let negated = negatedByLetter;
  let name = at;
  let length: usize = 0;
  if (take(0x7b)) {
    if (take(0x5e)) negated = !negated;
    name = at;
    while (!atEnd() && peek(0) != 0x7d) skip(1);
    length = at - name;
    if (!take(0x7d)) return CLASS_WRONG;
  } else {
    takeRune();
    length = at - name;
  }
  const index = findUnicodeClass(name, <u32>length);
  if (index < 0) return CLASS_WRONG;
  const size = unicodeClassSize(index);
  const bytes = (<usize>size) << 3;
  if (!burn(size) || !fits(bytes)) return CLASS_WRONG;
  const list = allocate(bytes);
  unicodeClassRanges(index, list);
  const from = beginPart();
  for (let range: u32 = 0; range < size; range++) {
    const place = list + ((<usize>range) << 3);
    addRange(load<u32>(place), load<u32>(place, 4));
  }
  return finishPart(from, negated);
}

/** `[:alpha:]` and the like; the place is at the bracket. */
function takePosixClass(): i32 {
  const start = at;
  skip(2);
  const negated = take(0x5e);
  const name = at;
  while (!atEnd() && !(peek(0) == 0x3a && peek(1) == 0x5d)) skip(1);
  if (atEnd()) {
    // No end: the bracket stands for itself.
    moveTo(start);
    return NOT_A_CLASS;
  }
  const length = at - name;
  skip(2);
  const from = beginPart();
  if (!addPosixClass(posixName(name, length))) return CLASS_WRONG;
  return finishPart(from, negated);
}

/** Letters of a name of up to six letters in one number, the first one highest; 0 for longer ones. */
function posixName(name: usize, length: usize): u64 {
  if (length > 6) return 0;
  let letters: u64 = 0;
  for (let index: usize = 0; index < length; index++) letters = (letters << 8) | <u64>load<u8>(name + index);
  return letters;
}

function addPosixClass(name: u64): bool {
  if (name == 0x616c6e756d) {
    // alnum
    addRange(0x30, 0x39);
    addRange(0x41, 0x5a);
    addRange(0x61, 0x7a);
  } else if (name == 0x616c706861) {
    // alpha
    addRange(0x41, 0x5a);
    addRange(0x61, 0x7a);
  } else if (name == 0x6173636969) addRange(0, 0x7f);
  else if (name == 0x626c616e6b) {
    // blank
    addRange(9, 9);
    addRange(0x20, 0x20);
  } else if (name == 0x636e74726c) {
    // cntrl
    addRange(0, 0x1f);
    addRange(0x7f, 0x7f);
  } else if (name == 0x6469676974) addDigits();
  else if (name == 0x6772617068) addRange(0x21, 0x7e);
  else if (name == 0x6c6f776572) addRange(0x61, 0x7a);
  else if (name == 0x7072696e74) addRange(0x20, 0x7e);
  else if (name == 0x70756e6374) {
    // punct
    addRange(0x21, 0x2f);
    addRange(0x3a, 0x40);
    addRange(0x5b, 0x60);
    addRange(0x7b, 0x7e);
  } else if (name == 0x7370616365) {
    // space
    addRange(9, 0x0d);
    addRange(0x20, 0x20);
  } else if (name == 0x7570706572) addRange(0x41, 0x5a);
  else if (name == 0x776f7264) addWordBytes();
  else if (name == 0x786469676974) {
    // xdigit
    addRange(0x30, 0x39);
    addRange(0x41, 0x46);
    addRange(0x61, 0x66);
  } else return false;
  return true;
}

// --- brackets ---------------------------------------------------------------------------------------------

/** One code point of a range; BAD_RUNE when there is none. */
function takeClassRune(): u32 {
  if (atEnd()) return BAD_RUNE;
  return peek(0) == BACKSLASH ? takeEscape() : takeRune();
}

/** Builds the class between brackets; the place is behind the opening one. False when it is wrong. */
export function takeBracketClass(): bool {
  beginClass();
  const negated = take(0x5e);
  let isFirst = true;
  while (isFirst || peek(0) != 0x5d) {
    if (atEnd() || !burn(1)) return false;
    isFirst = false;
    if (peek(0) == 0x5b && peek(1) == 0x3a && end - at > 2) {
      const posix = takePosixClass();
      if (posix == CLASS_WRONG) return false;
      if (posix == CLASS_TAKEN) continue;
    }
    const named = takeClassEscape();
    if (named == CLASS_WRONG) return false;
    if (named == CLASS_TAKEN) continue;
    const low = takeClassRune();
    if (low == BAD_RUNE) return false;
    let high = low;
    if (peek(0) == 0x2d && end - at >= 2 && peek(1) != 0x5d) {
      skip(1);
      high = takeClassRune();
      if (high == BAD_RUNE || high < low) return false;
    }
    if ((flags & FLAG_FOLD) != 0) addFoldedRange(low, high);
    else addRange(low, high);
  }
  skip(1);
  cleanClass(0);
  if (negated) negateClass(0);
  return true;
}
