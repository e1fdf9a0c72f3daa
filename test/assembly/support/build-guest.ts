/**
 * Compiles a few modules of assembly/ into a small WASM module of their own, so that guest functions can be
 * called one by one. Nothing is written to disk. Whole requests are not run here: that is the real core's job.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";
import { IMAGE_BASE } from "../../../assembly/abi.ts";
import { wasm, type WasmMemory } from "../../../runtime/guest/webassembly.ts";

/** Both builds that every guest test runs in: `debug` has assertions on and no optimisation. */
export const BUILDS = ["debug", "release"] as const;
export type Build = (typeof BUILDS)[number];

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const ENTRY = "test-entry.ts";
const PAGE = 65536;
/** 16 MiB: room for the largest values that tests build. */
const PAGES = 256;
const DEFAULT_FUEL = 100_000_000n;
const COMMON_OPTIONS = [
  ["--outFile", "out.wasm", "--runtime", "stub", "--importMemory", "--memoryBase", "4096"],
  ["--use", "abort=", "--enable", "simd,bulk-memory,sign-extension,nontrapping-f2i"],
].flat();
const OPTIONS: Readonly<Record<Build, readonly string[]>> = {
  debug: ["--debug", "--optimizeLevel", "0"],
  release: ["--optimizeLevel", "3", "--shrinkLevel", "0", "--noAssert"],
};

export type GuestExport = (...values: (bigint | number)[]) => unknown;

export interface Guest {
  readonly memory: WasmMemory;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** The raw export called `name`; fails when there is none. */
  function(name: string): GuestExport;
  /** The current value of the exported variable called `name`; fails when there is none. */
  global(name: string): bigint | number;
  /** Calls a function over tagged values; arguments and result are u64 bit patterns. */
  call(name: string, ...values: readonly bigint[]): bigint;
  /** Allocates in the arena; the address. */
  allocate(size: number): number;
  /** Empties the arena and refills the evaluation budget. Values of earlier calls become meaningless. */
  reset(fuel?: bigint): void;
}

/** Compiles the exports of `modules` (paths from the repository root, without extension) and instantiates them. */
export async function buildGuest(modules: readonly string[], build: Build): Promise<Guest> {
  const module = await wasm.compile(await compile(modules, build));
  const memory = new wasm.Memory({ initial: PAGES, maximum: PAGES });
  const exported = new wasm.Instance(module, { env: { memory } }).exports;
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);

  function named(name: string): GuestExport {
    const found = exported[name];
    if (!isFunction(found)) throw new Error(`the test module does not export \`${name}\``);
    return found;
  }
  const guest: Guest = {
    memory,
    view,
    bytes,
    function: named,
    global(name) {
      const found = exported[name];
      if (!isGlobal(found)) throw new Error(`the test module has no variable \`${name}\``);
      return found.value;
    },
    call(name, ...values) {
      const signed = values.map((value) => BigInt.asIntN(64, value));
      const result = named(name)(...signed);
      if (typeof result !== "bigint") throw new Error(`\`${name}\` does not answer a tagged value`);
      return BigInt.asUintN(64, result);
    },
    allocate: (size) => Number(named("allocate")(size)) >>> 0,
    reset(fuel = DEFAULT_FUEL) {
      named("setArena")(IMAGE_BASE, PAGES * PAGE);
      named("refuel")(fuel);
    },
  };
  guest.reset();
  return guest;
}

function isFunction(value: unknown): value is GuestExport {
  return typeof value === "function";
}

function isGlobal(value: unknown): value is { readonly value: bigint | number } {
  return typeof value === "object" && value !== null && "value" in value;
}

async function compile(modules: readonly string[], build: Build): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Set(["assembly/memory/arena", "assembly/memory/fuel", ...modules]);
  const entry = [...all].map((path) => `export * from "./${path}";`).join("\n");
  let binary: Uint8Array<ArrayBuffer> | undefined;
  const log: string[] = [];
  const result = await main([ENTRY, ...OPTIONS[build], ...COMMON_OPTIONS], {
    readFile: async (name) => (name === ENTRY ? entry : await read(name)),
    writeFile: (name, contents) => {
      if (name === "out.wasm" && contents instanceof Uint8Array) binary = Uint8Array.from(contents);
    },
    listFiles: () => null,
    stderr: { write: (text) => log.push(String(text)) },
  });
  if (result.error !== null || binary === undefined) {
    throw new Error(`asc failed: ${log.join("")}`, { cause: result.error });
  }
  return binary;
}

async function read(name: string): Promise<string | null> {
  // The repository's own asconfig.json names the core's entry file, which would be compiled in.
  if (name.endsWith("asconfig.json")) return null;
  try {
    return await readFile(join(ROOT, name), "utf8");
  } catch {
    return null;
  }
}
