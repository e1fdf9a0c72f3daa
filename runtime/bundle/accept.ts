/**
 * The only way from the bytes of a bundle to a version that serves:
 *
 *   bytes -> read -> signature -> sequence -> compile -> start -> self-test -> warm-up -> serve (the swap) -> keep -> sequence noted
 *
 * Each step that fails throws with a stable code and leaves whatever serves as it is. Nothing of a bundle is compiled or run
 * before its signature and its sequence have been looked at. Where bytes come from, how threads swap and where versions are
 * kept are the business of the callers.
 */
import { BundleError } from "../errors.ts";
import { Engine } from "../guest/engine.ts";
import { compileModules } from "../guest/modules.ts";
import type { EngineOptions } from "../guest/options.ts";
import { warmUp } from "../guest/warm-up.ts";
import { type Bundle, readBundle } from "./bundle-file.ts";
import type { SectionDigests } from "./section-digests.ts";
import { checkSelfTest } from "./self-test.ts";
import type { Signer, VerifyKeys } from "./signature.ts";

/** Which sequence has been accepted before, so that no older bundle is. */
export interface SequenceStore {
  /** The highest sequence ever accepted; null when none was. */
  highest(): number | null;
  /** Notes that `sequence` serves now. A smaller one than `highest` changes nothing. */
  accept(sequence: number): Promise<void>;
}

/** A store that forgets when the process ends. */
export class MemorySequenceStore implements SequenceStore {
  #highest: number | null;

  constructor(highest: number | null = null) {
    this.#highest = highest;
  }

  highest(): number | null {
    return this.#highest;
  }

  async accept(sequence: number): Promise<void> {
    this.#highest = Math.max(this.#highest ?? 0, sequence);
  }
}

/** What a bundle has to be like to be accepted, and what it is started with. */
export interface Acceptance {
  readonly engine: EngineOptions;
  /** Null: signatures are not asked for. Policies that this process has compiled itself have none. */
  readonly verifyKeys: VerifyKeys | null;
  readonly sequences: SequenceStore;
  /** Whether somebody has asked by name for this very bundle, which may then be older; nobody has unless told. */
  readonly mayRollBackTo?: (digest: string) => boolean;
  /** Whether the file's bytes are to be shared with other threads. */
  readonly shared?: boolean;
  /** Kept by a caller that accepts one version after another, so that what two have in common is not hashed twice. */
  readonly digests?: SectionDigests;
  /** The instant at which expiry is judged; the system's clock unless told. */
  readonly now?: () => Date;
}

/** A bundle that may serve. */
export interface AcceptedBundle {
  readonly engine: Engine;
  readonly bundle: Bundle;
  /** The whole file, as it should be kept. */
  readonly file: Uint8Array;
  /** Null when signatures were not asked for. */
  readonly signer: Signer | null;
}

/** What follows once a bundle has passed every test. */
export interface Acceptor {
  /** Makes it the version that serves, everywhere or nowhere. When it rejects, nothing is kept and no sequence noted. */
  serve(accepted: AcceptedBundle): Promise<void>;
  /** Keeps it for the next start. A failure is the caller's to report; it does not undo the swap. */
  keep?(accepted: AcceptedBundle): Promise<void>;
}

/** Takes a bundle all the way. Throws `BundleError` or `EngineError`, or whatever `serve` and `keep` reject with. */
export async function acceptBundle(
  file: Uint8Array,
  acceptance: Acceptance,
  acceptor: Acceptor,
): Promise<AcceptedBundle> {
  const accepted = await prepareBundle(file, acceptance);
  await acceptor.serve(accepted);
  // In this order: a crash in between leaves a kept bundle that is newer than the sequence noted, which may be served.
  // The other way round the next start would refuse the bundle that it kept.
  await acceptor.keep?.(accepted);
  const { sequence } = accepted.bundle.manifest;
  if (sequence !== null) await acceptance.sequences.accept(sequence);
  return accepted;
}

/** The steps up to the swap: an engine that is ready to serve. Throws `BundleError` or `EngineError`. */
export async function prepareBundle(file: Uint8Array, acceptance: Acceptance): Promise<AcceptedBundle> {
  const own = acceptance.shared === true ? toShared(file) : file;
  const { bundle, signer } = await examineBundle(own, acceptance);
  const compiled = await compileModules(bundle);
  const engine = Engine.start(compiled, acceptance.engine);
  await checkSelfTest(compiled);
  await warmUp(engine);
  return { engine, bundle, file: own, signer };
}

/**
 * The steps that run nothing of the bundle: its form and digests, its signature, its sequence. For whoever only wants to know
 * whether a file would be let in. Throws `BundleError`.
 */
export async function examineBundle(
  file: Uint8Array,
  acceptance: Omit<Acceptance, "engine" | "shared">,
): Promise<{ readonly bundle: Bundle; readonly signer: Signer | null }> {
  const bundle = readBundle(file, acceptance.digests);
  const now = acceptance.now?.() ?? new Date();
  const signer = acceptance.verifyKeys === null ? null : await acceptance.verifyKeys.verify(bundle, now);
  if (acceptance.mayRollBackTo?.(bundle.digest) !== true) {
    requireNotOlder(bundle, acceptance.sequences.highest());
  }
  return { bundle, signer };
}

/** Throws `BundleError` when `bundle` is older than what has been accepted. The same sequence may come again. */
function requireNotOlder({ manifest, shortDigest }: Bundle, highest: number | null): void {
  if (highest === null || (manifest.sequence ?? -1) >= highest) return;
  const what = manifest.sequence === null ? "no sequence" : `sequence ${manifest.sequence}`;
  throw new BundleError(
    `bundle ${shortDigest} has ${what}, and sequence ${highest} has been accepted before`,
    {
      code: "EDICT_BUNDLE_ROLLBACK",
    },
  );
}

/** The file where threads share it instead of copying it: as it is when that is where it lies, all alone, and a copy otherwise. */
function toShared(file: Uint8Array): Uint8Array {
  if (file.buffer instanceof SharedArrayBuffer && file.byteLength === file.buffer.byteLength) return file;
  const copy = new Uint8Array(new SharedArrayBuffer(file.byteLength));
  copy.set(file);
  return copy;
}
