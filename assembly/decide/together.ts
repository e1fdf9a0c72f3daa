/**
 * What frames.ts and bodies.ts have in common: requests that were all read before the first is decided, each decided then as if it had come
 * alone, and the sums over those that are decided.
 */
import {
  CONTROL_ALLOWED,
  CONTROL_CONDITION_ERRORS,
  CONTROL_DECISIONS,
  CONTROL_FRAMES,
  STATUS_FUEL,
  STATUS_MEMORY,
} from "../abi";
import { recallRequest } from "../decode/request";
import { exhausted, restart } from "../memory/arena";
import { decideRequest } from "./check";
import { clearControl, controlWord, setControl } from "./control";

/** Requests of this call that came to a decision. */
export let decided: u32 = 0;
let decisions: u32 = 0;
let allowed: u32 = 0;
let conditionErrors: u32 = 0;

/** Begins a call. */
export function beginTogether(): void {
  decided = 0;
  decisions = 0;
  allowed = 0;
  conditionErrors = 0;
}

/** Decides a request that was put away at `kept`; what the requests of this call have allocated ends at `base`. A status as of `decideRequest`. */
export function decideKept(kept: usize, base: usize, outputFormat: i32, flags: i32, now: f64): i32 {
  clearControl();
  restart(base);
  recallRequest(kept);
  const status = decideRequest(0, 0, 0, outputFormat, flags, now);
  // What was too little memory for one of several says nothing of that one alone.
  return status == STATUS_FUEL && exhausted ? STATUS_MEMORY : status;
}

/** Adds the figures of the request just decided. */
export function addDecided(): void {
  decided += 1;
  decisions += controlWord(CONTROL_DECISIONS);
  allowed += controlWord(CONTROL_ALLOWED);
  conditionErrors += controlWord(CONTROL_CONDITION_ERRORS);
}

/** Ends a call: the control block says how many requests were decided, and the sums over them. */
export function endTogether(): void {
  setControl(CONTROL_FRAMES, decided);
  setControl(CONTROL_DECISIONS, decisions);
  setControl(CONTROL_ALLOWED, allowed);
  setControl(CONTROL_CONDITION_ERRORS, conditionErrors);
}
