/**
 * Tagged values from the host's side: builds them in guest memory from JavaScript values and reads them back,
 * cell by cell, as assembly/value/value.ts draws them. Written independently of the guest's own constructors, so
 * that the two check each other.
 *
 * A `Value` in JavaScript:
 *
 *   null, boolean, string       themselves              number      a double
 *   bigint                      an int                  { uint }    a uint
 *   Uint8Array                  bytes                   array       a list
 *   { map: [[key, value]...] }  a map, in entry order; to build, a plain `Map` will do
 *   { timestamp: [seconds, nanos, offset] } (the offset of its text in seconds, left out when 0)
 *   { duration: nanoseconds }   { type: name }   { optional: value | undefined }
 *   { error: code, detail }     { absent: true }        { tag, payload }  any other tag
 */
import * as abi from "../../../assembly/abi.ts";
import type { Guest } from "./build-guest.ts";

export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | { readonly uint: bigint }
  | { readonly map: readonly (readonly [Value, Value])[] }
  | { readonly timestamp: readonly [bigint, number, number?] }
  | { readonly duration: bigint }
  | { readonly type: string }
  | { readonly optional: Value | undefined }
  | { readonly error: number; readonly detail: Value }
  | { readonly absent: true }
  | { readonly tag: number; readonly payload: number };

const BOXED = 0xfff8_0000_0000_0000n;
const CANONICAL_NAN = 0x7ff8_0000_0000_0000n;
const scratch = new DataView(new ArrayBuffer(8));
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bits of a value with this tag and payload. */
export function box(tag: number, payload: number): bigint {
  return BOXED | (BigInt(tag) << 32n) | BigInt(payload >>> 0);
}

/** The tag of a value's bits; TAG_DOUBLE for plain doubles. */
export function tagOf(bits: bigint): number {
  return bits < BOXED ? abi.TAG_DOUBLE : Number((bits >> 32n) & 0xffn);
}

/** Builds `value` in the arena of `guest`; the u64 bits. Strings must be well-formed. */
export function encode(guest: Guest, value: Value): bigint {
  if (value === null) return box(abi.TAG_NULL, 0);
  if (typeof value === "boolean") return box(abi.TAG_BOOL, value ? 1 : 0);
  if (typeof value === "number") return encodeDouble(value);
  if (typeof value === "bigint") return encodeCell(guest, abi.TAG_INT, value);
  if (typeof value === "string") return encodeBytes(guest, abi.TAG_STRING, encoder.encode(value));
  if (value instanceof Uint8Array) return encodeBytes(guest, abi.TAG_BYTES, value);
  if (isList(value)) return encodeItems(guest, abi.TAG_LIST, value.length, value);
  if (isHostMap(value)) return encode(guest, { map: [...value.entries()] });
  if ("uint" in value) return encodeCell(guest, abi.TAG_UINT, value.uint);
  if ("map" in value) return encodeItems(guest, abi.TAG_MAP, value.map.length, value.map.flat());
  if ("duration" in value) return encodeCell(guest, abi.TAG_DURATION, value.duration);
  if ("type" in value) return encodeBytes(guest, abi.TAG_TYPE, encoder.encode(value.type));
  if ("absent" in value) return box(abi.TAG_ABSENT, 0);
  if ("tag" in value) return box(value.tag, value.payload);
  if ("timestamp" in value) {
    const cell = guest.allocate(16);
    guest.view.setBigInt64(cell, value.timestamp[0], true);
    guest.view.setUint32(cell + 8, value.timestamp[1], true);
    guest.view.setInt32(cell + 12, value.timestamp[2] ?? 0, true);
    return box(abi.TAG_TIMESTAMP, cell);
  }
  if ("optional" in value) {
    if (value.optional === undefined) return box(abi.TAG_OPTIONAL, 0);
    return encodeCell(guest, abi.TAG_OPTIONAL, encode(guest, value.optional));
  }
  const detail = encode(guest, value.detail);
  const cell = guest.allocate(16);
  guest.view.setBigUint64(cell, BigInt(value.error), true);
  guest.view.setBigUint64(cell + 8, detail, true);
  return box(abi.TAG_ERROR, cell);
}

/** Reads a value back from the memory of `guest`. Fails on bytes that are not UTF-8 in a string. */
export function decode(guest: Guest, bits: bigint): Value {
  const tag = tagOf(bits);
  const payload = Number(bits & 0xffff_ffffn);
  const { view } = guest;
  switch (tag) {
    case abi.TAG_DOUBLE:
      return decodeDouble(bits);
    case abi.TAG_NULL:
      return null;
    case abi.TAG_BOOL:
      return payload !== 0;
    case abi.TAG_INT:
      return view.getBigInt64(payload, true);
    case abi.TAG_UINT:
      return { uint: view.getBigUint64(payload, true) };
    case abi.TAG_STRING:
      return decoder.decode(decodeBytes(guest, payload));
    case abi.TAG_BYTES:
      return decodeBytes(guest, payload);
    case abi.TAG_TYPE:
      return { type: decoder.decode(decodeBytes(guest, payload)) };
    // The cell's bytes: decode only, nothing is encoded from them.
    case abi.TAG_IP:
      return guest.bytes.slice(payload, payload + 16);
    case abi.TAG_CIDR:
      return guest.bytes.slice(payload, payload + 24);
    case abi.TAG_LIST:
      return decodeItems(guest, payload + 8, view.getUint32(payload, true));
    case abi.TAG_MAP:
      return { map: pairs(decodeItems(guest, payload + 8, 2 * view.getUint32(payload, true))) };
    case abi.TAG_TIMESTAMP:
      return decodeTimestamp(view, payload);
    case abi.TAG_DURATION:
      return { duration: view.getBigInt64(payload, true) };
    case abi.TAG_OPTIONAL:
      return { optional: payload === 0 ? undefined : decode(guest, view.getBigUint64(payload, true)) };
    case abi.TAG_ERROR:
      return {
        error: view.getUint32(payload, true),
        detail: decode(guest, view.getBigUint64(payload + 8, true)),
      };
    case abi.TAG_ABSENT:
      return { absent: true };
    case abi.TAG_SPIFFE_ID:
    case abi.TAG_SPIFFE_TRUST_DOMAIN:
    case abi.TAG_SPIFFE_MATCHER:
      // Where the cell is says nothing; what is in it is asked for with functions.
      return { tag, payload: 0 };
    default:
      return { tag, payload };
  }
}

/** Encodes the arguments, calls the guest function and decodes its result. */
export function apply(guest: Guest, name: string, ...values: readonly Value[]): Value {
  return decode(guest, guest.call(name, ...values.map((value) => encode(guest, value))));
}

/** The error that a guest function answers. */
export function failure(code: number, detail: Value = null): Value {
  return { error: code, detail };
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isHostMap(value: Value): value is ReadonlyMap<Value, Value> {
  return value instanceof Map;
}

function encodeDouble(value: number): bigint {
  if (Number.isNaN(value)) return CANONICAL_NAN;
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

function decodeDouble(bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}

function encodeCell(guest: Guest, tag: number, value: bigint): bigint {
  const cell = guest.allocate(8);
  guest.view.setBigInt64(cell, value, true);
  return box(tag, cell);
}

function encodeBytes(guest: Guest, tag: number, bytes: Uint8Array): bigint {
  const start = guest.allocate(bytes.length);
  guest.bytes.set(bytes, start);
  const cell = guest.allocate(8);
  guest.view.setUint32(cell, start, true);
  guest.view.setUint32(cell + 4, bytes.length, true);
  return box(tag, cell);
}

function encodeItems(guest: Guest, tag: number, count: number, items: readonly Value[]): bigint {
  const encoded = items.map((item) => encode(guest, item));
  const cell = guest.allocate(8 + 8 * items.length);
  guest.view.setBigUint64(cell, BigInt(count), true);
  encoded.forEach((item, index) => guest.view.setBigUint64(cell + 8 + 8 * index, item, true));
  return box(tag, cell);
}

function decodeBytes(guest: Guest, cell: number): Uint8Array {
  const start = guest.view.getUint32(cell, true);
  return guest.bytes.slice(start, start + guest.view.getUint32(cell + 4, true));
}

function decodeTimestamp(view: DataView, cell: number): Value {
  const seconds = view.getBigInt64(cell, true);
  const nanos = view.getUint32(cell + 8, true);
  const offset = view.getInt32(cell + 12, true);
  return { timestamp: offset === 0 ? [seconds, nanos] : [seconds, nanos, offset] };
}

function decodeItems(guest: Guest, start: number, count: number): Value[] {
  return Array.from({ length: count }, (_, index) =>
    decode(guest, guest.view.getBigUint64(start + 8 * index, true)),
  );
}

function pairs(items: readonly Value[]): [Value, Value][] {
  const result: [Value, Value][] = [];
  for (let index = 0; index + 1 < items.length; index += 2) {
    result.push([items[index] ?? null, items[index + 1] ?? null]);
  }
  return result;
}
