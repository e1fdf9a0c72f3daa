/**
 * Memory for lists of string records (roles, actions): all lists of a request share blocks of the arena, so that a short
 * list costs no allocation of its own. A list that meets the end of its block moves to a larger one.
 */
import { copyBlocks } from "../memory/bytes";
import { STRING_SIZE } from "./request";
import { reserve } from "./reserve";

/** Records in a block, at least. */
const BLOCK_RECORDS: u32 = 64;

/** The next free record, and the end of its block. */
export let freeRecord: usize = 0;
export let recordsEnd: usize = 0;

/** Begins a request: there is no block yet. */
export function openRecords(): void {
  freeRecord = 0;
  recordsEnd = 0;
}

/** Ends a list: what is before `end` is taken. */
export function takeRecords(end: usize): void {
  freeRecord = end;
}

/** Moves a list of `count` records to a block with room for as many again; its address, or 0 when it does not fit. */
export function moveRecords(first: usize, count: u32): usize {
  const room: usize = count < BLOCK_RECORDS / 2 ? BLOCK_RECORDS : count * 2;
  const block = reserve(room * STRING_SIZE);
  if (block == 0) return 0;
  copyBlocks(block, first, <usize>count * STRING_SIZE);
  recordsEnd = block + room * STRING_SIZE;
  return block;
}
