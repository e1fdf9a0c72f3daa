/**
 * Timestamps and durations (CEL langdef, "Timestamps and durations"): conversions, getters, `timeSince`.
 * Arithmetic is in arithmetic.ts, texts are in time-text.ts. Zones by name: zones.ts.
 */
import {
  ERROR_BAD_ARGUMENT,
  ERROR_OVERFLOW,
  ERROR_UNKNOWN_ZONE,
  ERROR_ZONE_NAME,
  TAG_DURATION,
  TAG_INT,
  TAG_STRING,
  TAG_TIMESTAMP,
} from "../abi";
import { burn } from "../memory/fuel";
import {
  fail,
  intOf,
  lengthOf,
  NULL,
  ofDuration,
  ofInt,
  ofTimestamp,
  startOf,
  tagOf,
  timestampNanos,
  timestampSeconds,
} from "../value/value";
import {
  dayOfWeek,
  floorDivide,
  SECONDS_PER_DAY,
  splitDate,
  splitDay,
  splitDayOfYear,
  splitMonth,
  splitYear,
} from "./calendar";
import { noFuel, noOverload1, noOverload2 } from "./failure";
import { NANOSECONDS, parseDuration, parseTimestamp, TIMESTAMP_MAX, TIMESTAMP_MIN } from "./time-text";
import { readZone, ZONE_MALFORMED, ZONE_OK, zoneOffset } from "./time-zone";
import { BAD_NAME, findOffset, FOUND, namedOffset } from "./zones";

export { durationText, timestampText, timestampTextUtc } from "./time-text";

// What a getter reads.
const FULL_YEAR: i32 = 0;
const MONTH: i32 = 1;
const DATE: i32 = 2;
const DAY_OF_MONTH: i32 = 3;
const DAY_OF_WEEK: i32 = 4;
const DAY_OF_YEAR: i32 = 5;
const HOURS: i32 = 6;
const MINUTES: i32 = 7;
const SECONDS: i32 = 8;
const MILLISECONDS: i32 = 9;

const MILLISECOND: i64 = 1_000_000;
const MINUTE: i64 = 60_000_000_000;
const HOUR: i64 = 3_600_000_000_000;

/** CEL `timestamp(x)`: from RFC 3339 text or int seconds; a timestamp is returned as it is. */
export function toTimestamp(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_TIMESTAMP) return value;
  if (tag == TAG_STRING) return parseTimestamp(value, startOf(value), lengthOf(value));
  if (tag != TAG_INT) return noOverload1(value);
  const seconds = intOf(value);
  if (seconds < TIMESTAMP_MIN || seconds > TIMESTAMP_MAX) return fail(ERROR_OVERFLOW, NULL);
  return ofTimestamp(seconds, 0);
}

/** CEL `duration(x)`: from text in Go's syntax; a duration is returned as it is. Cerbos has no overload for int. */
export function toDuration(value: u64): u64 {
  const tag = tagOf(value);
  if (tag == TAG_DURATION) return value;
  return tag == TAG_STRING ? parseDuration(value, startOf(value), lengthOf(value)) : noOverload1(value);
}

/** Cerbos `timeSince`: now - timestamp, limited to what a duration holds. */
export function timeSince(timestamp: u64, now: u64): u64 {
  if (tagOf(timestamp) != TAG_TIMESTAMP || tagOf(now) != TAG_TIMESTAMP) return noOverload2(timestamp, now);
  const seconds = timestampSeconds(now) - timestampSeconds(timestamp);
  const nanos = <i64>timestampNanos(now) - <i64>timestampNanos(timestamp);
  if (seconds > i64.MAX_VALUE / NANOSECONDS) return ofDuration(i64.MAX_VALUE);
  if (seconds < i64.MIN_VALUE / NANOSECONDS) return ofDuration(i64.MIN_VALUE);
  const whole = seconds * NANOSECONDS;
  const sum = whole + nanos;
  if (whole > 0 && nanos > 0 && sum < 0) return ofDuration(i64.MAX_VALUE);
  if (whole < 0 && nanos < 0 && sum >= 0) return ofDuration(i64.MIN_VALUE);
  return ofDuration(sum);
}

/** `count` units and a rest, as the whole number that Go's floating-point getters give. */
function wholeUnits(nanoseconds: i64, unit: i64): i64 {
  return <i64>(<f64>(nanoseconds / unit) + <f64>(nanoseconds % unit) / <f64>unit);
}

/** A getter on a duration: the whole duration in that unit, rounded toward zero. */
function durationField(duration: u64, field: i32): u64 {
  const nanoseconds = intOf(duration);
  if (field == HOURS) return ofInt(wholeUnits(nanoseconds, HOUR));
  if (field == MINUTES) return ofInt(wholeUnits(nanoseconds, MINUTE));
  if (field == SECONDS) return ofInt(wholeUnits(nanoseconds, NANOSECONDS));
  if (field == MILLISECONDS) return ofInt(nanoseconds / MILLISECOND);
  return noOverload1(duration);
}

function timestampField(timestamp: u64, offset: i64, field: i32): u64 {
  if (field == MILLISECONDS) return ofInt(timestampNanos(timestamp) / <u32>MILLISECOND);
  const local = timestampSeconds(timestamp) + offset;
  const day = floorDivide(local, SECONDS_PER_DAY);
  const clock = local - day * SECONDS_PER_DAY;
  if (field == HOURS) return ofInt(clock / 3600);
  if (field == MINUTES) return ofInt((clock / 60) % 60);
  if (field == SECONDS) return ofInt(clock % 60);
  if (field == DAY_OF_WEEK) return ofInt(dayOfWeek(day));
  splitDay(day);
  if (field == FULL_YEAR) return ofInt(splitYear);
  if (field == MONTH) return ofInt(splitMonth - 1);
  if (field == DATE) return ofInt(splitDate);
  if (field == DAY_OF_MONTH) return ofInt(splitDate - 1);
  return ofInt(splitDayOfYear);
}

function getUtc(value: u64, field: i32): u64 {
  const tag = tagOf(value);
  if (tag == TAG_TIMESTAMP) return timestampField(value, 0, field);
  return tag == TAG_DURATION ? durationField(value, field) : noOverload1(value);
}

function getLocal(value: u64, zone: u64, field: i32): u64 {
  if (tagOf(value) != TAG_TIMESTAMP || tagOf(zone) != TAG_STRING) return noOverload2(value, zone);
  const length = lengthOf(zone);
  // The text is walked through once, and a name looked up in two binary searches.
  if (!burn(24 + (length >> 2))) return noFuel();
  const form = readZone(startOf(zone), length);
  if (form == ZONE_OK) return timestampField(value, zoneOffset, field);
  if (form == ZONE_MALFORMED) return fail(ERROR_BAD_ARGUMENT, zone);
  const found = findOffset(startOf(zone), length, timestampSeconds(value));
  if (found == FOUND) return timestampField(value, namedOffset, field);
  return found == BAD_NAME ? fail(ERROR_ZONE_NAME, NULL) : fail(ERROR_UNKNOWN_ZONE, zone);
}

export function getFullYear1(value: u64): u64 {
  return getUtc(value, FULL_YEAR);
}
export function getFullYear2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, FULL_YEAR);
}
/** January = 0. */
export function getMonth1(value: u64): u64 {
  return getUtc(value, MONTH);
}
export function getMonth2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, MONTH);
}
/** First of the month = 1. */
export function getDate1(value: u64): u64 {
  return getUtc(value, DATE);
}
export function getDate2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, DATE);
}
/** First of the month = 0. */
export function getDayOfMonth1(value: u64): u64 {
  return getUtc(value, DAY_OF_MONTH);
}
export function getDayOfMonth2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, DAY_OF_MONTH);
}
/** Sunday = 0. */
export function getDayOfWeek1(value: u64): u64 {
  return getUtc(value, DAY_OF_WEEK);
}
export function getDayOfWeek2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, DAY_OF_WEEK);
}
/** First of January = 0. */
export function getDayOfYear1(value: u64): u64 {
  return getUtc(value, DAY_OF_YEAR);
}
export function getDayOfYear2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, DAY_OF_YEAR);
}
export function getHours1(value: u64): u64 {
  return getUtc(value, HOURS);
}
export function getHours2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, HOURS);
}
export function getMinutes1(value: u64): u64 {
  return getUtc(value, MINUTES);
}
export function getMinutes2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, MINUTES);
}
export function getSeconds1(value: u64): u64 {
  return getUtc(value, SECONDS);
}
export function getSeconds2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, SECONDS);
}
export function getMilliseconds1(value: u64): u64 {
  return getUtc(value, MILLISECONDS);
}
export function getMilliseconds2(value: u64, zone: u64): u64 {
  return getLocal(value, zone, MILLISECONDS);
}
