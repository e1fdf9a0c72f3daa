/**
 * The version that a daemon starts with: what its source has, or, when the source is down or gives nothing that may serve, the last
 * good one of the state directory. What is kept passes the same acceptance as anything else; what does not is reported and never used.
 */
import { EdictError, SourceError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import { log } from "../observe/log.ts";
import type { BundleSource } from "../source/source.ts";
import type { KeptVersion, VersionStore } from "../source/version-store.ts";
import { type Acceptance, type AcceptedBundle, examineBundle, prepareBundle } from "./accept.ts";

/** How long a source may take before the last good version serves for the time being, in milliseconds. */
const PATIENCE = 2_000;

export interface FirstVersion {
  readonly accepted: AcceptedBundle;
  /** Why it is not what the source has; null when it is. */
  readonly failure: unknown;
}

/**
 * Throws what was wrong with the source when there is nothing to serve: `EdictError`s. What `isSetAside` names is not taken from the
 * source as long as a kept version can serve: an operator has rolled back from it.
 */
export async function firstVersion(
  source: BundleSource,
  acceptance: Acceptance,
  store: VersionStore,
  isSetAside: (digest: string) => boolean = () => false,
): Promise<FirstVersion> {
  await recoverSequence(acceptance, store);
  const [kept] = store.versions();
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), PATIENCE);
  const attempt = fromSource(source, acceptance, patience.signal, kept === undefined);
  try {
    const accepted = await attempt;
    if (kept !== undefined && isSetAside(accepted.bundle.digest)) {
      const held = await fromStore(kept, acceptance, store);
      if (held !== null) {
        const { shortDigest } = accepted.bundle;
        log(`serving bundle ${held.bundle.shortDigest}: bundle ${shortDigest} of the source was set aside`);
        return { accepted: held, failure: null };
      }
    }
    await keep(accepted, store);
    return { accepted, failure: null };
  } catch (error) {
    if (kept === undefined) throw error;
    const accepted = await fromStore(kept, acceptance, store);
    if (accepted === null) {
      if (!patience.signal.aborted) throw error;
      // Nothing serves in its place, so it may take as long as at the very first start.
      const late = await fromSource(source, acceptance, patience.signal, true);
      await keep(late, store);
      return { accepted: late, failure: null };
    }
    log(
      `serving bundle ${accepted.bundle.shortDigest}, kept since ${kept.at}, for the time being: ${oneLine(error)}`,
    );
    source.forget();
    return { accepted, failure: error };
  } finally {
    clearTimeout(timer);
  }
}

/** What the source has, ready to serve. */
async function fromSource(
  source: BundleSource,
  acceptance: Acceptance,
  patience: AbortSignal,
  mayTakeLong: boolean,
): Promise<AcceptedBundle> {
  const abort = new AbortController();
  const fetching = source.fetch(abort.signal);
  const fetched = await (mayTakeLong ? fetching : Promise.race([fetching, rejectAtEnd(patience, source)]));
  // Only whoever has asked before is told so.
  if (fetched === "unchanged") throw new SourceError("EDICT_SOURCE_REFUSED", "the source gave no bundle");
  if (fetched.warnings !== "") log(`warnings in the policies\n${fetched.warnings}`);
  return prepareBundle(fetched.bytes, acceptance);

  function rejectAtEnd(signal: AbortSignal, { name }: BundleSource): Promise<never> {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        fetching.catch(() => undefined);
        abort.abort();
        reject(new SourceError("EDICT_SOURCE_TIMEOUT", `\`${name}\` has not answered within ${PATIENCE} ms`));
      });
    });
  }
}

/** The last good version, ready to serve; null when it cannot be. */
async function fromStore(
  kept: KeptVersion,
  acceptance: Acceptance,
  store: VersionStore,
): Promise<AcceptedBundle | null> {
  const file = await store.read(kept.digest);
  if (file === null) {
    log(`the kept bundle ${kept.digest.slice(0, 12)} is missing`);
    return null;
  }
  try {
    // It may be older than the highest sequence: an operator has rolled back to it by name.
    return await prepareBundle(file, {
      ...acceptance,
      mayRollBackTo: (digest) => digest === kept.digest,
    });
  } catch (error) {
    if (!(error instanceof EdictError)) throw error;
    log(`the kept bundle ${kept.digest.slice(0, 12)} is not used: ${error.message}`);
    return null;
  }
}

/** Where the highest sequence was lost, the bundles that are kept and signed as they should be still say it. */
async function recoverSequence(acceptance: Acceptance, store: VersionStore): Promise<void> {
  if (store.highest() !== null) return;
  for (const { digest } of store.versions()) {
    const file = await store.read(digest);
    if (file === null) continue;
    try {
      const { bundle } = await examineBundle(file, { ...acceptance, mayRollBackTo: () => true });
      if (bundle.manifest.sequence !== null) await store.accept(bundle.manifest.sequence);
    } catch (error) {
      log(`the kept bundle ${digest.slice(0, 12)} is ignored: ${oneLine(error)}`);
    }
  }
}

async function keep({ bundle, file }: AcceptedBundle, store: VersionStore): Promise<void> {
  const { digest, manifest } = bundle;
  await store.keep({ digest, sequence: manifest.sequence }, file);
  if (manifest.sequence !== null) await store.accept(manifest.sequence);
}
