/** What both formats have in common when a request is cut: where the cuts are, and how its entries are divided evenly. */

/** Bytes of one part's entries: `from` included, `to` not. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** Where a request was cut. */
export interface Cut {
  /** End of what stands before the entries. In msgpack the header of the array, which every part has its own of, is left out. */
  readonly headEnd: number;
  /** Start of what stands behind them. */
  readonly tailStart: number;
  /** Two or more, in order. */
  readonly slices: readonly Slice[];
  /** Entries that the request says it has, in msgpack; 0 in JSON, which does not say. */
  readonly entries: number;
}

/** How far from where it would like to cut this looks for a place, and how long head and tail may be. */
export const REACH = 64 * 1024;

/** Names of the request's fields beside `resources`. */
export const OTHER_FIELDS: readonly string[] = [
  "requestId",
  "request_id",
  "includeMeta",
  "include_meta",
  "principal",
  "auxData",
  "aux_data",
  "requestContext",
  "request_context",
];

/**
 * Divides the bytes from `from` to `to` into at most `parts` slices. `next` answers where an entry starts at or after a
 * position and where the one before it ends, or null.
 */
export function divide(
  from: number,
  to: number,
  parts: number,
  next: (position: number, limit: number) => { readonly end: number; readonly start: number } | null,
): readonly Slice[] {
  const slices: Slice[] = [];
  let start = from;
  for (let index = 1; index < parts; index++) {
    const wanted = from + Math.floor(((to - from) / parts) * index);
    if (wanted <= start) continue;
    const place = next(wanted, Math.min(to, wanted + REACH));
    if (place === null || place.end <= start || place.start >= to) continue;
    slices.push({ from: start, to: place.end });
    start = place.start;
  }
  slices.push({ from: start, to });
  return slices;
}
