/** Durations as Go writes them and RFC 3339 timestamps, to nanoseconds. */

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  "\u00b5s": 1_000n,
  "\u03bcs": 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const DURATION = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/u;
const TERM = /(\d*)\.?(\d*)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/gu;

/** `1h30m`, `-0.5s`, `0`; undefined when malformed. */
export function parseDuration(text: string): bigint | undefined {
  if (/^[+-]?0$/u.test(text)) return 0n;
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of (match[2] ?? "").matchAll(TERM)) {
    const scale = UNITS[unit] ?? 0n;
    total += BigInt(whole === "" ? "0" : whole) * scale;
    if (fraction !== "") total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length);
  }
  return match[1] === "-" ? -total : total;
}

const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:Z|([+-])(\d{2}):(\d{2}))$/u;

/** RFC 3339 with up to nanoseconds (further digits are dropped), and its zone in minutes; undefined when malformed. */
export function parseTimestamp(
  text: string,
): { readonly nanos: bigint; readonly offset: number } | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (day < 1 || date.getUTCDate() !== day || date.getUTCMonth() !== month - 1) return undefined;
  date.setUTCHours(hour, minute, second);
  const zoneHours = Number(match[9] ?? 0);
  const zoneMinutes = Number(match[10] ?? 0);
  if (zoneHours > 23 || zoneMinutes > 59) return undefined;
  const offset = (match[8] === "-" ? -1 : 1) * (zoneHours * 60 + zoneMinutes);
  const nanos = BigInt((match[7] ?? "").padEnd(9, "0").slice(0, 9));
  return { nanos: BigInt(date.getTime() - offset * 60_000) * 1_000_000n + nanos, offset };
}
