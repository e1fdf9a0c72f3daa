/**
 * What an operator can have a running daemon do: reload, roll back, promote. Every way ends in the same acceptance of a bundle as any
 * other version's (runtime/bundle/accept.ts); what is decided here is which bytes, and what the source may do to them afterwards.
 */
import type { AcceptedBundle } from "../bundle/accept.ts";
import { AdminError } from "../errors.ts";
import { log } from "../observe/log.ts";
import type { ServingState } from "../observe/serving-state.ts";
import type { Shadow } from "../shadow/shadow.ts";
import type { KeptVersion } from "../source/version-store.ts";
import type { VersionHold } from "./version-hold.ts";

/** The kept versions, as far as they are needed here. */
export interface KeptVersions {
  /** The first is the one that served last. */
  versions(): readonly KeptVersion[];
  read(digest: string): Promise<Uint8Array | null>;
}

/** The reloader, as far as it is needed here. */
export interface VersionControl {
  /** Asks the source again. Never rejects; how it went is in the serving state. */
  reload(): Promise<void>;
  /**
   * Has `file` pass all tests and serve, never at the same time as a reload. `older` says whether its sequence may be lower than what has been
   * accepted. Rejects with an `EdictError`, and then nothing has changed.
   */
  serve(file: Uint8Array, older: boolean): Promise<AcceptedBundle>;
}

export interface ControlParts {
  readonly state: ServingState;
  readonly versions: VersionControl;
  readonly store: KeptVersions;
  readonly hold: VersionHold;
  readonly shadow: Shadow | null;
}

export interface Outcome {
  /** Digest that serves now, and the one that did before. */
  readonly bundle: string;
  readonly previous: string;
}

export class Control {
  readonly #state: ServingState;
  readonly #versions: VersionControl;
  readonly #store: KeptVersions;
  readonly #hold: VersionHold;
  readonly #shadow: Shadow | null;
  #busy = false;

  constructor({ state, versions, store, hold, shadow }: ControlParts) {
    this.#state = state;
    this.#versions = versions;
    this.#store = store;
    this.#hold = hold;
    this.#shadow = shadow;
  }

  /** Versions that can be gone back to, newest first. */
  get previous(): readonly KeptVersion[] {
    const { digest } = this.#state.engine.bundle;
    return this.#store.versions().filter((version) => version.digest !== digest);
  }

  /** Asks the source for its version, also when that was set aside, and the shadow's source for its. */
  reload(): Promise<Outcome> {
    return this.#alone(async () => {
      this.#hold.release();
      await Promise.all([this.#versions.reload(), this.#shadow?.refresh()]);
    });
  }

  /** Goes back to a version that has served: the one before unless told, by its digest or the beginning of it. */
  rollback(digest: string | null): Promise<Outcome> {
    return this.#alone(async () => {
      const from = this.#state.engine.bundle;
      const target = find(this.previous, digest);
      const file = await this.#store.read(target.digest);
      if (file === null) {
        throw new AdminError(
          "EDICT_VERSION_UNKNOWN",
          `bundle ${target.digest.slice(0, 12)} is not kept any more`,
        );
      }
      await this.#choose("rollback", from.digest, target.digest, () => this.#versions.serve(file, true));
      log(
        `rolled back from bundle ${from.shortDigest} to ${target.digest.slice(0, 12)}, as the operator asked`,
      );
    });
  }

  /** Makes the shadow's candidate the version that serves, unless it has changed more than `maxChanges` decisions; null for any number. */
  promote(maxChanges: number | null): Promise<Outcome> {
    return this.#alone(async () => {
      const shadow = this.#shadow;
      const candidate = shadow?.candidate ?? null;
      if (shadow === null || candidate === null) {
        const reason =
          shadow === null
            ? "the daemon has no `--shadow`"
            : (shadow.status.problem ?? "its source has given none since the last one was promoted");
        throw new AdminError("EDICT_NO_SHADOW", `there is no candidate: ${reason}`);
      }
      const from = this.#state.engine.bundle;
      if (candidate.bundle.digest === from.digest) {
        throw new AdminError("EDICT_NO_SHADOW", `the candidate, bundle ${from.shortDigest}, serves already`);
      }
      if (maxChanges !== null) requireFewChanges(shadow, maxChanges);
      await this.#choose("promote", from.digest, candidate.bundle.digest, () =>
        this.#versions.serve(candidate.file, false),
      );
      await shadow.clear(candidate);
      log(`promoted bundle ${candidate.bundle.shortDigest}, as the operator asked`);
    });
  }

  /** Has a version serve that is not the source's, and sets the one that serves now aside; as before when that fails. */
  async #choose(
    reason: "rollback" | "promote",
    from: string,
    to: string,
    serve: () => Promise<unknown>,
  ): Promise<void> {
    const before = this.#hold.current;
    // Before the swap, since the source may offer the old version again before it is over.
    this.#hold.set(reason, [from], to);
    // Kept before anything changes: whoever is told that it is done finds it so after a crash, too.
    await this.#hold.settled();
    try {
      await serve();
      // A reload that was under way may have come first, with a version that nobody knew of.
      this.#hold.set(reason, [from, this.#hold.replaced ?? from], to);
      await this.#hold.settled();
    } catch (error) {
      this.#hold.restore(before);
      await this.#hold.settled();
      throw error;
    }
  }

  /** One thing at a time: a second operator is told to wait. */
  async #alone(work: () => Promise<void>): Promise<Outcome> {
    if (this.#busy) throw new AdminError("EDICT_ADMIN_BUSY", "another version is being put into service");
    this.#busy = true;
    const previous = this.#state.engine.bundle.digest;
    try {
      await work();
      return { bundle: this.#state.engine.bundle.digest, previous };
    } finally {
      this.#busy = false;
    }
  }
}

/** The version that `digest` (or its beginning) names, the last one unless told. Throws `AdminError`. */
function find(previous: readonly KeptVersion[], digest: string | null): KeptVersion {
  const found =
    digest === null ? previous.slice(0, 1) : previous.filter((one) => one.digest.startsWith(digest));
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  if (digest === null) {
    throw new AdminError("EDICT_NO_PREVIOUS_VERSION", "no version that served before this one is kept");
  }
  const known = previous.map((version) => version.digest.slice(0, 12)).join(", ");
  throw new AdminError(
    "EDICT_VERSION_UNKNOWN",
    `\`${digest}\` names none of the kept versions (${known === "" ? "there are none" : known})`,
  );
}

function requireFewChanges({ status }: Shadow, maxChanges: number): void {
  const { decisions, requests } = status;
  if (requests.compared === 0) {
    throw new AdminError("EDICT_NOTHING_COMPARED", "no request has been compared with the candidate yet");
  }
  if (decisions.changed <= maxChanges) return;
  throw new AdminError(
    "EDICT_TOO_MANY_CHANGES",
    `the candidate changes ${decisions.changed} of ${decisions.compared} decisions, more than ${maxChanges}`,
  );
}
