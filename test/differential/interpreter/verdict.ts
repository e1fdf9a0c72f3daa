/** What the passes of an evaluation (decide.ts) work towards, and what it is attributed to. */
import type { Effect } from "../../../compiler/policy/policy-set.ts";

export const NO_MATCH = "NO_MATCH";

/** What a pass, a role or an action ended with. */
export interface Verdict {
  readonly effect: Effect | "none";
  readonly policy: string;
  readonly scope: string;
  /** Strict mode: an error that denies the action whatever else there is. */
  readonly final?: boolean;
}

/** A pass: where to look, and what undecided or deciding rows are attributed to. */
export interface Pass {
  readonly scopes: readonly string[];
  readonly key: string;
}

/** Nothing matched so far; nothing could match. */
export const UNDECIDED: Verdict = { effect: "none", policy: NO_MATCH, scope: "" };
export const NOTHING: Verdict = { effect: "deny", policy: NO_MATCH, scope: "" };
