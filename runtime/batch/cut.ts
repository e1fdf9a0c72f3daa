/**
 * Cuts a large request between entries of `resources`, so that several workers decide a part each: what stands before the
 * first entry, some of the entries, what stands behind the last one. Nothing is decoded here; a cut is a guess from the
 * bytes around it, and the guest's decoder is what proves it.
 *
 * Why a guess is enough: the decoder's state at the start of an entry depends on what stands before the first entry alone.
 * When it accepts every part as a complete request, it has come from that state back to it over the entries of each part, so it would accept
 * them one after the other as well, and find the same entries. Whatever else happens to a part, the request is decided whole.
 */
import { FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { cutJson } from "./cut-json.ts";
import { cutMsgpack } from "./cut-msgpack.ts";
import type { Cut } from "./slices.ts";

/** Cuts `bytes` into at most `parts` parts of about the same length; null when no places were found. */
export function cutRequest(bytes: Uint8Array, format: number, parts: number): Cut | null {
  // A Buffer searches for bytes faster than any loop here could.
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cut = format === FORMAT_MSGPACK ? cutMsgpack(buffer, parts) : cutJson(buffer, parts);
  return cut !== null && cut.slices.length > 1 ? cut : null;
}
