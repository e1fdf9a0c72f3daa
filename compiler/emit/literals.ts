/**
 * Literal values in the image, laid out as assembly/value/value.ts draws them. A literal is the u64 that the guest
 * works with; its cells lie in the image, so generated code holds plain numbers and allocates nothing.
 */
import {
  TAG_BOOL,
  TAG_BYTES,
  TAG_INT,
  TAG_LIST,
  TAG_MAP,
  TAG_NULL,
  TAG_STRING,
  TAG_TYPE,
  TAG_UINT,
} from "../../assembly/abi.ts";
import type { CelConstant } from "../cel/expression.ts";
import type { JsonValue } from "../policy/policy-set.ts";
import type { Blob } from "./blob.ts";

const BOXED = 0xfff8_0000_0000_0000n;
const CANONICAL_NAN = 0x7ff8_0000_0000_0000n;
const encoder = new TextEncoder();

export const TRUE = boxed(TAG_BOOL, 1);
export const FALSE = boxed(TAG_BOOL, 0);
export const NULL = boxed(TAG_NULL, 0);

/** The value with `tag` whose payload is `payload`. */
export function boxed(tag: number, payload: number): bigint {
  return BOXED | (BigInt(tag) << 32n) | BigInt(payload >>> 0);
}

/** The value of a CEL literal. */
export function literal(blob: Blob, value: CelConstant): bigint {
  switch (value.kind) {
    case "null":
      return NULL;
    case "bool":
      return value.value ? TRUE : FALSE;
    case "int":
      return boxed(TAG_INT, blob.bytes(wide(BigInt.asUintN(64, value.value))));
    case "uint":
      return boxed(TAG_UINT, blob.bytes(wide(value.value)));
    case "double":
      return double(value.value);
    case "string":
      return text(blob, value.value);
    case "bytes":
      return boxed(TAG_BYTES, span(blob, value.value));
    case "type":
      return boxed(TAG_TYPE, span(blob, encoder.encode(value.name)));
  }
}

/** The value of a JSON constant: numbers are doubles, object keys keep their order. */
export function json(blob: Blob, value: JsonValue): bigint {
  if (value === null) return NULL;
  if (typeof value === "boolean") return value ? TRUE : FALSE;
  if (typeof value === "number") return double(value);
  if (typeof value === "string") return text(blob, value);
  if (Array.isArray(value)) {
    return list(
      blob,
      value.map((item) => json(blob, item)),
    );
  }
  const entries = Object.entries(value);
  const words = entries.flatMap(([key, item]) => [text(blob, key), json(blob, item)]);
  return boxed(TAG_MAP, cells(blob, entries.length, words));
}

export function double(value: number): bigint {
  if (Number.isNaN(value)) return CANONICAL_NAN;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

/** A list of values that are literals themselves. */
export function list(blob: Blob, items: readonly bigint[]): bigint {
  return boxed(TAG_LIST, cells(blob, items.length, items));
}

/** A string value. */
export function text(blob: Blob, value: string): bigint {
  return boxed(TAG_STRING, span(blob, encoder.encode(value)));
}

/** Address of a cell `u32 start | u32 length` over a copy of `content`. */
export function span(blob: Blob, content: Uint8Array): number {
  return blob.words([blob.bytes(content), content.length]);
}

function cells(blob: Blob, count: number, values: readonly bigint[]): number {
  const content = new Uint8Array(8 + values.length * 8);
  const view = new DataView(content.buffer);
  view.setUint32(0, count, true);
  values.forEach((value, index) => view.setBigUint64(8 + index * 8, value, true));
  return blob.bytes(content);
}

function wide(value: bigint): Uint8Array {
  const content = new Uint8Array(8);
  new DataView(content.buffer).setBigUint64(0, value, true);
  return content;
}
