/**
 * Single function calls against what Cerbos 0.55.0 answered to them. `cerbos-answers.json` holds rows
 * `[expression, type, JSON of the value]` or `[expression, "error"]`, recorded from the real binary.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { decode, tagOf, type Value } from "../support/values.ts";
import { evaluate, MODULES } from "./evaluate.ts";

type Row = readonly [expression: string, type: string, json?: string];

const rows = JSON.parse(readFileSync(new URL("cerbos-answers.json", import.meta.url), "utf8")) as readonly Row[];

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [abi.TAG_DOUBLE]: "double",
  [abi.TAG_BOOL]: "bool",
  [abi.TAG_INT]: "int",
  [abi.TAG_UINT]: "uint",
  [abi.TAG_STRING]: "string",
  [abi.TAG_BYTES]: "bytes",
  [abi.TAG_LIST]: "list",
  [abi.TAG_MAP]: "map",
  [abi.TAG_TIMESTAMP]: "google.protobuf.Timestamp",
  [abi.TAG_DURATION]: "google.protobuf.Duration",
  [abi.TAG_OPTIONAL]: "optional_type",
  [abi.TAG_NULL]: "null_type",
  [abi.TAG_TYPE]: "type",
  [abi.TAG_HIERARCHY]: "cerbos.lib.hierarchy",
};

/** Numbers of any size compare as text, because Cerbos prints ints, uints and doubles alike. */
function withNumbersAsText(json: string): unknown {
  return JSON.parse(
    json.replaceAll(/("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)/g, (_, text: string | undefined, number: string) =>
      text === undefined ? `"number ${String(number)}"` : text,
    ),
  );
}

function comparable(guest: Guest, bits: bigint): unknown {
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

describe.each(BUILDS)("CEL functions give Cerbos's answers (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(MODULES, build);
  });

  it("holds a table worth checking", () => {
    expect(rows.length).toBeGreaterThan(2000);
  });

  it.each(rows)("%s", (expression, type, json) => {
    const bits = evaluate(guest, expression);
    if (json === undefined) {
      expect({ tag: tagOf(bits) }).toEqual({ tag: abi.TAG_ERROR });
      return;
    }
    expect({ type: TYPE_NAMES[tagOf(bits)] ?? decode(guest, bits), value: comparable(guest, bits) }).toEqual({
      type,
      value: withNumbersAsText(json),
    });
  });
});
