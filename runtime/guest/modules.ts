/**
 * Compiles a verified bundle's two WASM modules, off the main thread. It checks what they import: core gets one
 * memory, the policy module that memory and core's exports, and neither can reach anything else of the host.
 */
import { brotliDecompressSync } from "node:zlib";
import { ZONES_CAPACITY } from "../../assembly/abi.ts";
import type { Bundle } from "../bundle/bundle-file.ts";
import { BundleError } from "../errors.ts";
import { wasm, type WasmModule } from "./webassembly.ts";

/** A bundle ready to be instantiated any number of times. */
export interface CompiledBundle {
  readonly bundle: Bundle;
  readonly core: WasmModule;
  readonly policy: WasmModule;
  /** The bundle's time zones, unpacked. */
  readonly zones: Uint8Array | null;
}

/** Compiles both modules. Throws `BundleError` when one is not valid WASM or imports something foreign. */
export async function compileModules(bundle: Bundle): Promise<CompiledBundle> {
  const [core, policy] = await Promise.all([
    compileModule(bundle.core, "core", ["env"]),
    compileModule(bundle.policy, "policy", ["env", "core"]),
  ]);
  return { bundle, core, policy, zones: bundle.zones === null ? null : unpackZones(bundle.zones) };
}

async function compileModule(
  bytes: Uint8Array,
  name: string,
  allowed: readonly string[],
): Promise<WasmModule> {
  let module: WasmModule;
  try {
    module = await wasm.compile(bytes);
  } catch (error) {
    throw new BundleError(`the ${name} module is not valid WASM: ${oneLine(error)}`, { cause: error });
  }
  for (const item of wasm.Module.imports(module)) {
    const known = item.module === "env" ? item.kind === "memory" && item.name === "memory" : true;
    if (!known || !allowed.includes(item.module)) {
      throw new BundleError(`the ${name} module imports \`${item.module}.${item.name}\``, {
        code: "EDICT_BUNDLE_IMPORTS",
      });
    }
  }
  return module;
}

/** The time zones as the guest reads them (assembly/cel/zones.ts), which checks them. */
function unpackZones(packed: Uint8Array): Uint8Array {
  try {
    return brotliDecompressSync(packed, { maxOutputLength: ZONES_CAPACITY });
  } catch (error) {
    throw new BundleError(`the zones section cannot be unpacked: ${oneLine(error)}`, { cause: error });
  }
}

/** The message of whatever was thrown, on one line. */
export function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, " ");
}
