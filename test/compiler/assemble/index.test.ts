/** compiler/assemble: functions are compiled by themselves, kept, and linked into a module that V8 accepts. */
import { describe, expect, it } from "vitest";
import { assemble } from "../../../compiler/assemble/index.ts";
import { ObjectCache, type TextStore } from "../../../compiler/assemble/object-cache.ts";
import { readObject } from "../../../compiler/assemble/function-object.ts";
import { AssemblyScript } from "../../../compiler/assemble/asc.ts";
import type { PolicyModule } from "../../../compiler/emit/policy-module.ts";
import { plan } from "../../../compiler/index.ts";
import { wasm } from "../../../runtime/guest/webassembly.ts";

function moduleOf(...conditions: readonly string[]): PolicyModule {
  const rules = conditions.map(
    (text, index) =>
      `    - actions: ["a${index}"]\n      effect: EFFECT_ALLOW\n      roles: [user]\n      condition:\n        match:\n          expr: ${JSON.stringify(text)}\n`,
  );
  const text = `apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: thing\n  version: default\n  rules:\n${rules.join("")}`;
  const { emitted, diagnostics } = plan([{ path: "a.yaml", text }]);
  if (emitted === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return emitted.module;
}

class SpyStore implements TextStore {
  readonly texts = new Map<string, string>();

  async get(key: string): Promise<string | undefined> {
    return this.texts.get(key);
  }

  async put(key: string, text: string): Promise<void> {
    this.texts.set(key, text);
  }
}

const CONDITIONS = [
  'R.attr.status == "OPEN" ? P.attr.a > 1 : P.attr.b < 2.5',
  "R.attr.items.exists(i, i.price > 3 && size(R.attr.tags) > 1)",
  "R.attr.items.all(i, i.price > 3 || size(R.attr.tags) > 1)",
  'has(R.attr.x) && R.attr.x in ["a", "b", "c"]',
  'R.attr.list.map(x, x + 1)[0] == 2 && R.attr.m["k"].v != null',
  "R.attr.list.filter(x, x > 1).exists_one(y, y == 2)",
];

describe("compiled functions", { timeout: 300_000 }, () => {
  it("are the same alone and in company", async () => {
    const together = new SpyStore();
    const all = moduleOf(...CONDITIONS);
    await assemble(all, new ObjectCache(together));
    const alone = new SpyStore();
    for (const unit of all.units)
      await assemble({ ...all, units: [unit] }, new ObjectCache(alone)).catch(() => undefined);
    expect(alone.texts.size).toBeGreaterThan(CONDITIONS.length);
    expect(alone.texts).toEqual(together.texts);
  });

  it("are compiled once for all conditions that differ in literals and attributes only", async () => {
    const cache = new ObjectCache();
    const texts = Array.from({ length: 30 }, (_, index) => `R.attr.a${index} == "value ${index}"`);
    const module = await assemble(moduleOf(...texts), cache);
    expect(cache.compiled).toBe(1);
    const exports = wasm.Module.imports(await wasm.compile(module)).map(({ name }) => name);
    expect(exports).toContain("resourceEquals");
  });

  it("come back from a store, and damaged ones are compiled anew", async () => {
    const store = new SpyStore();
    const module = moduleOf(...CONDITIONS);
    const first = await assemble(module, new ObjectCache(store));
    const second = new ObjectCache(store);
    expect(await assemble(module, second)).toEqual(first);
    expect(second.compiled).toBe(0);
    for (const key of store.texts.keys()) store.texts.set(key, '{"code":"AA==","holes":[{"at":9}]}');
    const third = new ObjectCache(store);
    expect(await assemble(module, third)).toEqual(first);
    expect(third.compiled).toBeGreaterThan(0);
  });

  it("are not taken for what they are not", () => {
    for (const text of [
      "",
      "{}",
      "[]",
      '{"code":1,"holes":[]}',
      '{"code":"","holes":[{"at":1,"target":{"call":"f","type":"00"}}]}',
    ])
      expect(readObject(text)).toBeUndefined();
  });

  it("make a module for policies without conditions", async () => {
    const empty = { ...moduleOf("P.id == R.id"), units: [] };
    expect(wasm.Module.imports(await wasm.compile(await assemble(empty)))).toHaveLength(1);
  });

  it("do not depend on whether the compiler was prepared", async () => {
    const module = moduleOf(...CONDITIONS);
    const primed = new AssemblyScript();
    await Promise.all([primed.prime(), primed.prime()]);
    expect(await assemble(module, new ObjectCache(), primed)).toEqual(await assemble(module));
  });
});
