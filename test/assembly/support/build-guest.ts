/**
 * Guest functions to be called one by one: an instance of the module that holds many of assembly/ (guest-module.ts). Whole requests are
 * not run here: that is the real core's job.
 */
import { IMAGE_BASE } from "../../../assembly/abi.ts";
import { wasm, type WasmMemory } from "../../../runtime/guest/webassembly.ts";
import { type Build, guestModule } from "./guest-module.ts";

export { type Build, BUILDS } from "./guest-module.ts";

const PAGE = 65536;
/** 16 MiB: room for the largest values that tests build. */
const PAGES = 256;
const DEFAULT_FUEL = 100_000_000n;

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

/** An instance of its own. */
export async function buildGuest(build: Build): Promise<Guest> {
  const module = await wasm.compile(await guestModule(build));
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
