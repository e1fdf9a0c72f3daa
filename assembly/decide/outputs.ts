/**
 * Rule outputs of the current resource, in the order rules were evaluated.
 *
 *   entry (48 bytes)
 *   | u32 policy key kind | u32 scope symbol | u32 role block | u32 rule name start | u32 rule name length |
 *   | u32 action record | u64 value | u32 next entry (0 = last) | ... zero |
 */
import { allocate, fits } from "../memory/arena";
import { output } from "./state";

export const OUTPUT_KEY_KIND: usize = 0;
export const OUTPUT_KEY_SCOPE: usize = 4;
export const OUTPUT_KEY_BLOCK: usize = 8;
export const OUTPUT_NAME_START: usize = 12;
export const OUTPUT_NAME_LENGTH: usize = 16;
export const OUTPUT_ACTION: usize = 20;
export const OUTPUT_VALUE: usize = 24;
export const OUTPUT_NEXT: usize = 32;
const OUTPUT_SIZE: usize = 48;

/** First entry of the current resource, 0 when there is none. */
export let firstOutput: usize = 0;
let lastOutput: usize = 0;

export function beginOutputs(): void {
  firstOutput = 0;
  lastOutput = 0;
}

/**
 * Evaluates the output of a row that has just been decided. `outputs` are the row's four output words; the rest says
 * whose rule it is and for which action.
 */
export function emitOutput(
  outputs: usize,
  applied: bool,
  keyKind: u32,
  keyScope: u32,
  keyBlock: usize,
  action: usize,
): void {
  const id = load<u32>(outputs + (applied ? 0 : 4));
  if (id == 0 || !fits(OUTPUT_SIZE)) return;
  const entry = allocate(OUTPUT_SIZE);
  store<u32>(entry, keyKind, OUTPUT_KEY_KIND);
  store<u32>(entry, keyScope, OUTPUT_KEY_SCOPE);
  store<u32>(entry, <u32>keyBlock, OUTPUT_KEY_BLOCK);
  store<u32>(entry, load<u32>(outputs, 8), OUTPUT_NAME_START);
  store<u32>(entry, load<u32>(outputs, 12), OUTPUT_NAME_LENGTH);
  store<u32>(entry, <u32>action, OUTPUT_ACTION);
  store<u64>(entry, output(<i32>id - 1), OUTPUT_VALUE);
  store<u32>(entry, 0, OUTPUT_NEXT);
  if (lastOutput == 0) firstOutput = entry;
  else store<u32>(lastOutput, <u32>entry, OUTPUT_NEXT);
  lastOutput = entry;
}
