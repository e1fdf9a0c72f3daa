/**
 * Writes compiler/time-zones/database.ts from a directory of compiled time zones: `tsx scripts/build-time-zones.ts DIRECTORY`,
 * where DIRECTORY holds the TZif files (RFC 8536) and `tzdata.zi`, which has the version and every name. Run by hand when
 * the IANA database changes; the result is committed, so that a bundle decides the same on every machine and every Node.
 *
 * Transitions are written out to the year 2128; the guest maps later years to the 28 before (assembly/cel/zones.ts, which
 * has the layout).
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

const OUTPUT = new URL("../compiler/time-zones/database.ts", import.meta.url);
const END = Date.UTC(2129, 0, 1) / 1000;
const LAST_YEAR = 2128;
const DAY = 86_400;

/** From a second on, seconds east of UTC. The first one also covers all time before it. */
type Transition = readonly [second: number, offset: number];

const directory = process.argv[2] ?? "/usr/share/zoneinfo";
const source = readFileSync(join(directory, "tzdata.zi"), "utf8");
const version = /^# version (\S+)/m.exec(source)?.[1] ?? "unknown";
const names = [...source.matchAll(/^(?:Z (\S+)|L \S+ (\S+))/gm)].map(([, zone, link]) => zone ?? link ?? "");
const database = layOut(
  names
    .map((name) => [Buffer.from(name), transitionsOf(readFileSync(join(directory, name)))] as const)
    .toSorted(([a], [b]) => Buffer.compare(a, b)),
);
const packed = brotliCompressSync(database, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 11,
    [constants.BROTLI_PARAM_LGWIN]: 22,
    [constants.BROTLI_PARAM_SIZE_HINT]: database.length,
  },
});
writeFileSync(
  OUTPUT,
  `/**
 * The time zones that edict knows, written by scripts/build-time-zones.ts from the IANA database (public domain). Its
 * layout is in assembly/cel/zones.ts. Not to be edited by hand.
 */

/** Version of the IANA database. */
export const ZONES_VERSION = ${JSON.stringify(version)};

/** Size of the unpacked database in bytes. */
export const ZONES_SIZE = ${database.length};

/** The database, compressed with Brotli, as base64. */
export const ZONES_PACKED =
  ${JSON.stringify(packed.toString("base64"))};
`,
);
process.stdout.write(`${names.length} names, ${database.length} bytes, ${packed.length} packed\n`);

/** Names, their entries and the tables, of which equal ones are written once. */
function layOut(zones: readonly (readonly [Buffer, readonly Transition[]])[]): Buffer {
  const header = Buffer.alloc(8 + zones.length * 16);
  header.writeUInt32LE(zones.length, 0);
  const texts: Buffer[] = [];
  const tables: Buffer[] = [];
  const placed = new Map<string, number>();
  const textSize = zones.reduce((sum, [name]) => sum + name.length, 0);
  let textAt = header.length;
  let tableAt = (header.length + textSize + 7) & ~7;
  for (const [index, [name, transitions]] of zones.entries()) {
    const table = Buffer.alloc(transitions.length * 8);
    for (const [at, [second, offset]] of transitions.entries()) {
      table.writeBigInt64LE((BigInt(second) << 20n) | BigInt.asUintN(20, BigInt(offset)), at * 8);
    }
    const key = table.toString("latin1");
    const start = placed.get(key) ?? tableAt;
    if (!placed.has(key)) {
      placed.set(key, start);
      tables.push(table);
      tableAt += table.length;
    }
    for (const [word, value] of [textAt, name.length, start, transitions.length].entries()) {
      header.writeUInt32LE(value, 8 + index * 16 + word * 4);
    }
    texts.push(name);
    textAt += name.length;
  }
  const padding = Buffer.alloc((8 - (textAt & 7)) & 7);
  return Buffer.concat([header, ...texts, padding, ...tables]);
}

/** The transitions of one TZif file, with its rule for the future written out. */
function transitionsOf(file: Buffer): readonly Transition[] {
  // The first block has times of 32 bits and is passed over; a block says its sizes in its header.
  const size = (at: number, timeSize: number): number => {
    const [isUt, isStd, leaps, times, types, letters] = [20, 24, 28, 32, 36, 40].map((field) =>
      file.readUInt32BE(at + field),
    ) as [number, number, number, number, number, number];
    return 44 + times * (timeSize + 1) + types * 6 + letters + leaps * (timeSize + 4) + isStd + isUt;
  };
  if (file.toString("latin1", 0, 4) !== "TZif" || file.readUInt8(4) < 0x32)
    throw new Error("not a TZif file");
  const block = size(0, 4);
  const timeCount = file.readUInt32BE(block + 32);
  const timesAt = block + 44;
  const typesAt = timesAt + timeCount * 9;
  const offsetOf = (type: number): number => file.readInt32BE(typesAt + type * 6);
  const result: Transition[] = [[-(2 ** 40), offsetOf(0)]];
  const add = (second: number, offset: number): void => {
    if (result.at(-1)?.[1] !== offset && second < END) result.push([second, offset]);
  };
  let last = -Infinity;
  for (let index = 0; index < timeCount; index++) {
    last = Number(file.readBigInt64BE(timesAt + index * 8));
    add(last, offsetOf(file.readUInt8(timesAt + timeCount * 8 + index)));
  }
  const footer = file.toString("latin1", block + size(block, 8)).trim();
  for (const [second, offset] of futureOf(footer, last)) if (second > last) add(second, offset);
  return result;
}

/** The transitions that the POSIX rule of a zone makes after `from`, to the end of the described years. */
function futureOf(rule: string, from: number): readonly Transition[] {
  const NAME = "(?:[A-Za-z]+|<[^>]+>)";
  const CLOCK = String.raw`[+-]?\d+(?::\d+)*`;
  const parts = new RegExp(`^${NAME}(${CLOCK})(?:${NAME}(${CLOCK})?,([^,]+),([^,]+))?$`).exec(rule);
  if (parts === null) throw new Error(`cannot read the rule ${rule}`);
  const standard = -secondsOf(parts[1] ?? "0");
  const [, , shift, begin, end] = parts;
  if (begin === undefined || end === undefined) return [];
  const summer = shift === undefined ? standard + 3600 : -secondsOf(shift);
  const result: Transition[] = [];
  const first = Number.isFinite(from) ? new Date(from * 1000).getUTCFullYear() : 1970;
  for (let year = first; year <= LAST_YEAR; year++) {
    result.push([instantOf(begin, year) - standard, summer], [instantOf(end, year) - summer, standard]);
  }
  return result.toSorted(([a], [b]) => a - b);
}

/** `Mm.w.d/time` in a year, as seconds of local time. */
function instantOf(rule: string, year: number): number {
  const match = new RegExp(String.raw`^M(\d+)\.(\d)\.(\d)(?:/(.+))?$`).exec(rule);
  if (match === null) throw new Error(`cannot read the rule ${rule}`);
  const [month, week, weekDay] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const first = Date.UTC(year, month - 1, 1) / 1000;
  const days = new Date(Date.UTC(year, month, 0)).getUTCDate();
  let day = ((weekDay - new Date(first * 1000).getUTCDay() + 7) % 7) + (week - 1) * 7;
  while (day >= days) day -= 7;
  return first + day * DAY + secondsOf(match[4] ?? "2");
}

/** `[+-]h[:m[:s]]` in seconds. */
function secondsOf(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, "").split(":").map(Number);
  return (text.startsWith("-") ? -1 : 1) * (hours * 3600 + minutes * 60 + seconds);
}
