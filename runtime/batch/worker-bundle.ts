/** What a batch worker needs of a version: its modules and data, without what only explains them, and without a copy per worker. */
import type { CompiledBundle } from "../guest/modules.ts";

const NOTHING = new Uint8Array(0);

/** The part of a bundle that decides. Posting it costs the serving thread little, however many policies there are. */
export function bundleForWorkers(compiled: CompiledBundle): CompiledBundle {
  const { bundle, zones } = compiled;
  return {
    ...compiled,
    zones: zones === null ? null : shared(zones),
    bundle: {
      ...bundle,
      manifest: { ...bundle.manifest, sources: [], attributes: [] },
      // The modules are compiled already.
      core: NOTHING,
      policy: NOTHING,
      rules: NOTHING,
      zones: null,
      image: shared(bundle.image),
      schemas: bundle.schemas === null ? null : shared(bundle.schemas),
    },
  };
}

/** The bytes in shared memory; the same ones when they are there already. */
function shared(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
  copy.set(bytes);
  return copy;
}
