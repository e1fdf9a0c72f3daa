/**
 * A guest that traps costs one request: the instance is replaced and the answer is no answer. The real guest never
 * traps, so these tests link a module made for the purpose, with the contract's exports and nothing behind them.
 */
import binaryen from "binaryen";
import { describe, expect, it } from "vitest";
import {
  ABI_VERSION,
  FORMAT_JSON,
  SECTION_CORE,
  SECTION_MANIFEST,
  SECTION_POLICY,
  STATUS_OK,
} from "../../../assembly/abi.ts";
import { BundleError, EngineError } from "../../../runtime/errors.ts";
import { BodyTable } from "../../../runtime/guest/body-table.ts";
import { Engine, STATUS_TRAP } from "../../../runtime/guest/engine.ts";
import { MANIFEST, sampleSections, writeBundle } from "../support/bundle-writer.ts";

/** Answers "{}" to everything, but traps on a request of one byte and never returns from one of two. */
const CORE = `(module
  (import "env" "memory" (memory 1))
  (table (export "table") 1 funcref)
  (func (export "abiVersion") (result i32) (i32.const ${ABI_VERSION}))
  (func (export "heapBase") (result i32) (i32.const 8192))
  (func (export "tableBase") (result i32) (i32.const 1))
  (func (export "start") (param i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 80) (i32.const 327680))
    (i32.store (i32.const 84) (local.get 1))
    (i32.store (i32.const 64) (i32.const 300000))
    (i32.store (i32.const 68) (i32.const 2))
    (i32.store (i32.const 300000) (i32.const 0x7d7b))
    (i32.const 0))
  (func (export "setMode") (param i32 i32 i32 i32))
  (func (export "setMaxPairs") (param i32))
  (func (export "setDefaults") (param i32 i32))
  (func (export "setGlobals") (param i32) (result i32) (i32.const 0))
  (func (export "setAuthzen") (param i32 i32 i32))
  (func (export "seed") (param i32 i32 i32 i32 i32 i32))
  (func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))
  (func (export "check") (param i32 i32 i32 i32 f64) (result i32)
    (if (i32.eq (local.get 0) (i32.const 1)) (then (unreachable)))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (return (call $deep (i32.const 0)))))
    (i32.const 0))
  (func (export "checkFrames") (param i32 i32 i32 i32 f64) (result i32) (unreachable))
  (func (export "checkBodies") (param i32 i32 i32 f64) (result i32) (unreachable))
  (func (export "evaluateCondition") (param i32) (result i32) (i32.const 0)))`;

const binary = (text: string): Uint8Array => binaryen.parseText(text).emitBinary();

function bundleOf(core: string, policy: string, conditions = 0): Uint8Array {
  const manifest = { ...MANIFEST, memory: { fixed: 327_680 }, functions: { conditions, outputs: 0 } };
  const replaced = new Map([
    [SECTION_MANIFEST, new TextEncoder().encode(JSON.stringify(manifest))],
    [SECTION_CORE, binary(core)],
    [SECTION_POLICY, binary(policy)],
  ]);
  return writeBundle(
    sampleSections().map(({ kind, bytes }) => ({ kind, bytes: replaced.get(kind) ?? bytes })),
  );
}

const decide = (engine: Engine, length: number): number =>
  engine.decide(new Uint8Array(length), FORMAT_JSON, FORMAT_JSON, 0);

describe("a guest that traps", () => {
  it("is replaced, and the next request is decided", async () => {
    const engine = await Engine.load(bundleOf(CORE, "(module)"));
    expect(decide(engine, 3)).toBe(STATUS_OK);
    for (const length of [1, 2]) {
      expect(decide(engine, length)).toBe(STATUS_TRAP);
      const error = engine.failure(STATUS_TRAP, new Uint8Array(length), FORMAT_JSON);
      expect(error).toBeInstanceOf(EngineError);
      expect(error.code).toBe("EDICT_ENGINE_TRAP");
      expect(decide(engine, 3)).toBe(STATUS_OK);
      expect(new TextDecoder().decode(engine.output())).toBe("{}");
    }
    expect(engine.traps).toBe(2);
  });

  it("is replaced when it traps over several requests, which are then decided one by one", async () => {
    const engine = await Engine.load(bundleOf(CORE, "(module)"));
    expect(engine.decideFrames(new Uint8Array(3), 1, 3)).toBe(STATUS_TRAP);
    expect(decide(engine, 3)).toBe(STATUS_OK);
    expect(engine.decideBodies(new BodyTable(), new Uint8Array(3), 1, 0)).toBe(false);
    expect(decide(engine, 3)).toBe(STATUS_OK);
    expect(engine.traps).toBe(2);
  });
});

describe("a bundle whose modules do not fit", () => {
  it.each([
    ["another ABI", CORE.replace(`(i32.const ${ABI_VERSION}))`, "(i32.const 9))"), /ABI version 9/],
    [
      "statics in the image",
      CORE.replace("(i32.const 8192)", "(i32.const 999999)"),
      /reaches into the image/,
    ],
    [
      "a foreign import",
      CORE.replace("(table", '(import "env" "exit" (func)) (table'),
      /imports `env\.exit`/,
    ],
    [
      "an input outside memory",
      CORE.replace("(i32.const 327680)", "(i32.const 0x7fffffff)"),
      /outside memory/,
    ],
    [
      "a refusal to start",
      CORE.replace("(i32.const 0x7d7b))\n    (i32.const 0))", "(i32.const 0x7d7b))\n    (i32.const 19))"),
      /status 19/,
    ],
  ])("is refused: %s", async (_name, core, reason) => {
    await expect(Engine.load(bundleOf(core, "(module)"))).rejects.toThrow(reason);
  });

  it("is refused when the policy module reaches beyond core", async () => {
    const policy = '(module (import "wasi" "clock" (func)))';
    await expect(Engine.load(bundleOf(CORE, policy))).rejects.toThrow(/imports `wasi\.clock`/);
  });

  it("is refused when a condition is missing", async () => {
    await expect(Engine.load(bundleOf(CORE, "(module)", 1))).rejects.toThrow(BundleError);
  });

  it("is refused when a section is not WASM at all", async () => {
    await expect(Engine.load(writeBundle(sampleSections()))).rejects.toThrow(/not valid WASM/);
  });
});
