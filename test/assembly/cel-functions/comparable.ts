/**
 * Guest values in a form that compares with Cerbos's JSON: numbers as text, because Cerbos prints ints, uints and
 * doubles alike; bytes in base64; durations in nanoseconds.
 */
import * as abi from "../../../assembly/abi.ts";
import type { Guest } from "../support/build-guest.ts";
import { decode, tagOf, type Value } from "../support/values.ts";

/** Numbers of any size compare as text, because Cerbos prints ints, uints and doubles alike. */
export function withNumbersAsText(json: string): unknown {
  return JSON.parse(
    json.replaceAll(/("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)/g, (_, text: string | undefined, number: string) =>
      text === undefined ? `"number ${number}"` : text,
    ),
  );
}

/** The value of `bits`; timestamps as the guest writes them. */
export function comparable(guest: Guest, bits: bigint): unknown {
  const tag = tagOf(bits);
  if (tag === abi.TAG_TIMESTAMP) return decode(guest, guest.call("timestampText", bits));
  const payload = Number(bits & 0xffff_ffffn);
  if (tag === abi.TAG_LIST || tag === abi.TAG_HIERARCHY) {
    const count = guest.view.getUint32(payload, true);
    return Array.from({ length: count }, (_, index) =>
      comparable(guest, guest.view.getBigUint64(payload + 8 + 8 * index, true)),
    );
  }
  return plain(decode(guest, bits));
}

function plain(value: Value): unknown {
  if (typeof value === "bigint") return `number ${value}`;
  if (typeof value === "number") return `number ${Object.is(value, -0) ? "-0" : value}`;
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if ("uint" in value) return `number ${value.uint}`;
  if ("duration" in value) return `number ${value.duration}`;
  if ("type" in value) return value.type;
  if ("optional" in value) return value.optional === undefined ? null : plain(value.optional);
  return value;
}
