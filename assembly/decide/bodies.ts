/**
 * Requests of several clients, decided in one call, each as if it had come alone. As with the frames of a stream (frames.ts) all are read
 * before the first is decided. A table at the beginning of the input says where they are, and afterwards what came of them:
 *
 *   before   | u32 offset of the body from the input's start | u32 length | u32 input format | u32 output format |
 *   after    | u32 status | u32 offset of the response from the output's start | u32 length | u32 zero |
 */
import { BODY_ENTRY_SIZE, FLAG_EVALUATION, FLAG_EVALUATIONS, MOST_BODIES, STATUS_OK } from "../abi";
import { beginKnownPrefixes } from "../decode/known-prefixes";
import { KEPT_SIZE, keepRequest } from "../decode/request";
import { readTogether } from "../decode/request-limits";
import { cursorStart, outputAt, outputFromStart, position } from "../encode/cursor";
import { mark, resetArena } from "../memory/arena";
import { readRequest } from "./check";
import { clearControl } from "./control";
import { evaluateRequest } from "./evaluate";
import { addDecided, beginTogether, decideKept, endTogether } from "./together";

const LENGTH: usize = 4;
const INPUT_FORMAT: usize = 8;
const OUTPUT_FORMAT: usize = 12;

/** Requests that were read, one after the other. */
const kept = memory.data(<i32>MOST_BODIES * <i32>KEPT_SIZE, 16);

/** Bytes of all responses, from the start of the output. */
export let responsesLength: u32 = 0;

/**
 * Decides the first `count` bodies of the table at `input`. CONTROL_FRAMES is how many came to STATUS_OK; CONTROL_DECISIONS, CONTROL_ALLOWED
 * and CONTROL_CONDITION_ERRORS are sums over them. `flags` are the same for all.
 */
export function checkBodies(input: usize, count: u32, flags: i32, now: f64): void {
  const most = count < <u32>MOST_BODIES ? count : <u32>MOST_BODIES;
  beginTogether();
  const first = outputFromStart();
  const end =
    (flags & (FLAG_EVALUATION | FLAG_EVALUATIONS)) == 0
      ? checkAll(input, most, first, flags, now)
      : evaluateAll(input, most, first, flags, now);
  outputFromStart();
  endTogether();
  responsesLength = <u32>(end - first);
}

function checkAll(input: usize, count: u32, first: usize, flags: i32, now: f64): usize {
  resetArena();
  beginKnownPrefixes();
  clearControl();
  for (let index: u32 = 0; index < count; index++) {
    const entry = input + <usize>index * BODY_ENTRY_SIZE;
    const status = readRequest(
      input + <usize>load<u32>(entry),
      load<u32>(entry, LENGTH),
      load<i32>(entry, INPUT_FORMAT),
    );
    const isRead = status == STATUS_OK;
    if (isRead) keepRequest(kept + <usize>index * KEPT_SIZE);
    store<i32>(entry, status);
    // What a request has begun that could not be read is no good to the next one.
    readTogether(isRead);
  }
  readTogether(false);
  const base = mark();
  let to = first;
  for (let index: u32 = 0; index < count; index++) {
    const entry = input + <usize>index * BODY_ENTRY_SIZE;
    let status = load<i32>(entry);
    outputAt(to);
    if (status == STATUS_OK) {
      const format = load<i32>(entry, OUTPUT_FORMAT);
      status = decideKept(kept + <usize>index * KEPT_SIZE, base, format, flags, now);
    }
    to = conclude(entry, status, first, to);
  }
  return to;
}

/** Bodies of the AuthZEN interface, one after the other. */
function evaluateAll(input: usize, count: u32, first: usize, flags: i32, now: f64): usize {
  let to = first;
  for (let index: u32 = 0; index < count; index++) {
    const entry = input + <usize>index * BODY_ENTRY_SIZE;
    outputAt(to);
    const status = evaluateRequest(
      input + <usize>load<u32>(entry),
      load<u32>(entry, LENGTH),
      load<i32>(entry, INPUT_FORMAT),
      load<i32>(entry, OUTPUT_FORMAT),
      flags,
      now,
    );
    to = conclude(entry, status, first, to);
  }
  return to;
}

/** Says what a body came to, whose response, if it has one, is the current output. Where the next one goes. */
function conclude(entry: usize, status: i32, first: usize, to: usize): usize {
  store<i32>(entry, status);
  if (status != STATUS_OK) return to;
  store<u32>(entry, <u32>(cursorStart - first), LENGTH);
  store<u32>(entry, <u32>(position - cursorStart), INPUT_FORMAT);
  addDecided();
  return position;
}
