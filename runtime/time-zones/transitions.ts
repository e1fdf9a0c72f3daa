/**
 * Transition tables of time zones, read out of the ICU data of this Node (`process.versions.tz`), in the form that the
 * guest keeps (assembly/cel/zones.ts). It decides which names exist; it knows nothing of requests.
 *
 * A zone that changes its offset and changes it back within STEP is not seen to; the database has no such pair after 1800
 * that lasts less.
 */

/** Bytes of one record: f64-aligned i64 of seconds, i32 of seconds east of UTC, 4 unused. */
const RECORD_SIZE = 16;
/** Most records of a zone, as the guest has it. */
const MAX_RECORDS = 510;
const FIRST = Date.UTC(1800, 0, 1) / 1000;
/** The guest maps later years to the 28 before, which hold every kind of year. */
const END = Date.UTC(2129, 0, 1) / 1000;
const STEP = 14 * 86_400;

const NAME = /^[A-Z][A-Za-z0-9_+/-]*$/;
/** The names without a slash: ICU has more, which Go does not know (`PST`). */
const PLAIN_NAMES = new Set(
  (
    "CET CST6CDT Cuba EET EST EST5EDT Egypt Eire Factory GB GB-Eire GMT GMT+0 GMT-0 GMT0 Greenwich HST Hongkong Iceland " +
    "Iran Israel Jamaica Japan Kwajalein Libya MET MST MST7MDT NZ NZ-CHAT Navajo PRC PST8PDT Poland Portugal ROC ROK " +
    "Singapore Turkey UCT UTC Universal W-SU WET Zulu"
  ).split(" "),
);
const OFFSET = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;

/** Tables by name, unknown names apart; the database has some 600 names, so it is bounded by that. */
const tables = new Map<string, Uint8Array>();

/** Records of a zone, null when the database has no zone of exactly that name. */
export function transitionsOf(name: string): Uint8Array | null {
  const known = tables.get(name);
  if (known !== undefined) return known;
  if (name === "Local") return transitionsOf("UTC");
  const canonical = NAME.test(name) ? canonicalName(name) : null;
  if (canonical === null) return null;
  const table = tables.get(canonical) ?? readTable(canonical);
  if (table === null) return null;
  tables.set(canonical, table);
  tables.set(name, table);
  return table;
}

/** ICU's name of the zone; null for unknown names, and for those written in another case, which Go does not find. */
function canonicalName(name: string): string | null {
  if (name.includes("/") ? name.startsWith("SystemV/") : !PLAIN_NAMES.has(name)) return null;
  let canonical: string;
  try {
    canonical = new Intl.DateTimeFormat("en-US", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
  if (PLAIN_NAMES.has(name)) return canonical;
  if (canonical.toLowerCase() === name.toLowerCase()) return canonical === name ? canonical : null;
  // An old name, of which ICU does not tell the case: parts begin with a capital, and long ones are not all capitals.
  const parts = name.split(/[/_+-]/);
  const written = parts.every((part) => /^(?:[A-Z0-9]|of$|es$|au$|$)/.test(part) && !/[A-Z]{5}/.test(part));
  return written ? canonical : null;
}

function readTable(name: string): Uint8Array | null {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  const records: [number, number][] = [[FIRST, offsetAt(format, FIRST)]];
  let before = records[0]?.[1] ?? 0;
  for (let at = FIRST; at < END; at += STEP) {
    const after = offsetAt(format, at + STEP);
    if (after === before) continue;
    records.push([firstSecondOf(format, at, at + STEP, before), after]);
    before = after;
  }
  if (records.length > MAX_RECORDS) return null;
  const view = new DataView(new ArrayBuffer(records.length * RECORD_SIZE));
  for (const [index, [second, offset]] of records.entries()) {
    view.setBigInt64(index * RECORD_SIZE, BigInt(second), true);
    view.setInt32(index * RECORD_SIZE + 8, offset, true);
  }
  return new Uint8Array(view.buffer);
}

/** The first second in (low, high] whose offset is not `before`. */
function firstSecondOf(format: Intl.DateTimeFormat, low: number, high: number, before: number): number {
  let [last, first] = [low, high];
  while (first - last > 1) {
    const middle = Math.floor((last + first) / 2);
    if (offsetAt(format, middle) === before) last = middle;
    else first = middle;
  }
  return first;
}

function offsetAt(format: Intl.DateTimeFormat, second: number): number {
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = OFFSET.exec(format.format(second * 1000)) ?? [];
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? -size : size;
}
