/**
 * The operators and conversions of the CEL conformance suites (the corpus), expression by expression through the
 * tiny evaluator of cel-functions/. What needs variables, macros or the type checker is left to the conformance
 * run of the whole compiler; the number of tests that do run here is asserted.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { TAG_ERROR } from "../../../assembly/abi.ts";
import { evaluate, Unsupported } from "../cel-functions/evaluate.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { decode, tagOf, type Value } from "../support/values.ts";

interface SpecValue {
  readonly nullValue?: null;
  readonly boolValue?: boolean;
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | "NaN" | "Infinity" | "-Infinity";
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly typeValue?: string;
  readonly listValue?: { readonly values?: readonly SpecValue[] };
  readonly mapValue?: {
    readonly entries?: readonly { readonly key: SpecValue; readonly value: SpecValue }[];
  };
}
interface SpecTest {
  readonly name: string;
  readonly expr: string;
  readonly value?: SpecValue;
  readonly evalError?: unknown;
  readonly bindings?: unknown;
}
interface SpecFile {
  readonly section: readonly { readonly name: string; readonly test: readonly SpecTest[] }[];
}

const CORPUS =
  process.env["EDICT_CORPUS"] ?? fileURLToPath(new URL("../../../../shared/corpus", import.meta.url));
const HERE = existsSync(CORPUS);

/** Suites and the least number of their tests that must run here. */
const SUITES: readonly (readonly [suite: string, least: number])[] = [
  ["basic", 35],
  ["comparisons", 320],
  ["conversions", 105],
  ["fp_math", 30],
  ["integer_math", 64],
  ["string", 42],
];

/** Messages are no maps, which is all that the evaluator makes of them. */
const MESSAGE = /google\.protobuf\.\w+\{/u;

/** What a conformance file expects, as a value of our own; undefined for messages and the like. */
function expected(value: SpecValue): Value | undefined {
  if (value.nullValue !== undefined) return null;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.int64Value !== undefined) return BigInt(value.int64Value);
  if (value.uint64Value !== undefined) return { uint: BigInt(value.uint64Value) };
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.bytesValue !== undefined) return Uint8Array.from(Buffer.from(value.bytesValue, "base64"));
  if (value.typeValue !== undefined) return { type: value.typeValue };
  if (value.listValue !== undefined)
    return (value.listValue.values ?? []).map((item) => expected(item) ?? null);
  if (value.mapValue === undefined) return undefined;
  const entries = value.mapValue.entries ?? [];
  return {
    map: entries.map((entry) => [expected(entry.key) ?? null, expected(entry.value) ?? null] as const),
  };
}

describe.skipIf(!HERE).each(BUILDS)("CEL operators conform to the corpus (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
  });

  /** What the guest makes of an expression, or undefined when the evaluator lacks something. */
  function answer(expression: string): Value | undefined {
    try {
      const bits = evaluate(guest, expression);
      return tagOf(bits) === TAG_ERROR ? "an error" : decode(guest, bits);
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  }

  it.each(SUITES)("suite %s", (suite, least) => {
    const file: SpecFile = JSON.parse(readFileSync(join(CORPUS, "cel_spec", `${suite}.json`), "utf8"));
    let ran = 0;
    for (const test of file.section.flatMap((section) => section.test)) {
      const wanted = test.evalError === undefined ? expected(test.value ?? {}) : "an error";
      if (wanted === undefined || test.bindings !== undefined) continue;
      const got = answer(test.expr);
      if (got === undefined || MESSAGE.test(test.expr)) continue;
      ran++;
      expect(got, test.expr).toEqual(wanted);
    }
    expect(ran).toBeGreaterThanOrEqual(least);
  });
});
