/**
 * The syntax tree of a pattern, in the arena; it lives only while the pattern is compiled.
 *
 *   0 kind | 4 first | 8 second | 12 third | 16 child | 20 last child | 24 next sibling | 28 height | 32 weight
 *
 * Height counts levels. Weight is the largest product of counted repetitions on a way down; both are bounded as in Go.
 */
import { allocate, exhausted } from "../memory/arena";

/** first: the code point. */
export const NODE_RUNE: u32 = 1;
/** first: pairs of u32, low and high; second: their number; third: place in the program + 1 once it is there. */
export const NODE_CLASS: u32 = 2;
/** first: the assertion. */
export const NODE_ASSERT: u32 = 3;
/** first: number of the group. */
export const NODE_CAPTURE: u32 = 4;
export const NODE_CONCAT: u32 = 5;
export const NODE_ALTERNATE: u32 = 6;
/** first: least; second: most, UNBOUNDED for none; third: 1 when greedy. */
export const NODE_REPEAT: u32 = 7;

export const UNBOUNDED: u32 = 0xffffffff;

const KIND: usize = 0;
const FIRST: usize = 4;
const SECOND: usize = 8;
const THIRD: usize = 12;
const CHILD: usize = 16;
const LAST_CHILD: usize = 20;
const NEXT: usize = 24;
const HEIGHT: usize = 28;
const WEIGHT: usize = 32;
const NODE_SIZE: usize = 40;

/** A node without children; 0 when the arena is full. */
export function newNode(kind: u32, first: u32, second: u32, third: u32): usize {
  const node = allocate(NODE_SIZE);
  if (exhausted) return 0;
  store<u32>(node, kind, KIND);
  store<u32>(node, first, FIRST);
  store<u32>(node, second, SECOND);
  store<u32>(node, third, THIRD);
  store<u32>(node, 0, CHILD);
  store<u32>(node, 0, LAST_CHILD);
  store<u32>(node, 0, NEXT);
  store<u32>(node, 1, HEIGHT);
  store<u32>(node, 1, WEIGHT);
  return node;
}

/** Appends a child that has no siblings yet. */
export function appendChild(node: usize, child: usize): void {
  const last: usize = load<u32>(node, LAST_CHILD);
  if (last == 0) store<u32>(node, <u32>child, CHILD);
  else store<u32>(last, <u32>child, NEXT);
  store<u32>(node, <u32>child, LAST_CHILD);
  const height = nodeHeight(child) + 1;
  if (height > nodeHeight(node)) store<u32>(node, height, HEIGHT);
  if (nodeWeight(child) > nodeWeight(node)) store<u32>(node, nodeWeight(child), WEIGHT);
}

/** Puts `wrapper`, which has no children, into the place of the last child of `node` and that child into it. */
export function wrapLastChild(node: usize, wrapper: usize): void {
  const child: usize = load<u32>(node, LAST_CHILD);
  let before: usize = 0;
  // The only child is the usual case: concatenations are searched from their next to last child, see `beforeLast`.
  if (<usize>load<u32>(node, CHILD) != child) before = load<u32>(node, THIRD);
  appendChild(wrapper, child);
  if (before == 0) store<u32>(node, <u32>wrapper, CHILD);
  else store<u32>(before, <u32>wrapper, NEXT);
  store<u32>(node, <u32>wrapper, LAST_CHILD);
}

/** Appends to a concatenation and remembers the child before, so that `wrapLastChild` need not search it. */
export function appendPart(concat: usize, part: usize): void {
  store<u32>(concat, load<u32>(concat, LAST_CHILD), THIRD);
  appendChild(concat, part);
}

/** Takes over height and weight of the last child, which has changed. */
export function remeasure(node: usize): void {
  const child: usize = load<u32>(node, LAST_CHILD);
  if (nodeHeight(child) + 1 > nodeHeight(node)) store<u32>(node, nodeHeight(child) + 1, HEIGHT);
  if (nodeWeight(child) > nodeWeight(node)) store<u32>(node, nodeWeight(child), WEIGHT);
}

export function nodeKind(node: usize): u32 {
  return load<u32>(node, KIND);
}

export function nodeFirst(node: usize): u32 {
  return load<u32>(node, FIRST);
}

export function nodeSecond(node: usize): u32 {
  return load<u32>(node, SECOND);
}

export function nodeThird(node: usize): u32 {
  return load<u32>(node, THIRD);
}

export function setNodeThird(node: usize, value: u32): void {
  store<u32>(node, value, THIRD);
}

export function firstChild(node: usize): usize {
  return load<u32>(node, CHILD);
}

export function lastChild(node: usize): usize {
  return load<u32>(node, LAST_CHILD);
}

export function nextSibling(node: usize): usize {
  return load<u32>(node, NEXT);
}

export function nodeHeight(node: usize): u32 {
  return load<u32>(node, HEIGHT);
}

export function nodeWeight(node: usize): u32 {
  return load<u32>(node, WEIGHT);
}

export function setNodeWeight(node: usize, weight: u32): void {
  store<u32>(node, weight, WEIGHT);
}
