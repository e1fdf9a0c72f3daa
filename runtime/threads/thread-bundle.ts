/** What a serving thread is sent of a version: everything but the list of its sources, which only people ask for. */
import type { CompiledBundle } from "../guest/modules.ts";

/** The version without its sources. Posting those of 40,000 policies takes each thread longer than everything else about a new version. */
export function bundleForThreads(compiled: CompiledBundle): CompiledBundle {
  const { bundle } = compiled;
  return { ...compiled, bundle: { ...bundle, manifest: { ...bundle.manifest, sources: [] } } };
}
