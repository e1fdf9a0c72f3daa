/**
 * Writes the CheckResources response (COMPAT.md section 10.2) while resources are decided: fields in declaration order,
 * default values omitted, actions sorted by name. The two formats hold the same message; each has its own file.
 */
import { FORMAT_JSON } from "../abi";
import { jsonBegin, jsonEnd, jsonResource } from "./respond-json";
import { msgpackBegin, msgpackEnd, msgpackResource } from "./respond-msgpack";
import { cursorStart, outputFull, resetOutput } from "../encode/cursor";

let format: i32 = FORMAT_JSON;

/** Starts a response in `outputFormat`; `now` (ms) goes into the call id. */
export function beginResponse(outputFormat: i32, now: f64): void {
  format = outputFormat;
  resetOutput();
  if (format == FORMAT_JSON) jsonBegin(now);
  else msgpackBegin(now);
}

/** Writes the entry of the resource just decided. */
export function writeResource(record: usize, index: u32): void {
  if (format == FORMAT_JSON) jsonResource(record, index);
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
