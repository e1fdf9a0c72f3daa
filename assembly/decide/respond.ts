/**
 * Writes the CheckResources response (COMPAT.md section 10.2) while resources are decided: fields in declaration order,
 * default values omitted, actions sorted by name. The two formats hold the same message; each has its own file.
 */
import { FORMAT_JSON } from "../abi";
import { jsonBegin, jsonEnd, jsonResource } from "./respond-json";
import { msgpackBegin, msgpackEnd, msgpackResource } from "./respond-msgpack";
import { cursorStart, outputFull, resetOutput } from "../encode/cursor";

let format: i32 = FORMAT_JSON;
/** 1 when entries of the same response were written by an earlier call. */
let earlier: u32 = 0;

/**
 * Starts a response in `outputFormat` with `entries` entries; `now` (ms) goes into the call id. One that `continues` has no
 * head: its entries follow those of an earlier call.
 */
export function beginResponse(outputFormat: i32, now: f64, continues: bool, entries: u32): void {
  format = outputFormat;
  earlier = continues ? 1 : 0;
  resetOutput();
  if (format == FORMAT_JSON) jsonBegin(now, !continues);
  else msgpackBegin(now, !continues, entries);
}

/** Writes the entry of the resource just decided. */
export function writeResource(record: usize, index: u32): void {
  if (format == FORMAT_JSON) jsonResource(record, index + earlier);
  else msgpackResource(record);
}

export function endResponse(): void {
  if (format == FORMAT_JSON) jsonEnd();
  else msgpackEnd();
}

/** Whether the response did not fit the output region. */
export function responseFull(): bool {
  return outputFull;
}

/** First byte of the response. */
export function responseStart(): usize {
  return cursorStart;
}
