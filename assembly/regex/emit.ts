/**
 * From a syntax tree to a program. Instructions grow up from the first byte of the room given, classes down from its end; at
 * last the classes are moved behind the instructions. Recursion is as deep as the tree, which parse.ts bounds.
 */
import { burn } from "../memory/fuel";
import {
  firstChild,
  nextSibling,
  NODE_ALTERNATE,
  NODE_ASSERT,
  NODE_CAPTURE,
  NODE_CLASS,
  NODE_CONCAT,
  NODE_REPEAT,
  NODE_RUNE,
  nodeFirst,
  nodeKind,
  nodeSecond,
  nodeThird,
  setNodeThird,
  UNBOUNDED,
} from "./nodes";
import {
  INSTRUCTION_SIZE,
  MAX_GROUPS,
  MAX_INSTRUCTIONS,
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

let base: usize = 0;
let limit: usize = 0;
/** First byte of the classes. */
let classes: usize = 0;
let count: u32 = 0;
let isFull: bool = false;

/** Writes the program of a tree into [start, end); false when it does not fit or the fuel is used up. */
export function emitProgram(tree: usize, start: usize, end: usize): bool {
  base = start;
  limit = end & ~3;
  classes = limit;
  count = 0;
  isFull = false;
  emit(tree);
  add(OP_MATCH, 0, 0);
  if (isFull) return false;
  const size = limit - classes;
  const target = base + <usize>count * INSTRUCTION_SIZE;
  memory.copy(target, classes, size);
  limit = target + size;
  return true;
}

/** Number of instructions of the program written last. */
export function programLength(): u32 {
  return count;
}

/** Its end, from which places of classes are counted back. */
export function programEnd(): usize {
  return limit;
}

/** Appends an instruction; answers its number. */
function add(operation: u32, first: u32, second: u32): u32 {
  const at = base + <usize>count * INSTRUCTION_SIZE;
  if (count >= MAX_INSTRUCTIONS || at + INSTRUCTION_SIZE > classes || !burn(1)) {
    isFull = true;
    return 0;
  }
  store<u32>(at, operation);
  store<u32>(at, first, OPERAND_FIRST);
  store<u32>(at, second, OPERAND_SECOND);
  return count++;
}

function setOperand(instruction: u32, operand: usize, value: u32): void {
  if (!isFull) store<u32>(base + <usize>instruction * INSTRUCTION_SIZE + operand, value);
}

function emit(node: usize): void {
  if (isFull) return;
  if (!burn(1)) {
    isFull = true;
    return;
  }
  switch (nodeKind(node)) {
    case NODE_RUNE:
      add(OP_RUNE, nodeFirst(node), 0);
      return;
    case NODE_CLASS:
      emitClass(node);
      return;
    case NODE_ASSERT:
      add(OP_ASSERT, nodeFirst(node), 0);
      return;
    case NODE_CAPTURE: {
      const isKept = nodeFirst(node) <= MAX_GROUPS;
      const slot = nodeFirst(node) << 1;
      if (isKept) add(OP_SAVE, slot, 0);
      emit(firstChild(node));
      if (isKept) add(OP_SAVE, slot + 1, 0);
      return;
    }
    case NODE_CONCAT:
      for (let part = firstChild(node); part != 0; part = nextSibling(part)) emit(part);
      return;
    case NODE_ALTERNATE:
      emitAlternatives(node);
      return;
    case NODE_REPEAT:
      emitRepeat(node);
      return;
    default:
      return;
  }
}

function emitClass(node: usize): void {
  const ranges = nodeSecond(node);
  let place = nodeThird(node);
  if (place == 0) {
    const size = (<usize>ranges) << 3;
    if (classes - base < size + INSTRUCTION_SIZE || !burn(ranges >> 2)) {
      isFull = true;
      return;
    }
    classes -= size;
    memory.copy(classes, nodeFirst(node), size);
    place = <u32>(limit - classes) + 1;
    // Copies of a repeated class share its ranges.
    setNodeThird(node, place);
  }
  add(OP_CLASS, place - 1, ranges);
}

/** Jumps to the end are chained through their operands until it is known. */
function emitAlternatives(node: usize): void {
  let pending: u32 = 0;
  for (let option = firstChild(node); option != 0 && !isFull; option = nextSibling(option)) {
    if (nextSibling(option) == 0) {
      emit(option);
      break;
    }
    const split = add(OP_SPLIT, count + 1, 0);
    emit(option);
    pending = add(OP_JUMP, pending, 0) + 1;
    setOperand(split, OPERAND_SECOND, count);
  }
  settle(pending, OPERAND_FIRST);
}

/** Sends a chain of instructions, each holding the number of the one before + 1, to the place reached. */
function settle(chain: u32, operand: usize): void {
  if (isFull) return;
  let pending = chain;
  while (pending != 0) {
    const at = base + <usize>(pending - 1) * INSTRUCTION_SIZE + operand;
    pending = load<u32>(at);
    store<u32>(at, count);
  }
}

/** Goes to `next` or past the loop, in the order of greed; the way out is filled in by `leaveAt`. */
function addChoice(greedy: bool, next: u32): u32 {
  return greedy ? add(OP_SPLIT, next, 0) : add(OP_SPLIT, 0, next);
}

function leaveAt(choice: u32, greedy: bool): void {
  setOperand(choice, greedy ? OPERAND_SECOND : OPERAND_FIRST, count);
}

/**
 * x{n,} is n - 1 copies and x+; x* is (x+)?, which keeps the order of preference where x can match nothing;
 * x{n,m} is n copies and m - n nested x?, all of which leave at the same place.
 */
function emitRepeat(node: usize): void {
  const child = firstChild(node);
  const least = nodeFirst(node);
  const most = nodeSecond(node);
  const greedy = nodeThird(node) != 0;
  if (most == UNBOUNDED) {
    for (let copy: u32 = 1; copy < least && !isFull; copy++) emit(child);
    const skips = least == 0;
    const entry = skips ? addChoice(greedy, count + 1) : 0;
    const start = count;
    emit(child);
    const again = addChoice(greedy, start);
    leaveAt(again, greedy);
    if (skips) leaveAt(entry, greedy);
    return;
  }
  for (let copy: u32 = 0; copy < least && !isFull; copy++) emit(child);
  let pending: u32 = 0;
  for (let copy = least; copy < most && !isFull; copy++) {
    const choice = addChoice(greedy, count + 1);
    // The way out holds the choice before until the end is known.
    setOperand(choice, greedy ? OPERAND_SECOND : OPERAND_FIRST, pending);
    pending = choice + 1;
    emit(child);
  }
  settle(pending, greedy ? OPERAND_SECOND : OPERAND_FIRST);
}
