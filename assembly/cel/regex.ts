/**
 * CEL `matches` and the regex extension (cel-go `ext.Regex`): `regex.replace`, `regex.extract`, `regex.extractAll`. What a
 * pattern means is the task of assembly/regex.
 */
import { ERROR_BAD_ARGUMENT, TAG_INT, TAG_STRING } from "../abi";
import { allocate, fits } from "../memory/arena";
import { burn } from "../memory/fuel";
import { findPattern, groups, PATTERN_FOUND, PATTERN_WRONG } from "../regex/cache";
import {
  MATCH_FOUND,
  MATCH_NO_MEMORY,
  MATCH_NONE,
  matchSlots,
  NO_OFFSET,
  runProgram,
} from "../regex/machine";
import { MAX_GROUPS } from "../regex/program";
import {
  fail,
  FALSE,
  intOf,
  lengthOf,
  newList,
  ofBool,
  ofOptional,
  ofString,
  OPTIONAL_NONE,
  setItem,
  startOf,
  tagOf,
} from "../value/value";
import { widthOf } from "./code-points";
import { noFuel, noMemory, noOverload2, noOverload3, noOverload4 } from "./failure";
import { appendByte, appendBytes, beginText, builtText, failText, textIsFine } from "./text-builder";

/** Makes the pattern current; the error that says why not, or 0. */
function usePattern(pattern: u64): u64 {
  const result = findPattern(startOf(pattern), lengthOf(pattern));
  if (result == PATTERN_FOUND) return 0;
  return result == PATTERN_WRONG ? fail(ERROR_BAD_ARGUMENT, pattern) : noFuel();
}

/** CEL `text.matches(pattern)`: whether any part of the text matches. */
export function matches(text: u64, pattern: u64): u64 {
  if (tagOf(text) != TAG_STRING || tagOf(pattern) != TAG_STRING) return noOverload2(text, pattern);
  const failure = usePattern(pattern);
  if (failure != 0) return failure;
  const result = runProgram(startOf(text), lengthOf(text), 0, 0);
  if (result == MATCH_NO_MEMORY) return noMemory();
  return result == MATCH_NONE ? FALSE : result == MATCH_FOUND ? ofBool(true) : noFuel();
}

// --- all matches, one after the other ---------------------------------------------------------------------

let text: usize = 0;
let textLength: u32 = 0;
let nextFrom: u32 = 0;
let lastEnd: u32 = NO_OFFSET;
let slotCount: u32 = 0;

/** Where the match found last lies, and its slots. */
let matchStart: u32 = 0;
let matchEnd: u32 = 0;
let slots: usize = 0;

function beginMatches(subject: u64, kept: u32): void {
  text = startOf(subject);
  textLength = lengthOf(subject);
  nextFrom = 0;
  lastEnd = NO_OFFSET;
  slotCount = kept;
}

/** The next match that overlaps none before it. An empty one directly behind another does not count. */
function nextMatch(): i32 {
  while (nextFrom <= textLength) {
    const result = runProgram(text, textLength, nextFrom, slotCount);
    if (result != MATCH_FOUND) return result;
    slots = matchSlots();
    matchStart = load<u32>(slots);
    matchEnd = load<u32>(slots, 4);
    const counts = matchEnd != nextFrom || matchStart != lastEnd;
    if (matchEnd == nextFrom) {
      nextFrom += nextFrom < textLength ? widthOf(load<u8>(text + nextFrom)) : 1;
    } else nextFrom = matchEnd;
    lastEnd = matchEnd;
    if (counts) return MATCH_FOUND;
  }
  return MATCH_NONE;
}

function stopped(result: i32): u64 {
  return result == MATCH_NO_MEMORY ? noMemory() : noFuel();
}

// --- extraction -------------------------------------------------------------------------------------------

/** What a match gives: its group if the pattern has one, else the whole; an empty group gives nothing, length 0. */
let pieceStart: u32 = 0;
let pieceLength: u32 = 0;

function takePiece(): bool {
  const hasGroup = groups == 1;
  pieceStart = load<u32>(slots + (hasGroup ? 8 : 0));
  const end = load<u32>(slots + (hasGroup ? 12 : 4));
  if (pieceStart == NO_OFFSET) return false;
  pieceLength = end - pieceStart;
  return !hasGroup || pieceLength != 0;
}

/** CEL `regex.extract(text, pattern)`: an optional of the first match. More than one group is an error. */
export function regexExtract(subject: u64, pattern: u64): u64 {
  if (tagOf(subject) != TAG_STRING || tagOf(pattern) != TAG_STRING) return noOverload2(subject, pattern);
  const failure = usePattern(pattern);
  if (failure != 0) return failure;
  if (groups > 1) return fail(ERROR_BAD_ARGUMENT, pattern);
  beginMatches(subject, 4);
  const result = nextMatch();
  if (result == MATCH_NONE) return OPTIONAL_NONE;
  if (result != MATCH_FOUND) return stopped(result);
  if (!takePiece()) return OPTIONAL_NONE;
  return ofOptional(ofString(text + pieceStart, pieceLength));
}

/** Pieces found: pairs of u32, offset and length, in a block that doubles. */
let pieces: usize = 0;
let pieceCount: u32 = 0;
let pieceCapacity: u32 = 0;

function addPiece(): bool {
  if (pieceCount == pieceCapacity) {
    const larger: u32 = pieceCapacity == 0 ? 16 : pieceCapacity << 1;
    if (!fits((<usize>larger) << 3)) return false;
    const moved = allocate((<usize>larger) << 3);
    memory.copy(moved, pieces, (<usize>pieceCount) << 3);
    pieces = moved;
    pieceCapacity = larger;
  }
  const at = pieces + ((<usize>pieceCount) << 3);
  store<u32>(at, pieceStart);
  store<u32>(at, pieceLength, 4);
  pieceCount++;
  return true;
}

/** CEL `regex.extractAll(text, pattern)`: a list of what all matches give. More than one group is an error. */
export function regexExtractAll(subject: u64, pattern: u64): u64 {
  if (tagOf(subject) != TAG_STRING || tagOf(pattern) != TAG_STRING) return noOverload2(subject, pattern);
  const failure = usePattern(pattern);
  if (failure != 0) return failure;
  if (groups > 1) return fail(ERROR_BAD_ARGUMENT, pattern);
  beginMatches(subject, 4);
  pieceCount = 0;
  pieceCapacity = 0;
  let result = nextMatch();
  while (result == MATCH_FOUND) {
    if (takePiece() && !addPiece()) return noMemory();
    result = nextMatch();
  }
  if (result != MATCH_NONE) return stopped(result);
  // Per item a cell of the list and one of the string.
  if (!burn(1 + pieceCount)) return noFuel();
  if (!fits(8 + ((<usize>pieceCount) << 4))) return noMemory();
  const list = newList(pieceCount);
  for (let index: u32 = 0; index < pieceCount; index++) {
    const at = pieces + ((<usize>index) << 3);
    setItem(list, index, ofString(text + load<u32>(at), load<u32>(at, 4)));
  }
  return list;
}

// --- replacement ------------------------------------------------------------------------------------------

/** CEL `regex.replace(text, pattern, replacement)`: every match. */
export function regexReplace3(subject: u64, pattern: u64, replacement: u64): u64 {
  if (tagOf(subject) != TAG_STRING || tagOf(pattern) != TAG_STRING || tagOf(replacement) != TAG_STRING) {
    return noOverload3(subject, pattern, replacement);
  }
  return replaceMatches(subject, pattern, replacement, -1);
}

/** The same for the first `count` matches; all when it is negative. */
export function regexReplace4(subject: u64, pattern: u64, replacement: u64, count: u64): u64 {
  if (
    tagOf(subject) != TAG_STRING ||
    tagOf(pattern) != TAG_STRING ||
    tagOf(replacement) != TAG_STRING ||
    tagOf(count) != TAG_INT
  ) {
    return noOverload4(subject, pattern, replacement, count);
  }
  const limit = intOf(count);
  return limit == 0 ? subject : replaceMatches(subject, pattern, replacement, limit);
}

function replaceMatches(subject: u64, pattern: u64, replacement: u64, limit: i64): u64 {
  const failure = usePattern(pattern);
  if (failure != 0) return failure;
  const kept = groups < MAX_GROUPS ? groups : MAX_GROUPS;
  // The runs of the machine allocate and free at the end of the arena, where the text is built: places are collected first.
  beginMatches(subject, (kept + 1) << 1);
  const slotBytes = (<usize>slotCount) << 2;
  let block: usize = 0;
  let capacity: u32 = 0;
  let count: u32 = 0;
  let result = nextMatch();
  while (result == MATCH_FOUND) {
    if (count == capacity) {
      const larger: u32 = capacity == 0 ? 16 : capacity << 1;
      if (!fits(<usize>larger * slotBytes)) return noMemory();
      const moved = allocate(<usize>larger * slotBytes);
      memory.copy(moved, block, <usize>count * slotBytes);
      block = moved;
      capacity = larger;
    }
    memory.copy(block + <usize>count * slotBytes, slots, slotBytes);
    count++;
    result = <i64>count == limit ? MATCH_NONE : nextMatch();
  }
  if (result != MATCH_NONE) return stopped(result);
  beginText();
  let from: u32 = 0;
  for (let index: u32 = 0; index < count && textIsFine(); index++) {
    const at = block + <usize>index * slotBytes;
    appendBytes(text + from, <usize>(load<u32>(at) - from));
    appendReplacement(replacement, at, kept);
    from = load<u32>(at, 4);
  }
  appendBytes(text + from, <usize>(textLength - from));
  return builtText();
}

/** `\0` to `\9` stand for the match and its groups, two backslashes for one; anything else behind one is an error. */
function appendReplacement(replacement: u64, match: usize, kept: u32): void {
  const end = startOf(replacement) + lengthOf(replacement);
  let plain = startOf(replacement);
  let at = plain;
  while (at < end && textIsFine()) {
    if (load<u8>(at) != 0x5c) {
      at++;
      continue;
    }
    appendBytes(plain, at - plain);
    const next: u32 = at + 1 < end ? load<u8>(at + 1) : 0;
    if (next == 0x5c) appendByte(0x5c);
    else if (next - 0x30 < 10 && next - 0x30 <= kept) {
      const slot = match + ((<usize>(next - 0x30)) << 3);
      const start = load<u32>(slot);
      if (start != NO_OFFSET) appendBytes(text + start, <usize>(load<u32>(slot, 4) - start));
    } else {
      failText(fail(ERROR_BAD_ARGUMENT, replacement));
      return;
    }
    at += 2;
    plain = at;
  }
  appendBytes(plain, at - plain);
}
