/**
 * The lowest level of the JSON decoder: bytes, white space, literals and the sentinel. It knows tokens, not the
 * request.
 *
 * INVARIANT: while a body is decoded, the byte after its last one is NUL (`guardEnd` writes it and puts the old
 * byte back), and no function of the decoder moves its cursor past a NUL: no token contains one. So the cursor
 * never leaves the body, whatever follows it in memory, without a comparison per byte. Vector loads may read up
 * to 31 bytes further (the input region must be followed by 32 readable bytes), but what they see there is
 * masked out. As a second line `decodeJson` accepts a message only if the cursor ended exactly at its end.
 */
import { STATUS_SYNTAX, STATUS_WRONG_TYPE } from "../abi";
import { endOfBody, refuse } from "./failure";

export const QUOTE: u8 = 0x22;
export const BACKSLASH: u8 = 0x5c;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;
export const OPEN_BRACE: u8 = 0x7b;
export const CLOSE_BRACE: u8 = 0x7d;
export const OPEN_BRACKET: u8 = 0x5b;
export const CLOSE_BRACKET: u8 = 0x5d;
export const MINUS: u8 = 0x2d;
export const LETTER_F: u8 = 0x66;
export const LETTER_N: u8 = 0x6e;
export const LETTER_T: u8 = 0x74;

/** `true` and `null` as little-endian words. */
export const WORD_TRUE: u32 = 0x65757274;
const WORD_NULL: u32 = 0x6c6c756e;
/** The five letters of `false`, and where they lie in a word of eight. */
export const WORD_FALSE: u64 = 0x65_736c_6166;
export const WORD_FALSE_MASK: u64 = 0xff_ffff_ffff;

/** Writes the sentinel after the body; answers the byte that was there. */
export function guardEnd(end: usize): u8 {
  const before = load<u8>(end);
  store<u8>(end, 0);
  return before;
}

/** `,"` as a little-endian word: what stands between two members of compact text. */
export const COMMA_QUOTE: u16 = 0x222c;
/** `:"`: what stands between a key and a string. */
export const COLON_QUOTE: u16 = 0x223a;
/** `: `, as indented text has it. */
const COLON_SPACE: u32 = 0x203a;
/** `,{`: what stands between two resources of compact text. */
export const COMMA_BRACE: u16 = 0x7b2c;

/**
 * Sixteen quotes, sixteen backslashes, sixteen times 32. As constants they would be rebuilt from immediates at every
 * use, with three instructions each.
 */
const VECTORS = memory.data<u64>(
  [
    0x2222_2222_2222_2222, 0x2222_2222_2222_2222, 0x5c5c_5c5c_5c5c_5c5c, 0x5c5c_5c5c_5c5c_5c5c,
    0x2020_2020_2020_2020, 0x2020_2020_2020_2020,
  ],
  16,
);

/**
 * The short ways, expanded at their call sites: a call per token would cost more than the token. What they compute
 * from the text decides only branches, never the next cursor by a conditional move, so that the processor can run
 * ahead of the scan.
 */
export class Scan {
  /** First byte from `at` on that is not white space (9, 10, 13, 32). */
  @inline static space(at: usize): usize {
    return load<u8>(at) > 32 ? at : skipBlanks(at);
  }

  /** From the byte after a key to the first byte of its value; 0 when there is no colon. */
  @inline static colon(at: usize): usize {
    const next = <u32>load<u16>(at);
    if ((next & 0xff) == COLON && next > 0x20ff) return at + 1;
    return next == COLON_SPACE && load<u8>(at + 2) > 32 ? at + 2 : skipColon(at);
  }

  /**
   * Which of the 16 bytes at `at` end a run of plain ASCII: quotes, backslashes, and (in one signed comparison)
   * control characters and bytes above 127.
   */
  @inline static specials(at: usize): i32 {
    const block = v128.load(at);
    const quotes = i8x16.eq(block, v128.load(VECTORS));
    const escapes = i8x16.eq(block, v128.load(VECTORS, 16));
    const others = i8x16.lt_s(block, v128.load(VECTORS, 32));
    return i8x16.bitmask(v128.or(v128.or(quotes, escapes), others));
  }

  /** The first special byte from `at` on, or the byte after 16 plain ones. If it is a quote, the string ends there. */
  @inline static plainEnd(at: usize): usize {
    return at + ctz<i32>(Scan.specials(at) | 0x10000);
  }

  /** From an opening brace to the quote of the first key; see `nextKey`. */
  @inline static firstKey(at: usize): usize {
    return load<u8>(at + 1) == QUOTE ? at + 1 : findFirstKey(at);
  }

  /** From the byte after a value to the quote of the next key; see `nextKey`. */
  @inline static nextKey(at: usize): usize {
    if (load<u16>(at) == COMMA_QUOTE) return at + 1;
    return load<u8>(at) == CLOSE_BRACE ? (at + 1) | CLOSED : nextKey(at);
  }

  /** Whether an answer of `nextKey` means that there is no key. */
  @inline static ended(at: usize): bool {
    return <isize>at <= 0;
  }

  /** The cursor after the object, 0 if it was refused, from an answer of `nextKey` that means the end. */
  @inline static afterObject(at: usize): usize {
    return at & ~CLOSED;
  }
}

/** Marks the address after an object's closing brace (INVARIANT: memory is smaller than 2 GiB). */
const CLOSED: usize = 0x8000_0000;

/**
 * From the byte after a value to the quote of the next key. At the end of the object the address after it, marked
 * CLOSED; 0 when neither follows.
 */
export function nextKey(at: usize): usize {
  if (load<u8>(at) <= 32) at = skipBlanks(at);
  const byte = load<u8>(at);
  if (byte == CLOSE_BRACE) return (at + 1) | CLOSED;
  if (byte != COMMA) return refuse(STATUS_SYNTAX, at);
  at = Scan.space(at + 1);
  return load<u8>(at) == QUOTE ? at : refuse(STATUS_SYNTAX, at);
}

function findFirstKey(at: usize): usize {
  at = Scan.space(at + 1);
  const byte = load<u8>(at);
  if (byte == QUOTE) return at;
  return byte == CLOSE_BRACE ? (at + 1) | CLOSED : refuse(STATUS_SYNTAX, at);
}

/** As `Scan.space`, where the first byte is likely to be white space. */
export function skipBlanks(at: usize): usize {
  if (load<u8>(at) == 32 && load<u8>(at + 1) > 32) return at + 1;
  let others = notBlank(at);
  while (others == 0) {
    at += 16;
    others = notBlank(at);
  }
  return at + ctz<u32>(others);
}

/** Which of the 16 bytes at `at` are not white space. */
function notBlank(at: usize): u32 {
  const block = v128.load(at);
  const blanks = v128.or(
    i8x16.swizzle(i8x16(0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, -1, 0, 0), block),
    i8x16.eq(block, i8x16.splat(32)),
  );
  return ~(<u32>i8x16.bitmask(blanks)) & 0xffff;
}

/** As `Scan.colon`, with white space around it. */
export function skipColon(at: usize): usize {
  if (load<u8>(at) != COLON) {
    at = Scan.space(at);
    if (load<u8>(at) != COLON) return refuse(STATUS_SYNTAX, at);
  }
  return Scan.space(at + 1);
}

/** Whether a literal stands at `at`; what follows it is for the caller to judge. */
export function isNull(at: usize): bool {
  return load<u32>(at) == WORD_NULL;
}

export function isTrue(at: usize): bool {
  return load<u32>(at) == WORD_TRUE;
}

export function isFalse(at: usize): bool {
  return (load<u64>(at) & WORD_FALSE_MASK) == WORD_FALSE;
}

/** The byte after the literal at `at`, or 0 when there is none. */
export function skipLiteral(at: usize): usize {
  if (isNull(at) || isTrue(at)) return at + 4;
  if (isFalse(at)) return at + 5;
  return refuse(STATUS_SYNTAX, afterLetters(at));
}

/** Refuses the value at `at`: the wrong type if it can start a JSON value, a syntax error otherwise. */
export function refuseType(at: usize): usize {
  const byte = load<u8>(at);
  const starts =
    byte == QUOTE ||
    byte == OPEN_BRACE ||
    byte == OPEN_BRACKET ||
    byte == MINUS ||
    byte - 0x30 <= 9 ||
    isNull(at) ||
    isTrue(at) ||
    isFalse(at);
  return starts ? refuse(STATUS_WRONG_TYPE, at) : refuse(STATUS_SYNTAX, afterLetters(at));
}

/** Where a misspelt literal goes wrong is of no interest, except when the body ends inside it. */
function afterLetters(at: usize): usize {
  let end = at;
  while (load<u8>(end) - 0x61 < 26) end += 1;
  return end == endOfBody() ? end : at;
}
