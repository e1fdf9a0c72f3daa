/**
 * From a pattern to its syntax tree: RE2's syntax as Go's regexp package reads it (Perl flags). No recursion: open groups are
 * a chain in the arena. Bounded like Go: counts up to 1000 also as a product of nested ones, 1000 levels.
 */
import { allocate, exhausted } from "../memory/arena";
import { burn, outOfFuel } from "../memory/fuel";
import {
  beginClass,
  beginClasses,
  classCount,
  classIsFine,
  classRanges,
  addRange,
  addFoldedRange,
  cleanClass,
} from "./classes";
import { BAD_RUNE, CLASS_TAKEN, CLASS_WRONG, takeBracketClass, takeClassEscape, takeEscape } from "./escapes";
import {
  appendChild,
  appendPart,
  firstChild,
  lastChild,
  newNode,
  NODE_ALTERNATE,
  NODE_ASSERT,
  NODE_CAPTURE,
  NODE_CLASS,
  NODE_CONCAT,
  NODE_REPEAT,
  NODE_RUNE,
  nodeHeight,
  nodeWeight,
  remeasure,
  setNodeWeight,
  UNBOUNDED,
  wrapLastChild,
} from "./nodes";
import {
  at,
  atEnd,
  beginPattern,
  FLAG_DOT_ALL,
  FLAG_FOLD,
  FLAG_LAZY,
  FLAG_LINES,
  flags,
  moveTo,
  peek,
  setFlags,
  skip,
  take,
  takeRune,
} from "./parser-state";
import {
  ASSERT_BEGIN_LINE,
  ASSERT_BEGIN_TEXT,
  ASSERT_END_LINE,
  ASSERT_END_TEXT,
  ASSERT_NO_WORD_BOUNDARY,
  ASSERT_WORD_BOUNDARY,
} from "./program";
import { foldNext } from "./unicode";

const MAX_REPEAT: u32 = 1000;
const MAX_HEIGHT: u32 = 1000;
/** A number in braces that is larger than any allowed one. */
const HUGE: u32 = 100_000_000;

const NEWLINE: u32 = 0x0a;

// An open group: | alternation | concatenation | group node, 0 for none | flags outside | frame around, 0 |
const FRAME_SIZE: usize = 24;

let alternation: usize = 0;
let concat: usize = 0;
let frame: usize = 0;
let groups: u32 = 0;

/** The tree of a pattern; 0 when it is wrong, or when fuel or arena are used up (they know). */
export function parsePattern(start: usize, length: u32): usize {
  beginPattern(start, length);
  beginClasses();
  frame = 0;
  groups = 0;
  if (!beginAlternatives()) return 0;
  while (!atEnd()) {
    if (!burn(1) || !parseItem() || exhausted) return 0;
    if (nodeHeight(concat) > MAX_HEIGHT) return 0;
  }
  if (frame != 0 || exhausted || outOfFuel()) return 0;
  const tree = finishAlternatives();
  return nodeHeight(tree) > MAX_HEIGHT ? 0 : tree;
}

/** Number of capturing groups of the pattern parsed last. */
export function groupCount(): u32 {
  return groups;
}

function beginAlternatives(): bool {
  alternation = newNode(NODE_ALTERNATE, 0, 0, 0);
  concat = newNode(NODE_CONCAT, 0, 0, 0);
  return alternation != 0 && concat != 0;
}

/** Ends a concatenation or alternation: one part alone stands for itself. */
function collapse(node: usize): usize {
  const only = firstChild(node);
  return only != 0 && only == lastChild(node) ? only : node;
}

function finishAlternatives(): usize {
  appendChild(alternation, collapse(concat));
  return collapse(alternation);
}

function append(node: usize): bool {
  if (node == 0) return false;
  appendPart(concat, node);
  return true;
}

function parseItem(): bool {
  const byte = peek(0);
  switch (byte) {
    case 0x28: // (
      return openGroup();
    case 0x29: // )
      return closeGroup();
    case 0x7c: // |
      skip(1);
      appendChild(alternation, collapse(concat));
      concat = newNode(NODE_CONCAT, 0, 0, 0);
      return concat != 0;
    case 0x5e: // ^
      skip(1);
      return assertion((flags & FLAG_LINES) != 0 ? ASSERT_BEGIN_LINE : ASSERT_BEGIN_TEXT);
    case 0x24: // $
      skip(1);
      return assertion((flags & FLAG_LINES) != 0 ? ASSERT_END_LINE : ASSERT_END_TEXT);
    case 0x2e: // .
      skip(1);
      return anyRune();
    case 0x5b: // [
      skip(1);
      return takeBracketClass() && append(classNode());
    case 0x2a: // *
    case 0x2b: // +
    case 0x3f: // ?
    case 0x7b: // {
      return parseRepeat(byte);
    case 0x5c: // backslash
      return parseEscape();
    default:
      return literal(takeRune());
  }
}

function assertion(kind: u32): bool {
  return append(newNode(NODE_ASSERT, kind, 0, 0));
}

/** The class built last. */
function classNode(): usize {
  return classIsFine() ? newNode(NODE_CLASS, <u32>classRanges(), classCount(), 0) : 0;
}

function anyRune(): bool {
  beginClass();
  if ((flags & FLAG_DOT_ALL) != 0) addRange(0, 0x10ffff);
  else {
    addRange(0, NEWLINE - 1);
    addRange(NEWLINE + 1, 0x10ffff);
  }
  return append(classNode());
}

function literal(rune: u32): bool {
  if ((flags & FLAG_FOLD) == 0 || foldNext(rune) == rune) return append(newNode(NODE_RUNE, rune, 0, 0));
  beginClass();
  addFoldedRange(rune, rune);
  cleanClass(0);
  return append(classNode());
}

// --- groups and flags -------------------------------------------------------------------------------------

function openGroup(): bool {
  skip(1);
  let node: usize = 0;
  const outside = flags;
  if (take(0x3f)) {
    if (peek(0) == 0x3c || (peek(0) == 0x50 && peek(1) == 0x3c)) {
      skip(peek(0) == 0x3c ? 1 : 2);
      if (!takeName()) return false;
      node = newNode(NODE_CAPTURE, ++groups, 0, 0);
      if (node == 0) return false;
    } else {
      const after = takeFlags();
      if (after != 0x3a) return after == 0x29;
    }
  } else {
    node = newNode(NODE_CAPTURE, ++groups, 0, 0);
    if (node == 0) return false;
  }
  const opened = allocate(FRAME_SIZE);
  if (exhausted) return false;
  store<u32>(opened, <u32>alternation);
  store<u32>(opened, <u32>concat, 4);
  store<u32>(opened, <u32>node, 8);
  store<u32>(opened, outside, 12);
  store<u32>(opened, <u32>frame, 16);
  frame = opened;
  return beginAlternatives();
}

function closeGroup(): bool {
  if (frame == 0) return false;
  skip(1);
  const inner = finishAlternatives();
  const node: usize = load<u32>(frame, 8);
  alternation = load<u32>(frame);
  concat = load<u32>(frame, 4);
  setFlags(load<u32>(frame, 12));
  frame = load<u32>(frame, 16);
  if (node == 0) return append(inner);
  appendChild(node, inner);
  return append(node);
}

/** Letters, digits and underlines up to `>`; several groups may have one name. */
function takeName(): bool {
  const start = at;
  while (!atEnd() && peek(0) != 0x3e) {
    const byte = peek(0);
    const lower = byte | 0x20;
    if (byte - 0x30 >= 10 && lower - 0x61 >= 26 && byte != 0x5f) return false;
    skip(1);
  }
  return at != start && take(0x3e);
}

/** Flags up to `:` or `)`, which is the answer; 0 when they are wrong. */
function takeFlags(): u32 {
  let wanted = flags;
  let clears = false;
  let saw = false;
  while (!atEnd()) {
    const byte = peek(0);
    skip(1);
    let flag: u32 = 0;
    if (byte == 0x69) flag = FLAG_FOLD;
    else if (byte == 0x6d) flag = FLAG_LINES;
    else if (byte == 0x73) flag = FLAG_DOT_ALL;
    else if (byte == 0x55) flag = FLAG_LAZY;
    if (flag != 0) {
      wanted = clears ? wanted & ~flag : wanted | flag;
      saw = true;
    } else if (byte == 0x2d) {
      if (clears) return 0;
      clears = true;
      saw = false;
    } else if (byte == 0x3a || byte == 0x29) {
      if (clears && !saw) return 0;
      setFlags(wanted);
      return byte;
    } else return 0;
  }
  return 0;
}

// --- repetition -------------------------------------------------------------------------------------------

let least: u32 = 0;
let most: u32 = 0;

/** `*`, `+`, `?` and counts; a brace that begins no count stands for itself. */
function parseRepeat(operator: u32): bool {
  const start = at;
  let counted = false;
  if (operator == 0x7b) {
    if (!takeCount()) {
      moveTo(start);
      return literal(takeRune());
    }
    if (least > MAX_REPEAT || (most != UNBOUNDED && (most > MAX_REPEAT || least > most))) return false;
    counted = true;
  } else {
    skip(1);
    least = operator == 0x2b ? 1 : 0;
    most = operator == 0x3f ? 1 : UNBOUNDED;
  }
  let lazy = (flags & FLAG_LAZY) != 0;
  if (take(0x3f)) lazy = !lazy;
  if (lastChild(concat) == 0 || startsRepeat()) return false;
  const node = newNode(NODE_REPEAT, least, most, lazy ? 0 : 1);
  if (node == 0) return false;
  wrapLastChild(concat, node);
  if (counted) {
    const factor = most == UNBOUNDED ? least : most;
    const weight: u32 = most == 0 ? 1 : nodeWeight(node) * (factor == 0 ? 1 : factor);
    if ((least >= 2 || (most >= 2 && most != UNBOUNDED)) && weight > MAX_REPEAT) return false;
    setNodeWeight(node, weight);
  }
  remeasure(concat);
  return true;
}

/** Whether another repetition follows directly, which RE2 refuses. */
function startsRepeat(): bool {
  const byte = peek(0);
  if (byte == 0x2a || byte == 0x2b || byte == 0x3f) return true;
  if (byte != 0x7b) return false;
  const start = at;
  const keptLeast = least;
  const keptMost = most;
  const isCount = takeCount();
  least = keptLeast;
  most = keptMost;
  moveTo(start);
  return isCount;
}

/** `{n}`, `{n,}` or `{n,m}`; the place is at the brace, and behind the count when there is one. */
function takeCount(): bool {
  skip(1);
  least = takeNumber();
  if (least == UNBOUNDED) return false;
  most = least;
  if (take(0x2c)) {
    if (peek(0) == 0x7d) most = UNBOUNDED;
    else {
      most = takeNumber();
      if (most == UNBOUNDED) return false;
    }
  }
  return take(0x7d);
}

/** A decimal number without leading zeros, HUGE at most; UNBOUNDED when there is none. */
function takeNumber(): u32 {
  if (peek(0) - 0x30 >= 10) return UNBOUNDED;
  if (peek(0) == 0x30 && peek(1) - 0x30 < 10) return UNBOUNDED;
  let value: u32 = 0;
  while (peek(0) - 0x30 < 10) {
    value = value * 10 + peek(0) - 0x30;
    if (value > HUGE) value = HUGE;
    skip(1);
  }
  return value;
}

// --- escapes ----------------------------------------------------------------------------------------------

function parseEscape(): bool {
  switch (peek(1)) {
    case 0x41: // A
      skip(2);
      return assertion(ASSERT_BEGIN_TEXT);
    case 0x7a: // z
      skip(2);
      return assertion(ASSERT_END_TEXT);
    case 0x62: // b
      skip(2);
      return assertion(ASSERT_WORD_BOUNDARY);
    case 0x42: // B
      skip(2);
      return assertion(ASSERT_NO_WORD_BOUNDARY);
    case 0x51: // Q
      skip(2);
      return quoted();
    default:
      break;
  }
  beginClass();
  const named = takeClassEscape();
  if (named == CLASS_WRONG) return false;
  if (named == CLASS_TAKEN) return append(classNode());
  const rune = takeEscape();
  return rune != BAD_RUNE && literal(rune);
}

/** Everything up to `\E` or the end stands for itself. */
function quoted(): bool {
  while (!atEnd()) {
    if (peek(0) == 0x5c && peek(1) == 0x45) {
      skip(2);
      return true;
    }
    if (!burn(1) || !literal(takeRune())) return false;
  }
  return true;
}
