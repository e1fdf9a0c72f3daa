/** Puts the request of one part together: head, its entries, tail. Entries of msgpack are counted for the header of their array. */
import { FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { countValues } from "./msgpack-walk.ts";

/** Where the pieces of a part are in the bytes of the whole request. */
export interface Piece {
  readonly headEnd: number;
  readonly from: number;
  readonly to: number;
  readonly tailStart: number;
}

/** The header of an array whose length takes four bytes. */
const ARRAY_32 = 0xdd;
const HEADER_SIZE = 5;

/**
 * The bytes of the part, and where its first entry is, or null when the slice does not end where a value does. `room` makes a buffer of
 * at least a length, which may be one used before.
 */
export function assemblePart(
  whole: Uint8Array,
  format: number,
  piece: Piece,
  room: (length: number) => Uint8Array,
): { readonly bytes: Uint8Array; readonly firstEntry: number } | null {
  const { headEnd, from, to, tailStart } = piece;
  const header = format === FORMAT_MSGPACK ? HEADER_SIZE : 0;
  const firstEntry = headEnd + header;
  const length = firstEntry + (to - from) + (whole.byteLength - tailStart);
  const bytes = room(length).subarray(0, length);
  bytes.set(whole.subarray(0, headEnd));
  bytes.set(whole.subarray(from, to), firstEntry);
  bytes.set(whole.subarray(tailStart), firstEntry + to - from);
  if (format === FORMAT_MSGPACK) {
    const count = countValues(bytes, firstEntry, firstEntry + to - from);
    if (count < 0) return null;
    bytes[headEnd] = ARRAY_32;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(headEnd + 1, count);
  }
  return { bytes, firstEntry };
}
