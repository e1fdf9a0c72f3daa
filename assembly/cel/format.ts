/**
 * CEL `string.format(list)` (cel-go `ext.Strings`): parses the format text and appends each clause's argument.
 * How values look is in format-values.ts.
 *
 *   clause = "%" [ "." digits ] ( "s" | "d" | "f" | "e" | "b" | "o" | "x" | "X" ) | "%%"
 */
import { ERROR_BAD_ARGUMENT, ERROR_INDEX_OUT_OF_RANGE, TAG_LIST, TAG_STRING } from "../abi";
import { settle } from "../value/raw";
import { countOf, fail, itemAt, lengthOf, NULL, startOf, tagOf } from "../value/value";
import { MAX_PRECISION } from "./exact-decimal";
import { noOverload2 } from "./failure";
import {
  appendBits,
  appendDecimal,
  appendDouble,
  appendHex,
  appendValue,
  FIXED,
  SCIENTIFIC,
} from "./format-values";
import { appendBytes, beginText, builtText, failText, textIsFine } from "./text-builder";

const DEFAULT_PRECISION: i32 = 6;

/** The text with its clauses replaced by the items of `values`, one after the other; spare items are ignored. */
export function format(text: u64, values: u64): u64 {
  const list = settle(values);
  if (tagOf(text) != TAG_STRING || tagOf(list) != TAG_LIST) return noOverload2(text, list);
  beginText();
  let at = startOf(text);
  const end = at + lengthOf(text);
  let used: u32 = 0;
  while (at < end && textIsFine()) {
    const plain = at;
    while (at < end && load<u8>(at) != 0x25) at++;
    if (at > plain) appendBytes(plain, at - plain);
    if (at == end) break;
    at++;
    if (at < end && load<u8>(at) == 0x25) {
      appendBytes(at, 1);
      at++;
      continue;
    }
    at = readPrecision(at, end);
    if (at >= end) {
      failText(fail(ERROR_BAD_ARGUMENT, text));
      break;
    }
    if (used >= countOf(list)) {
      failText(fail(ERROR_INDEX_OUT_OF_RANGE, NULL));
      break;
    }
    appendClause(load<u8>(at), itemAt(list, used));
    used++;
    at++;
  }
  return builtText();
}

/** Digits after the point that the clause asks for. */
let precision: i32 = DEFAULT_PRECISION;

/** Reads an optional `.digits` into `precision`; answers where the clause's letter is, or `end` when malformed. */
function readPrecision(start: usize, end: usize): usize {
  precision = DEFAULT_PRECISION;
  if (start >= end || load<u8>(start) != 0x2e) return start;
  let at = start + 1;
  let value = 0;
  while (at < end && <u32>load<u8>(at) - 0x30 <= 9) {
    value = value * 10 + (<i32>load<u8>(at) - 0x30);
    if (value > MAX_PRECISION) return end;
    at++;
  }
  precision = value;
  return at == start + 1 ? end : at;
}

function appendClause(letter: u8, value: u64): void {
  if (letter == 0x73) appendValue(value, 0);
  else if (letter == 0x64) appendDecimal(value);
  else if (letter == 0x66) appendDouble(value, precision, FIXED);
  else if (letter == 0x65) appendDouble(value, precision, SCIENTIFIC);
  else if (letter == 0x62) appendBits(value, 1);
  else if (letter == 0x6f) appendBits(value, 3);
  else if (letter == 0x78) appendHex(value, false);
  else if (letter == 0x58) appendHex(value, true);
  else failText(fail(ERROR_BAD_ARGUMENT, NULL));
}
