/**
 * The part of the WebAssembly JavaScript API that edict uses. Node's own types declare only a few of its classes, and
 * TypeScript's DOM library would bring a browser's globals with them.
 */

/** Opaque: a compiled module. */
export interface WasmModule {
  readonly wasmModule: never;
}

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

export interface WasmTable {
  readonly length: number;
  grow(by: number): number;
  set(index: number, value: unknown): void;
}

export type WasmExports = Readonly<Record<string, unknown>>;
export type WasmImports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface WasmApi {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  readonly Module: { imports(module: WasmModule): readonly { module: string; name: string; kind: string }[] };
  readonly Instance: new (module: WasmModule, imports: WasmImports) => { readonly exports: WasmExports };
  readonly LinkError: new (message?: string) => Error;
  readonly Memory: new (limits: { initial: number; maximum: number }) => WasmMemory;
}

export const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
