/** The explain trace: events of four u32 words (abi.ts), recorded only when a check asks for them. */
import { CONTROL_BASE, CONTROL_TRACE_LENGTH, CONTROL_TRACE_START } from "../abi";
import { allocate, fits } from "../memory/arena";

/** Most events kept; an explanation of one resource needs far fewer. */
const MAX_EVENTS: u32 = 16384;

export let tracing: bool = false;
let start: usize = 0;
let count: u32 = 0;

/** Starts a request's trace, or switches tracing off. */
export function beginTrace(on: bool): void {
  tracing = on && fits((<usize>MAX_EVENTS) << 4);
  start = tracing ? allocate((<usize>MAX_EVENTS) << 4) : 0;
  count = 0;
  store<u32>(CONTROL_BASE, <u32>start, CONTROL_TRACE_START);
  store<u32>(CONTROL_BASE, 0, CONTROL_TRACE_LENGTH);
}

/** Records one event; callers ask `tracing` first so that the ordinary path pays one test. */
export function trace(event: u32, a: u32, b: u32, c: u32): void {
  if (!tracing || count >= MAX_EVENTS) return;
  const at = start + ((<usize>count) << 4);
  store<u32>(at, event);
  store<u32>(at, a, 4);
  store<u32>(at, b, 8);
  store<u32>(at, c, 12);
  count += 1;
  store<u32>(CONTROL_BASE, count << 4, CONTROL_TRACE_LENGTH);
}
