/**
 * Function calls of the CEL conformance suites and of Cerbos's own function tests (the corpus). Expressions that
 * need variables, macros or parts of the language that the tiny evaluator does not have are left to the
 * conformance run of the whole compiler; the number of those that do run is asserted.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { ZONE_DATABASE } from "../../support/zones.ts";
import { BUILDS, buildGuest, type Guest } from "../support/build-guest.ts";
import { decode, tagOf } from "../support/values.ts";
import { evaluate, Unsupported } from "./evaluate.ts";

interface SpecValue {
  readonly boolValue?: boolean;
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | "NaN" | "Infinity" | "-Infinity";
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly listValue?: { readonly values?: readonly SpecValue[] };
}
interface SpecTest {
  readonly name: string;
  readonly expr: string;
  readonly value?: SpecValue;
  readonly evalError?: unknown;
  readonly typeEnv?: unknown;
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
  ["timestamps", 60],
  ["string_ext", 100],
  ["math_ext", 150],
  ["encoders_ext", 4],
  ["lists", 20],
];

function read(path: string): string {
  return readFileSync(join(CORPUS, path), "utf8");
}

/** Tests that Cerbos itself does not satisfy, as `suite:section/name`. */
function deviations(): ReadonlySet<string> {
  const { list }: { list: readonly { file: string; test: string }[] } = JSON.parse(
    read("cel_spec/cerbos_deviations.json"),
  );
  return new Set(list.map(({ file, test }) => `${file}:${test}`));
}

/** The bits as the conformance files write values. */
function specValue(guest: Guest, bits: bigint): unknown {
  const value = decode(guest, bits);
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "bigint") return { int64Value: String(value) };
  if (typeof value === "number") return { doubleValue: Number.isFinite(value) ? value : String(value) };
  if (typeof value === "string") return { stringValue: value };
  if (value instanceof Uint8Array) return { bytesValue: Buffer.from(value).toString("base64") };
  if (value !== null && typeof value === "object" && "uint" in value)
    return { uint64Value: String(value.uint) };
  if (value !== null && typeof value === "object" && "type" in value) return { typeValue: value.type };
  if (!Array.isArray(value)) return value;
  if (value.length === 0) return { listValue: {} };
  const payload = Number(bits & 0xffff_ffffn);
  return {
    listValue: {
      values: value.map((_, index) =>
        specValue(guest, guest.view.getBigUint64(payload + 8 + 8 * index, true)),
      ),
    },
  };
}

describe.skipIf(!HERE).each(BUILDS)("CEL functions conform to the corpus (%s build)", (build) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await buildGuest(build);
    // At the end of the arena, which these expressions do not fill.
    guest.function("placeZones")(guest.bytes.length - abi.ZONES_CAPACITY - 16);
    guest.bytes.set(ZONE_DATABASE, Number(guest.function("zonesStart")()));
    expect(guest.function("useZones")(ZONE_DATABASE.byteLength)).toBe(1);
  });

  /** Evaluates, or answers undefined when the evaluator lacks something. */
  function run(expression: string): bigint | undefined {
    try {
      return evaluate(guest, expression);
    } catch (error) {
      if (error instanceof Unsupported) return undefined;
      throw error;
    }
  }

  it.each(SUITES)("conformance suite %s", (suite, least) => {
    const deviating = deviations();
    let ran = 0;
    const file: SpecFile = JSON.parse(read(`cel_spec/${suite}.json`));
    for (const section of file.section) {
      for (const test of section.test) {
        if (deviating.has(`${suite}:${section.name}/${test.name}`)) continue;
        if (test.bindings !== undefined || (test.value === undefined && test.evalError === undefined))
          continue;
        const bits = run(test.expr);
        if (bits === undefined) continue;
        ran++;
        const failed = tagOf(bits) === abi.TAG_ERROR;
        const got = failed ? "error" : specValue(guest, bits);
        expect({ test: test.name, expr: test.expr, got }).toEqual({
          test: test.name,
          expr: test.expr,
          got: test.evalError === undefined ? test.value : "error",
        });
      }
    }
    expect(ran).toBeGreaterThanOrEqual(least);
  });

  it("Cerbos's function tests", () => {
    const tests: readonly { expr: string; wantErr?: boolean }[] = JSON.parse(
      read("cel_eval/cerbos_lib_exprs.json"),
    );
    let ran = 0;
    for (const { expr, wantErr } of tests) {
      const bits = run(expr);
      if (bits === undefined) continue;
      ran++;
      const got = tagOf(bits) === abi.TAG_ERROR ? "error" : decode(guest, bits);
      expect({ expr, got }).toEqual({ expr, got: wantErr === true ? "error" : true });
    }
    expect(ran).toBeGreaterThanOrEqual(69);
  });
});

it.skipIf(HERE)(
  "the corpus is absent (set EDICT_CORPUS): conformance tests of CEL functions were skipped",
  () => {},
);
