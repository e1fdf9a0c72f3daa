/** Reads the built guest core, which every bundle contains. */
import { readFile } from "node:fs/promises";

/** Where `npm run build` puts the guest, seen from compiler/bundle/ and from dist/compiler/bundle/. */
const CANDIDATES = ["../../dist/wasm/", "../../wasm/"];

/**
 * The guest core as WASM. `debug` has assertions and names.
 * @throws Error when it has not been built
 */
export async function readCore(build: "release" | "debug" = "release"): Promise<Uint8Array> {
  const name = build === "debug" ? "core.debug.wasm" : "core.wasm";
  const attempts = await Promise.allSettled(
    CANDIDATES.map((folder) => readFile(new URL(folder + name, import.meta.url))),
  );
  const found = attempts.find((attempt) => attempt.status === "fulfilled");
  return found === undefined
    ? Promise.reject(new Error(`the guest core ${name} is not built: run npm run build`))
    : new Uint8Array(found.value);
}
