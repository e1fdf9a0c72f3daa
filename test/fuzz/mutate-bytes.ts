/** Damages bodies byte by byte: flips, cuts, repetitions, splices with another body, things put before and behind. */
import type { Random } from "../differential/random.ts";

const TOKENS: readonly Buffer[] = [
  ...'{}[]:,"\\ \n\t-.eE0129tfn'.split("").map((text) => Buffer.from(text)),
  ...[
    "null",
    "true",
    "false",
    "\\u0000",
    "\\ud800",
    "\\u0022",
    '":',
    '",',
    '"a":1,',
    "1e999",
    "[[[[",
    "{}",
    "/**/",
    '"attr":',
    '"id":"',
  ].map((text) => Buffer.from(text)),
  ...[
    [0],
    [0xff],
    [0xc0],
    [0xc1],
    [0xc2],
    [0xd9, 1],
    [0xdf, 0, 0, 0, 1],
    [0xdd, 0, 0, 0, 2],
    [0xc4, 1],
    [0xa0],
    [0x80],
    [0x90],
    [0xcb],
    [0xed, 0xa0, 0x80],
    [0xf0, 0x9f, 0x98, 0x80],
  ].map((bytes) => Buffer.from(bytes)),
];

const AROUND: readonly Buffer[] = [
  Buffer.from("\ufeff"),
  Buffer.from([0xff, 0xfe]),
  Buffer.from(" \n"),
  Buffer.from([0]),
  Buffer.from("x"),
  Buffer.from([0xc0]),
  Buffer.from("{}"),
  Buffer.alloc(16),
];

const WORD: readonly number[] = [...Buffer.from("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789")];
const RESPELL_REACH = 20;

/** Most bytes of a damaged body, so that repetitions do not grow without bound. */
const MAX_LENGTH = 1024 * 1024;

/** One to eight damages; `other` is what splices take from. */
export function mutateBytes(body: Buffer, other: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(body);
  const count = random.chance(0.6) ? 1 : 1 + random.below(8);
  for (let left = count; left > 0 && bytes.length < MAX_LENGTH; left -= 1)
    bytes = damage(bytes, other, random);
  return bytes;
}

/** Another letter or digit in the place of one, the next from a random place on: the formats survive that, names do not. */
function respell(bytes: Buffer, random: Random): Buffer {
  const start = random.below(bytes.length);
  for (let at = start; at < Math.min(bytes.length, start + RESPELL_REACH); at += 1) {
    if (!isWord(bytes[at])) continue;
    bytes[at] = random.chance(0.5) ? (bytes[random.below(bytes.length)] ?? 0) : random.pick(WORD, 0x30);
    break;
  }
  return bytes;
}

function isWord(byte = 0): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a);
}

function damage(bytes: Buffer, other: Buffer, random: Random): Buffer {
  if (random.chance(0.3)) return respell(bytes, random);
  const at = random.below(bytes.length + 1);
  const span = 1 + random.below(random.chance(0.8) ? 8 : 200);
  const before = bytes.subarray(0, at);
  const behind = bytes.subarray(at);
  switch (random.below(14)) {
    case 0:
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 2:
      bytes[at] = random.below(256);
      return bytes;
    case 3:
    case 4:
      return Buffer.concat([before, random.pick(TOKENS, behind), behind]);
    case 5: {
      const token = random.pick(TOKENS, behind);
      token.copy(bytes, at);
      return bytes;
    }
    case 6:
      return Buffer.concat([before, bytes.subarray(at + span)]);
    case 7:
      return Buffer.concat([before, behind.subarray(0, span), behind]);
    case 8:
      return bytes.subarray(0, at);
    case 9: {
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + span), behind]);
    }
    case 10: {
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from)]);
    }
    case 11:
      return random.chance(0.5)
        ? Buffer.concat([random.pick(AROUND, behind), bytes])
        : Buffer.concat([bytes, random.pick(AROUND, behind)]);
    case 12: {
      const token = random.pick(TOKENS, behind);
      const times = random.chance(0.9) ? random.below(80) : random.below(3000);
      return Buffer.concat([before, ...Array.from({ length: times }, () => token), behind]);
    }
    default: {
      bytes[at] = (bytes[at] ?? 0) + (random.chance(0.5) ? 1 : 255);
      return bytes;
    }
  }
}
