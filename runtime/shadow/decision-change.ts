/** A decision that another version would make differently: what `edict diff` prints and, with both versions, `--shadow` reports; one JSON line each. */
import type { Effect } from "../guest/messages.ts";

/** How one version decides an action, and why. */
export interface DecidedBy {
  readonly effect: Effect;
  /** Key of the policy that decided; null when nothing matched or it is not known. */
  readonly policy: string | null;
  /** Name of the rule that decided. */
  readonly rule: string | null;
  /** Where that rule stands, as `file:line`. */
  readonly place: string | null;
  /** Why the version did not decide, in which case everything counts as denied; null when it did. */
  readonly error: string | null;
}

export interface DecisionChange {
  /** SHA-256 of the request's bytes, hex. */
  readonly request: string;
  readonly kind: string;
  readonly id: string;
  readonly action: string;
  readonly old: DecidedBy;
  readonly new: DecidedBy;
}

/** A change that a shadow has found. It says of which versions itself: by the time it is written, others may serve and be compared. */
export interface ShadowChange extends DecisionChange {
  /** Short digests of the version that served and of the candidate. */
  readonly serving: string;
  readonly candidate: string;
}
