/**
 * Engines for tests: policy sources compiled into a bundle with the release or the debug core, loaded, and asked in
 * JSON or msgpack. Needs the guest core that `npm run build` makes; `npm test` builds it first.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pack, unpack } from "msgpackr";
import { readCore } from "../../compiler/bundle/core.ts";
import { compile, type SourceFile } from "../../compiler/index.ts";
import { memoryOfTheRun } from "./compile-memory.ts";
import type { CheckResponse } from "../differential/interpreter/request.ts";
import { Engine, type EngineOptions, type Format } from "../../runtime/index.ts";

export type Build = "release" | "debug";

const CORE = fileURLToPath(new URL("../../dist/wasm/core.wasm", import.meta.url));

/** Whether the guest core has been built. */
export const CORE_IS_BUILT = existsSync(CORE);
export const BUILD_CORE = "the guest core is not built: run `npm run build`";

/** Compiles sources to a bundle; throws with the diagnostics when they hold an error. */
export async function bundleOf(
  sources: readonly SourceFile[],
  build: Build = "release",
): Promise<Uint8Array> {
  const { bundle, diagnostics } = await compile(sources, {
    core: await readCore(build),
    ignoreSchemas: true,
    memory: memoryOfTheRun(),
  });
  if (bundle !== undefined) return bundle;
  throw new Error(
    diagnostics
      .map(({ place, code, message }) => `${place.file}:${place.line} ${code} ${message}`)
      .join("\n"),
  );
}

/** Compiles and loads; limits are Cerbos's largest unless given, as test requests are compared with its answers. */
export async function engineOf(
  sources: readonly SourceFile[],
  options: EngineOptions = {},
  build: Build = "release",
): Promise<Engine> {
  return loadEngine(await bundleOf(sources, build), options);
}

export async function loadEngine(bundle: Uint8Array, options: EngineOptions = {}): Promise<Engine> {
  return Engine.load(bundle, { maxActionsPerResource: 500, maxResourcesPerRequest: 500, ...options });
}

export type Answer = { readonly response: CheckResponse } | { readonly failure: string };

/** Asks with the bytes of one format and reads the answer's; a refused request is a failure, not an exception. */
export function ask(engine: Engine, request: unknown, format: Format): Answer {
  const bytes =
    format === "json" ? new TextEncoder().encode(JSON.stringify(request)) : new Uint8Array(pack(request));
  const { status, bytes: answer } = engine.checkBytes(bytes, format);
  if (status !== 0) return { failure: `status ${status}` };
  const response: CheckResponse =
    format === "json" ? JSON.parse(new TextDecoder().decode(answer)) : unpack(answer);
  return { response };
}
