/** Values that requests should not have, or hardly ever have: raw bytes of both formats, edge numbers, edge texts. */
import { MAX_DEPTH } from "../../assembly/abi.ts";
import type { Random } from "../differential/random.ts";
import type { Node, ObjectNode, Raw } from "./tree.ts";

const NUMBERS: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.1,
  1.5,
  1e21,
  1e22,
  1e23,
  1e-7,
  5e-324,
  1.7976931348623157e308,
  2 ** 31,
  2 ** 31 - 1,
  -(2 ** 31),
  2 ** 32,
  2 ** 32 - 1,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 53 + 2,
  -(2 ** 53),
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  127,
  128,
  255,
  256,
  65535,
  65536,
  -32,
  -33,
  -128,
  -129,
  1e300,
  4.35,
  123456789012345680000,
];

/** Texts of numbers that JavaScript does not write, good ones and bad ones. */
const NUMBER_TEXTS: readonly string[] = [
  "1e999",
  "-1e999",
  "1e308",
  "1.7976931348623159e308",
  "1e-400",
  "0e99999999999",
  "00",
  "01",
  "-",
  "-01",
  "+1",
  ".5",
  "1.",
  "1.e1",
  "1e",
  "1e+",
  "1E+2",
  "0x10",
  "NaN",
  "Infinity",
  "-Infinity",
  "1_000",
  "١",
  "1".repeat(400),
  `0.${"0".repeat(400)}1`,
  `1${"0".repeat(400)}e-400`,
  "2.2250738585072011e-308",
  "2.2250738585072014e-308",
  "9007199254740993.0000000000000001",
  "0.1e1",
  "-0.0",
  "-0e-5",
  "1e00005",
  `${"9".repeat(30)}e-${"0".repeat(30)}5`,
  "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
];

/** Literals and other tokens that are no JSON, or are nearly. */
const JSON_TOKENS: readonly string[] = [
  "nul",
  "nulll",
  "True",
  "TRUE",
  "tru",
  "falsee",
  "undefined",
  "",
  "'a'",
  "/*c*/1",
  "//c\n1",
  "{,}",
  "[,]",
  "[1,]",
  '{"a":1,}',
  "{a:1}",
  '{"a"}',
  '{"a":}',
  "{1:2}",
  "[1 2]",
  '"',
  '"\\',
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\ud800\\u0041"',
  '"\\ud83d\\ude00"',
  '"\\u0000"',
  '"a\u0000b"',
  '"a\nb"',
  '"\t"',
  "\u0000",
  "\ufeff1",
  "\u00a01",
  "\u20281",
  "[[[[[[[[",
  "}}}}",
  "]",
  '"a""b"',
  "1 1",
  "{}{}",
  '"\\u002',
  '{"\\u0061":1,"a":2}',
];

/** Sequences that are not UTF-8, alone or at the end of a text. */
const BAD_UTF8: readonly (readonly number[])[] = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc2],
  [0xc2, 0x22],
  [0xe0, 0x80, 0x80],
  [0xe0, 0x9f, 0xbf],
  [0xe2, 0x82],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x98],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xff],
  [0xfe, 0xff],
];

/** msgpack values with lengths that lie, types that JSON has not, and codes that nobody uses. */
const PACKED: readonly (readonly number[])[] = [
  [0xc1],
  [0xc4, 0],
  [0xc4, 3, 1, 2, 3],
  [0xc5, 0, 1, 65],
  [0xc6, 0, 0, 0, 1, 65],
  [0xc6, 0xff, 0xff, 0xff, 0xff],
  [0xc7, 0, 1],
  [0xc7, 12, 0xff, ...Array.from({ length: 12 }, () => 0)],
  [0xc8, 0, 1, 5, 1],
  [0xc9, 0, 0, 0, 1, 5, 1],
  [0xd4, 0, 0],
  [0xd5, 1, 0, 0],
  [0xd6, 0xff, 0, 0, 0, 0],
  [0xd7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0],
  [0xd8, 1, ...Array.from({ length: 16 }, () => 7)],
  [0xd4, 0x72, 0x40],
  [0xd9, 0xff],
  [0xda, 0xff, 0xff],
  [0xdb, 0xff, 0xff, 0xff, 0xff],
  [0xdb, 0x7f, 0xff, 0xff, 0xff],
  [0xdb, 0x80, 0, 0, 0],
  [0xdc, 0xff, 0xff],
  [0xdd, 0xff, 0xff, 0xff, 0xff],
  [0xdd, 0x20, 0, 0, 0],
  [0xde, 0xff, 0xff],
  [0xdf, 0xff, 0xff, 0xff, 0xff],
  [0xdf, 0x10, 0, 0, 0],
  [0xdf, 0x80, 0, 0, 0],
  [0xca, 0x7f, 0x80, 0, 0],
  [0xca, 0x7f, 0xc0, 0, 0],
  [0xca, 0xff, 0x80, 0, 0],
  [0xca, 0, 0, 0, 1],
  [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
  [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
  [0xcb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xcb, 0xff, 0xf8, 0, 0, 0, 0, 0, 1],
  [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0],
  [0xcb, 0, 0, 0, 0, 0, 0, 0, 1],
  [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0],
  [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0],
  [0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xd2, 0x80, 0, 0, 0],
  [0xd1, 0x80, 0],
  [0xd0, 0x80],
  [0xcc],
  [0xcb, 0, 0],
  [],
  [0x81, 0x01, 0x02],
  [0x81, 0xc0, 0x02],
  [0x81, 0xc4, 1, 65, 0x02],
  [0x82, 0xa1, 65, 1, 0xa1, 65, 2],
  [0x82, 0xa1, 65, 1, 0xd9, 1, 65, 2],
];

/** Where SIMD blocks, header widths and caches begin and end. */
const LENGTHS: readonly number[] = [
  0, 1, 3, 7, 8, 9, 15, 16, 17, 23, 24, 31, 32, 33, 47, 48, 63, 64, 65, 127, 128, 255, 256, 257, 1000, 4095,
  4096,
];
const LONG_LENGTHS: readonly number[] = [65_535, 65_536, 70_000, 300_000];

const PIECES: readonly string[] = [
  "a",
  "0",
  " ",
  '"',
  "\\",
  "/",
  "\n",
  "\u0000",
  "\u001f",
  "\u007f",
  "\u0080",
  "é",
  "ß",
  "日",
  "\u2028",
  "\ufeff",
  "\ufffd",
  "\uffff",
  "\u{1f600}",
  "\u{10ffff}",
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  "*",
  ".",
  "-",
  "%",
  "\u202e",
  "e\u0301",
];

const TEXTS: readonly string[] = [
  "",
  " ",
  "*",
  "**",
  ".",
  "..",
  "a.b",
  "a..b",
  ".a",
  "a.",
  "_",
  "-",
  "default",
  "EFFECT_ALLOW",
  "EFFECT_DENY",
  "true",
  "null",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "NO_MATCH",
  "\r\nX-Injected: 1",
  "<script>",
  "../../etc/passwd",
  "${HOME}",
  "%00",
  "2024-01-01T00:00:00Z",
  "9999-12-31T23:59:59.999999999Z",
  "1h",
  "-1ns",
  "P1D",
  "10.0.0.1",
  "::1",
  "0",
  "-0",
  "1e400",
  "NaN",
  "Infinity",
  "Europe/Berlin",
  "(a+)+$",
  "[",
  "(",
  "a{1000}",
];

const PACKED_RAW: readonly Raw[] = PACKED.map((bytes) => ({ json: "null", msgpack: Uint8Array.from(bytes) }));
const TOKEN_RAW: readonly Raw[] = [...JSON_TOKENS, ...NUMBER_TEXTS].map((json) => ({
  json,
  msgpack: Uint8Array.of(0xc0),
}));

/** A text with a sequence in it that is not UTF-8, as both formats have it. */
function badText(random: Random): Raw {
  const before = Buffer.from("x".repeat(random.below(40)));
  const bad = Buffer.from(random.pick(BAD_UTF8, [0xff]));
  const after = Buffer.from(random.chance(0.5) ? "" : "y".repeat(random.below(20)));
  const text = Buffer.concat([before, bad, after]);
  return {
    json: Buffer.concat([Buffer.of(0x22), text, Buffer.of(0x22)]),
    msgpack: Buffer.concat([Buffer.of(0xd9, text.length), text]),
  };
}

/** A text of an edge length, with something odd at an edge. */
export function oddText(random: Random): string {
  if (random.chance(0.4)) return random.pick(TEXTS, "");
  const length = random.chance(0.01) ? random.pick(LONG_LENGTHS, 0) : random.pick(LENGTHS, 0);
  const text = random.pick(["a", "0", "_", "é"], "a").repeat(length);
  if (random.chance(0.4)) return text;
  const at = random.chance(0.5) ? length : random.below(length + 1);
  return text.slice(0, at) + random.pick(PIECES, "") + (random.chance(0.5) ? text.slice(at) : "");
}

/** Lists or objects inside each other, around the deepest that is allowed and far beyond. */
function nested(random: Random): Node {
  const depth = random.chance(0.8) ? MAX_DEPTH - 6 + random.below(9) : random.below(2000);
  let node: Node = random.chance(0.5) ? 1 : [];
  for (let level = 0; level < depth; level += 1) {
    node = random.chance(0.5) ? [node] : { members: [["a", node]] };
  }
  return node;
}

function wideList(random: Random): Node {
  return Array.from({ length: random.chance(0.05) ? 5000 : random.below(70) }, (_, index) =>
    random.chance(0.9) ? index : oddScalar(random),
  );
}

/** Many keys; some of them the same. */
function wideObject(random: Random): ObjectNode {
  const count = random.chance(0.05) ? 3000 : random.below(70);
  const repeat = random.chance(0.3);
  return {
    members: Array.from({ length: count }, (_, index) => [
      repeat && random.chance(0.02) ? "k0" : `k${index}`,
      random.chance(0.9) ? index : oddScalar(random),
    ]),
  };
}

function oddScalar(random: Random): Node {
  switch (random.below(8)) {
    case 0:
      return random.pick([null, true, false], null);
    case 1:
    case 2:
      return random.pick(NUMBERS, 0);
    case 3:
      return random.pick(PACKED_RAW, null);
    case 4:
      return random.pick(TOKEN_RAW, null);
    case 5:
      return random.chance(0.3) ? badText(random) : oddText(random);
    default:
      return oddText(random);
  }
}

/** Anything. */
export function oddValue(random: Random): Node {
  switch (random.below(20)) {
    case 0:
      return nested(random);
    case 1:
      return wideList(random);
    case 2:
      return wideObject(random);
    case 3:
      return random.pick<Node>([[], { members: [] }, [[]], [null], { members: [["", null]] }], null);
    default:
      return oddScalar(random);
  }
}

/** A key that is not what it should be. */
export function oddKey(random: Random): string | Raw {
  return random.chance(0.1)
    ? random.pick<Raw>([badText(random), ...PACKED_RAW], badText(random))
    : oddText(random);
}
