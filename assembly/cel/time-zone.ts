/**
 * Zone arguments of the timestamp getters: "UTC", "" and numeric offsets `[+-]h:m`, read as leniently as
 * Cerbos reads them. Names of the IANA database: zones.ts.
 */

const MINUTE_NANOSECONDS: i64 = 60_000_000_000;
const SECOND_NANOSECONDS: i64 = 1_000_000_000;
/** 2^63, the magnitude of the least i64. */
const MAGNITUDE_LIMIT: u64 = 0x8000_0000_0000_0000;
/** 2^63 / 10, the largest prefix of a number that may take one more digit. */
const LAST_SAFE_PREFIX: u64 = MAGNITUDE_LIMIT / 10;

export const ZONE_OK: i32 = 0;
/** Not a name without a colon, and not `hours:minutes` either. */
export const ZONE_MALFORMED: i32 = 1;
/** A name for the database (zones.ts). */
export const ZONE_UNKNOWN: i32 = 2;

/** Seconds east of UTC, set by `readZone` when it answers ZONE_OK. */
export let zoneOffset: i64 = 0;

let parsed: i64 = 0;

/** Reads a zone text; ZONE_* with the offset in `zoneOffset`. */
export function readZone(start: usize, length: u32): i32 {
  let colon: u32 = 0;
  while (colon < length && load<u8>(start + colon) != 0x3a) colon++;
  if (colon == length) {
    zoneOffset = 0;
    const utc =
      length == 3 && load<u8>(start) == 0x55 && load<u8>(start + 1) == 0x54 && load<u8>(start + 2) == 0x43;
    return length == 0 || utc ? ZONE_OK : ZONE_UNKNOWN;
  }
  if (!readNumber(start, colon)) return ZONE_MALFORMED;
  const hours = parsed;
  if (!readNumber(start + colon + 1, length - colon - 1)) return ZONE_MALFORMED;
  // The sign belongs to the whole offset: "-02:30" is two and a half hours west. All of it wraps on absurd input.
  const minutes = load<u8>(start) == 0x2d ? hours * 60 - parsed : hours * 60 + parsed;
  zoneOffset = (minutes * MINUTE_NANOSECONDS) / SECOND_NANOSECONDS;
  return ZONE_OK;
}

/** An optional sign and decimal digits that fit i64, into `parsed`. */
function readNumber(start: usize, length: u32): bool {
  let at: u32 = 0;
  let negative = false;
  if (length > 0 && (load<u8>(start) == 0x2b || load<u8>(start) == 0x2d)) {
    negative = load<u8>(start) == 0x2d;
    at = 1;
  }
  if (at == length) return false;
  let value: u64 = 0;
  for (; at < length; at++) {
    const digit = <u32>load<u8>(start + at) - 0x30;
    if (digit > 9 || value > LAST_SAFE_PREFIX) return false;
    value = value * 10 + <u64>digit;
  }
  const limit: u64 = negative ? MAGNITUDE_LIMIT : MAGNITUDE_LIMIT - 1;
  if (value > limit) return false;
  parsed = negative ? <i64>(0 - value) : <i64>value;
  return true;
}
