/** What the interpreter can be told: the settings of the engine, and defects of the binary to imitate. */
import type { ErrorMode, Guess } from "./conditions.ts";
import type { Attributes, ValidationError } from "./request.ts";

/** Settings of the engine (COMPAT.md section 13, `engine.*`). */
export interface EngineSettings {
  readonly onError: ErrorMode;
  readonly defaultPolicyVersion: string;
  readonly defaultScope: string;
  readonly lenientScopeSearch: boolean;
  readonly globals: Attributes;
  /** The instant of the request, nanoseconds since the epoch. */
  readonly now: bigint;
  readonly schemaEnforcement: "none" | "warn" | "reject";
  /** What is wrong with attributes, by index into `Program.schemaSets`. */
  readonly validate: (
    schemaSet: number,
    actions: readonly string[],
    principal: Attributes,
    resource: Attributes,
  ) => readonly ValidationError[];
  /** What failing expressions count as in compatible mode. */
  readonly guess: Guess;
  /**
   * Behave as the binary does where COMPAT.md 6.8 calls it a defect: a role policy's denial is lost at a scope without
   * a row for the kind and the role set. Only for telling that defect from others.
   */
  readonly lostRoleDenials: boolean;
  /**
   * The order in which the roles of a role set (a role and its parents) have their role policies asked, by the role; one that is
   * not listed keeps its place at the front. Empty: the documented order. The binary's changes from start to start, for
   * every role set by itself.
   */
  readonly roleOrders: ReadonlyMap<string, readonly string[]>;
  /**
   * Which rows of a rule are looked at first: ids of derived roles, NONE for the row of the rule's roles. Empty: as written.
   * The binary's order changes from start to start.
   */
  readonly rowOrder: readonly number[];
  /** Which entries of a principal policy, by resource, are looked at first; as `rowOrder`. */
  readonly entryOrder: readonly string[];
  /**
   * What a rule whose evaluation an error ends (strict mode) puts out: what its rows before the error do, nothing, or what
   * all its other rows would. The binary's order of rows decides.
   */
  readonly stoppedRule: "before" | "nothing" | "everything";
}

export const DEFAULT_SETTINGS: EngineSettings = {
  onError: "fail-closed",
  defaultPolicyVersion: "default",
  defaultScope: "",
  lenientScopeSearch: false,
  globals: {},
  now: 0n,
  schemaEnforcement: "none",
  validate: () => [],
  guess: () => false,
  lostRoleDenials: false,
  roleOrders: new Map(),
  rowOrder: [],
  entryOrder: [],
  stoppedRule: "before",
};
