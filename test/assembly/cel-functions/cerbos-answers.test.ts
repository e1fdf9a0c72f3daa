/**
 * Single function calls against what Cerbos 0.55.0 answered to them. `cerbos-answers.json` holds rows
 * `[expression, type, JSON of the value]` or `[expression, "error"]`, recorded from the real binary.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { tagOf } from "../support/values.ts";
import { comparable, withNumbersAsText } from "./comparable.ts";
import { evaluate } from "./evaluate.ts";

type Row = readonly [expression: string, type: string, json?: string];

const rows: readonly Row[] = JSON.parse(
  readFileSync(new URL("cerbos-answers.json", import.meta.url), "utf8"),
);

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

/** What the guest answers, as a row with its value made comparable. */
function answer(guest: Guest, expression: string): readonly unknown[] {
  const bits = evaluate(guest, expression);
  const tag = tagOf(bits);
  if (tag === abi.TAG_ERROR) return [expression, "error"];
  return [expression, TYPE_NAMES[tag] ?? `tag ${tag}`, comparable(guest, bits)];
}

/** Rows by the outermost function of their expression, or what comes close to it. */
function families(): [string, Row[]][] {
  const found = new Map<string, Row[]>();
  for (const row of rows) {
    const name = /([a-zA-Z.]+)\([^()]*(\([^()]*\)[^()]*)*\)$/.exec(row[0])?.[1] ?? "other";
    found.set(name, [...(found.get(name) ?? []), row]);
  }
  return [...found];
}

describe.each(BUILDS)("CEL functions give Cerbos's answers (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });

  it("has a table worth checking", () => {
    expect(rows.length).toBeGreaterThan(2000);
  });

  it.each(families())("%s", (_, family) => {
    for (const [expression, type, json] of family) {
      const wanted = json === undefined ? [expression, "error"] : [expression, type, withNumbersAsText(json)];
      expect(answer(guest, expression)).toEqual(wanted);
    }
  });
});
