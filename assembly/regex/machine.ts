/**
 * Runs a program over a text: all ways at once, one code point at a time (Pike's machine), so the time is bounded by text
 * length times program length whatever the pattern. Prefers as Perl does: leftmost, then by the order of the choices.
 *
 * A list of ways is a sparse set over instructions: `dense` in order of preference, `places` tells where an instruction is.
 */
import { codePointAt, widthOf } from "../cel/code-points";
import { allocate, fits, mark, rewind } from "../memory/arena";
import { burn } from "../memory/fuel";
import { instructions, program, programLimit } from "./cache";
import {
  ASSERT_BEGIN_LINE,
  ASSERT_BEGIN_TEXT,
  ASSERT_END_LINE,
  ASSERT_END_TEXT,
  ASSERT_NO_WORD_BOUNDARY,
  ASSERT_WORD_BOUNDARY,
  INSTRUCTION_SIZE,
  MAX_SLOTS,
  OP_ASSERT,
  OP_CLASS,
  OP_JUMP,
  OP_MATCH,
  OP_RUNE,
  OP_SAVE,
  OP_SPLIT,
  OPERAND_FIRST,
  OPERAND_SECOND,
} from "./program";

export const MATCH_NONE: i32 = 0;
export const MATCH_FOUND: i32 = 1;
export const MATCH_NO_FUEL: i32 = 2;
export const MATCH_NO_MEMORY: i32 = 3;

/** Offset of a group that took no part. */
export const NO_OFFSET: u32 = 0xffffffff;

/** No code point: behind the end or before the begin. */
const NO_RUNE: u32 = 0xffffffff;
/** On the stack: not an instruction to visit, but a slot to restore. */
const RESTORE: u32 = 0x80000000;
const STACK_ENTRY: usize = 8;

let text: usize = 0;
let textEnd: usize = 0;
let slots: u32 = 0;
/** Slots of the match, u32 offsets into the text. */
let found: usize = 0;
/** Slots of the way that is being followed. */
let current: usize = 0;
let stack: usize = 0;
/** Instructions visited since fuel was last burnt. */
let visited: u32 = 0;

// The list that is being filled.
let dense: usize = 0;
let places: usize = 0;
let saved: usize = 0;
let size: u32 = 0;

/**
 * Finds the first match of the current program at byte `from` or later. `slotCount` slots are kept (0: only whether there is
 * a match); they lie at `matchSlots` until the arena is rewound.
 */
export function runProgram(start: usize, length: u32, from: u32, slotCount: u32): i32 {
  slots = slotCount;
  const count = <usize>instructions;
  const slotBytes = (<usize>slotCount) << 2;
  const listBytes = (count << 3) + count * slotBytes;
  const total = 2 * listBytes + (count + 2) * 2 * STACK_ENTRY + 2 * ((<usize>MAX_SLOTS) << 2);
  if (!fits(total)) return MATCH_NO_MEMORY;
  found = allocate((<usize>MAX_SLOTS) << 2);
  const position = mark();
  current = allocate((<usize>MAX_SLOTS) << 2);
  stack = allocate((count + 2) * 2 * STACK_ENTRY);
  const one = allocate(listBytes);
  const other = allocate(listBytes);
  text = start;
  textEnd = start + length;
  const result = run(start + from, one, other, count);
  rewind(position);
  return result;
}

export function matchSlots(): usize {
  return found;
}

function useList(list: usize, count: usize): void {
  dense = list;
  places = list + (count << 2);
  saved = list + (count << 3);
  size = 0;
}

function run(from: usize, one: usize, other: usize, count: usize): i32 {
  let list = one;
  let spare = other;
  let matched = false;
  let at = from;
  let before = from == text ? NO_RUNE : runeBefore(from);
  useList(list, count);
  const begins = startsAtBegin();
  const lead = leadByte();
  for (;;) {
    if (size == 0) {
      if (matched || (begins && at != text)) break;
      const skipTo = lead < 0x80 ? findByte(at, lead) : at;
      if (skipTo != at) {
        if (!burn(1 + (<u32>(skipTo - at) >> 4))) return MATCH_NO_FUEL;
        if (skipTo == textEnd) break;
        at = skipTo;
        before = runeBefore(at);
      }
    }
    const rune = at < textEnd ? codePointAt(at, textEnd) : NO_RUNE;
    visited = 1;
    if (!matched) {
      for (let slot: u32 = 0; slot < slots; slot++) store<u32>(current + ((<usize>slot) << 2), NO_OFFSET);
      if (slots != 0) store<u32>(current, <u32>(at - text));
      follow(0, <u32>(at - text), assertionsAt(at, before, rune));
    }
    const fromDense = dense;
    const fromSaved = saved;
    const fromSize = size;
    const next = rune == NO_RUNE ? at : at + <usize>widthOf(load<u8>(at));
    const after = next < textEnd ? codePointAt(next, textEnd) : NO_RUNE;
    const assertions = assertionsAt(next, rune, after);
    useList(spare, count);
    for (let index: u32 = 0; index < fromSize; index++) {
      const instruction = load<u32>(fromDense + ((<usize>index) << 2));
      const place = program + <usize>instruction * INSTRUCTION_SIZE;
      const operation = load<u32>(place);
      const ownSlots = fromSaved + <usize>index * ((<usize>slots) << 2);
      if (operation == OP_MATCH) {
        if (slots == 0) return MATCH_FOUND;
        memory.copy(found, ownSlots, (<usize>slots) << 2);
        store<u32>(found, <u32>(at - text), 4);
        matched = true;
        // The ways behind this one are less preferred.
        break;
      }
      if (rune == NO_RUNE || !accepts(place, operation, rune)) continue;
      if (slots != 0) memory.copy(current, ownSlots, (<usize>slots) << 2);
      follow(instruction + 1, <u32>(next - text), assertions);
    }
    if (!burn(visited + fromSize)) return MATCH_NO_FUEL;
    if (rune == NO_RUNE) break;
    const swapped = list;
    list = spare;
    spare = swapped;
    before = rune;
    at = next;
  }
  return matched ? MATCH_FOUND : MATCH_NONE;
}

/** Adds everything that can be reached from an instruction without reading, in order of preference. */
function follow(first: u32, offset: u32, assertions: u32): void {
  let depth: usize = 0;
  let instruction = first;
  for (;;) {
    // One way after the other; the stack holds the alternatives left for later.
    while (!has(instruction)) {
      include(instruction);
      visited++;
      const place = program + <usize>instruction * INSTRUCTION_SIZE;
      const operation = load<u32>(place);
      if (operation == OP_JUMP) {
        instruction = load<u32>(place, OPERAND_FIRST);
      } else if (operation == OP_SPLIT) {
        push(depth++, load<u32>(place, OPERAND_SECOND), 0);
        instruction = load<u32>(place, OPERAND_FIRST);
      } else if (operation == OP_SAVE) {
        const slot = load<u32>(place, OPERAND_FIRST);
        if (slot < slots) {
          const cell = current + ((<usize>slot) << 2);
          push(depth++, RESTORE | slot, load<u32>(cell));
          store<u32>(cell, offset);
        }
        instruction++;
      } else if (operation == OP_ASSERT) {
        if ((load<u32>(place, OPERAND_FIRST) & assertions) == 0) break;
        instruction++;
      } else {
        keepSlots();
        break;
      }
    }
    let resumed = false;
    while (depth > 0 && !resumed) {
      depth--;
      const entry = stack + depth * STACK_ENTRY;
      const what = load<u32>(entry);
      if ((what & RESTORE) == 0) {
        instruction = what;
        resumed = true;
      } else store<u32>(current + ((<usize>(what & ~RESTORE)) << 2), load<u32>(entry, 4));
    }
    if (!resumed) return;
  }
}

function push(depth: usize, what: u32, value: u32): void {
  const entry = stack + depth * STACK_ENTRY;
  store<u32>(entry, what);
  store<u32>(entry, value, 4);
}

function has(instruction: u32): bool {
  const place = load<u32>(places + ((<usize>instruction) << 2));
  return place < size && load<u32>(dense + ((<usize>place) << 2)) == instruction;
}

function include(instruction: u32): void {
  store<u32>(dense + ((<usize>size) << 2), instruction);
  store<u32>(places + ((<usize>instruction) << 2), size);
  size++;
}

function keepSlots(): void {
  if (slots != 0)
    memory.copy(saved + <usize>(size - 1) * ((<usize>slots) << 2), current, (<usize>slots) << 2);
}

function accepts(place: usize, operation: u32, rune: u32): bool {
  if (operation == OP_RUNE) return load<u32>(place, OPERAND_FIRST) == rune;
  if (operation != OP_CLASS) return false;
  const ranges = programLimit - <usize>load<u32>(place, OPERAND_FIRST);
  let low: u32 = 0;
  let high = load<u32>(place, OPERAND_SECOND);
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges + ((<usize>middle) << 3);
    if (rune < load<u32>(range)) high = middle;
    else if (rune > load<u32>(range, 4)) low = middle + 1;
    else return true;
  }
  return false;
}

function isWordRune(rune: u32): bool {
  return rune - 0x30 < 10 || (rune < 0x80 && (rune | 0x20) - 0x61 < 26) || rune == 0x5f;
}

/** What holds between two code points. */
function assertionsAt(at: usize, before: u32, after: u32): u32 {
  let held = isWordRune(before) == isWordRune(after) ? ASSERT_NO_WORD_BOUNDARY : ASSERT_WORD_BOUNDARY;
  if (at == text) held |= ASSERT_BEGIN_TEXT | ASSERT_BEGIN_LINE;
  if (before == 0x0a) held |= ASSERT_BEGIN_LINE;
  if (after == NO_RUNE) held |= ASSERT_END_TEXT | ASSERT_END_LINE;
  if (after == 0x0a) held |= ASSERT_END_LINE;
  return held;
}

/** The code point that ends at `at`, which is not the begin of the text. */
function runeBefore(at: usize): u32 {
  let start = at - 1;
  while (start > text && (load<u8>(start) & 0xc0) == 0x80) start--;
  return codePointAt(start, textEnd);
}

/** The first instruction that is no capture. */
function firstInstruction(): usize {
  let place = program;
  while (load<u32>(place) == OP_SAVE) place += INSTRUCTION_SIZE;
  return place;
}

/** Whether a match can only begin where the text does. */
function startsAtBegin(): bool {
  const place = firstInstruction();
  return load<u32>(place) == OP_ASSERT && load<u32>(place, OPERAND_FIRST) == ASSERT_BEGIN_TEXT;
}

/** The byte every match begins with; 0x80 when there is none, or none in ASCII. */
function leadByte(): u32 {
  const place = firstInstruction();
  if (load<u32>(place) != OP_RUNE) return 0x80;
  const rune = load<u32>(place, OPERAND_FIRST);
  return rune < 0x80 ? rune : 0x80;
}

function findByte(from: usize, byte: u32): usize {
  let at = from;
  while (at < textEnd && <u32>load<u8>(at) != byte) at++;
  return at;
}
