/**
 * Why decoding stopped: the status and the place, kept outside the parse functions so that these can return
 * plain cursors (0 = stopped). Nothing here allocates, and nothing here decides what is an error.
 */
import {
  CONTROL_BASE,
  CONTROL_ERROR_DETAIL,
  CONTROL_ERROR_OFFSET,
  STATUS_OK,
  STATUS_TRUNCATED,
} from "../abi";

let status: i32 = STATUS_OK;
let place: usize = 0;
let detail: u32 = 0;
let bodyEnd: usize = 0;

/** Begins a decode of the bytes that end before `end`. */
export function expectUntil(end: usize): void {
  status = STATUS_OK;
  place = 0;
  detail = 0;
  bodyEnd = end;
}

/** Stops the decode at `at`; always answers 0. At or beyond the end of the body every failure is a truncation. */
export function refuse(why: i32, at: usize): usize {
  status = at >= bodyEnd ? STATUS_TRUNCATED : why;
  place = at < bodyEnd ? at : bodyEnd;
  return 0;
}

/** As `refuse`, for failures that more bytes would not cure (memory, limits). */
export function refuseAnyway(why: i32, at: usize, number: u32): usize {
  status = why;
  place = at;
  detail = number;
  return 0;
}

export function failureStatus(): i32 {
  return status;
}

/** Address of the byte at which decoding stopped. */
export function failurePlace(): usize {
  return place;
}

export function failureDetail(): u32 {
  return detail;
}

/** The address after the last byte of the body. */
export function endOfBody(): usize {
  return bodyEnd;
}

/** The status of a decode that ended at `at` (0 = stopped); tells the host where and how much, if it stopped. */
export function conclude(at: usize, start: usize): i32 {
  if (at != 0) return STATUS_OK;
  store<u32>(CONTROL_BASE + CONTROL_ERROR_OFFSET, <u32>(place - start));
  store<u32>(CONTROL_BASE + CONTROL_ERROR_DETAIL, detail);
  return status;
}
