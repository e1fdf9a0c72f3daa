/** Whether text is a duration or a timestamp that CEL accepts. Their values are computed by the guest. */

const DURATION =
  /^[+-]?(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h)(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))*$/;
const PART = /(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g;

/** Nanoseconds per unit. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Longest digit runs worth converting: more digits than 64 bits of nanoseconds have. */
const MAX_DIGITS = 20;

const MAX_NANOSECONDS = 2n ** 63n - 1n;

/** `1h30m`, `-1.5s`, `0`: units up to hours, at most 2^63-1 nanoseconds (2^63 when negative). */
export function isDuration(text: string): boolean {
  if (/^[+-]?0$/.test(text)) return true;
  if (!DURATION.test(text)) return false;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of text.matchAll(PART)) {
    const digits = whole.replace(/^0+/, "");
    if (digits.length > MAX_DIGITS) return false;
    const scale = UNITS[unit] ?? 0n;
    const kept = fraction.slice(0, MAX_DIGITS);
    total += BigInt(digits === "" ? 0 : digits) * scale;
    total += (BigInt(kept === "" ? 0 : kept) * scale) / 10n ** BigInt(kept.length);
  }
  return total <= (text.startsWith("-") ? MAX_NANOSECONDS + 1n : MAX_NANOSECONDS);
}

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):(\d\d))$/;

/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z in seconds since the epoch. */
const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;

/** RFC 3339 between the years 1 and 9999 in UTC. */
export function isTimestamp(text: string): boolean {
  const match = TIMESTAMP.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = match
    .slice(1)
    .map((digits: string | undefined) => Number(digits ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return false;
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return false;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const offset = (zoneHour * 60 + zoneMinute) * 60 * (/-\d\d:\d\d$/.test(text) ? -1 : 1);
  const seconds = date.getTime() / 1000 - offset;
  return seconds >= MIN_SECONDS && seconds <= MAX_SECONDS;
}

/** Seconds since the epoch within the same years. */
export function isTimestampSeconds(seconds: bigint): boolean {
  return seconds >= BigInt(MIN_SECONDS) && seconds <= BigInt(MAX_SECONDS);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
