/** Calendar parts of timestamps (in UTC or a zone), parts of durations, and `timeSince`. */
import { duration, error, noSuchOverload, string, type Value } from "../values.ts";
import type { Family, Implementation } from "./family.ts";

/** The longest duration in nanoseconds. */
const LONGEST = 2n ** 63n - 1n;

interface Calendar {
  readonly year: number;
  /** 1-based. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const OFFSET = /^([+-]?)(\d{1,2}):(\d{2})$/u;

/** The calendar of an instant in a zone (IANA name or `±HH:MM`), undefined when the zone is unknown. */
function calendar(nanos: bigint, zone: string): Calendar | undefined {
  const milliseconds = Number((nanos - (((nanos % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
  const offset = OFFSET.exec(zone);
  if (offset !== null) {
    const minutes = (Number(offset[2]) * 60 + Number(offset[3])) * (offset[1] === "-" ? -1 : 1);
    return fromDate(new Date(milliseconds + minutes * 60_000));
  }
  if (zone === "UTC" || zone === "") return fromDate(new Date(milliseconds));
  if (zone === "Local" || zone === "Factory") return fromDate(new Date(milliseconds));
  if (!isZoneName(zone)) return undefined;
  const text = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" }).format(
    milliseconds,
  );
  const shown = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/u.exec(text);
  const size = Number(shown?.[2] ?? 0) * 3600 + Number(shown?.[3] ?? 0) * 60 + Number(shown?.[4] ?? 0);
  return fromDate(new Date(milliseconds + (shown?.[1] === "-" ? -1000 : 1000) * size));
}

/** Names that ICU knows, except those in another case and those that only ICU has (`PST`). */
function isZoneName(zone: string): boolean {
  if (
    !/^[A-Z]/u.test(zone) ||
    /[A-Z]{5}/u.test(zone) ||
    /^(?!GMT|UTC|EST|MST|HST|CET|MET|EET|WET|PRC|ROC|ROK|UCT)[A-Z]{3}$/u.test(zone)
  ) {
    return false;
  }
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/** Go refuses names that would lead out of a directory in other words than names it does not find. */
function noZone(zone: string): Value {
  return error(/^[/\\]|\.\./u.test(zone) ? "time: invalid location name" : `unknown time zone ${zone}`);
}

function fromDate(date: Date): Calendar {
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

function dayOfYear({ year, month, day }: Calendar): number {
  return (
    Math.round((Date.UTC(2000, month - 1, day) - Date.UTC(2000, 0, 1)) / 86_400_000) +
    leapCorrection(year, month)
  );
}

/** 2000 is a leap year: days after February of a common year come one earlier. */
function leapCorrection(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return !leap && month > 2 ? -1 : 0;
}

function dayOfWeek({ year, month, day }: Calendar): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCDay();
}

function part(read: (calendar: Calendar) => number, ofDuration?: (nanos: bigint) => bigint): Implementation {
  return (value, zone) => {
    if (value.kind === "duration" && ofDuration !== undefined) {
      return { kind: "int", value: ofDuration(value.nanos) };
    }
    if (value.kind !== "timestamp" || zone.kind !== "string") return noSuchOverload();
    const local = calendar(value.nanos, zone.value);
    return local === undefined ? noZone(zone.value) : { kind: "int", value: BigInt(read(local)) };
  };
}

function inUtc(implementation: Implementation): Implementation {
  const utc = string("UTC");
  return (value, _zone, c, d) => implementation(value, utc, c, d);
}

const fullYear = part(({ year }) => year);
const month = part((date) => date.month - 1);
const date = part(({ day }) => day);
const dayOfMonth = part(({ day }) => day - 1);
const weekDay = part(dayOfWeek);
const yearDay = part(dayOfYear);
const hours = part(
  ({ hour }) => hour,
  (nanos) => nanos / 3_600_000_000_000n,
);
const minutes = part(
  ({ minute }) => minute,
  (nanos) => nanos / 60_000_000_000n,
);
const seconds = part(
  ({ second }) => second,
  (nanos) => nanos / 1_000_000_000n,
);

/** The zone cannot matter, but it must exist. */
const milliseconds: Implementation = (value: Value, zone: Value) => {
  if (value.kind === "duration") return { kind: "int", value: value.nanos / 1_000_000n };
  if (value.kind !== "timestamp" || zone.kind !== "string") return noSuchOverload();
  if (calendar(value.nanos, zone.value) === undefined) return noZone(zone.value);
  const fraction = ((value.nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { kind: "int", value: fraction / 1_000_000n };
};

type Getter =
  | "getFullYear"
  | "getMonth"
  | "getDate"
  | "getDayOfMonth"
  | "getDayOfWeek"
  | "getDayOfYear"
  | "getHours"
  | "getMinutes"
  | "getSeconds"
  | "getMilliseconds";

export const TIME: Family<`${Getter}${1 | 2}` | "timeSince"> = {
  getFullYear1: inUtc(fullYear),
  getFullYear2: fullYear,
  getMonth1: inUtc(month),
  getMonth2: month,
  getDate1: inUtc(date),
  getDate2: date,
  getDayOfMonth1: inUtc(dayOfMonth),
  getDayOfMonth2: dayOfMonth,
  getDayOfWeek1: inUtc(weekDay),
  getDayOfWeek2: weekDay,
  getDayOfYear1: inUtc(yearDay),
  getDayOfYear2: yearDay,
  getHours1: inUtc(hours),
  getHours2: hours,
  getMinutes1: inUtc(minutes),
  getMinutes2: minutes,
  getSeconds1: inUtc(seconds),
  getSeconds2: seconds,
  getMilliseconds1: inUtc(milliseconds),
  getMilliseconds2: milliseconds,
  /** `timeSince(then)`: the second argument is the request's instant. Limited to what a duration holds, as Go's. */
  timeSince: (then, now) =>
    then.kind === "timestamp" && now.kind === "timestamp"
      ? duration(limited(now.nanos - then.nanos))
      : noSuchOverload(),
};

function limited(nanos: bigint): bigint {
  return nanos > LONGEST ? LONGEST : nanos < -LONGEST - 1n ? -LONGEST - 1n : nanos;
}
