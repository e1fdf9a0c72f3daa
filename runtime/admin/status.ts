/** What `GET /v1/status` answers and `edict status` shows: what serves, what happened last, and how it goes. */
import { sumOfCounters } from "../observe/counters.ts";
import type { ReloadFailure, ServingState } from "../observe/serving-state.ts";
import type { Version } from "../version.ts";
import type { ShadowStatus } from "../shadow/shadow.ts";
import type { KeptVersion } from "../source/version-store.ts";
import type { Control } from "./control.ts";
import type { Hold, VersionHold } from "./version-hold.ts";

/** The version that serves. */
export interface VersionFacts {
  readonly digest: string;
  readonly sequence: number | null;
  /** Id of the key that signed it; null when signatures are not asked for. */
  readonly signer: string | null;
  readonly gitCommit: string | null;
  /** RFC 3339: when it began to serve. */
  readonly since: string;
}

/** How the source of the policies is. */
export interface SourceStatus {
  /** What and where, without secrets. */
  readonly name: string;
  /** Why what serves may not be the newest; null when it is known to be. */
  readonly stale: string | null;
}

export interface DaemonStatus {
  readonly status: "SERVING" | "NOT_SERVING";
  readonly version: VersionFacts;
  /** Versions that `rollback` can name, newest first. */
  readonly previous: readonly KeptVersion[];
  /** Why newer versions of the source do not serve; null when they do. */
  readonly hold: Hold | null;
  /** The last attempt to serve another version, when it failed. */
  readonly lastFailure: ReloadFailure | null;
  readonly source: SourceStatus | null;
  readonly threads: { readonly serving: number; readonly degraded: readonly string[] };
  readonly shadow: ShadowStatus | null;
  readonly counters: StatusCounters;
  readonly edict: Version & { readonly node: string; readonly pid: number; readonly uptimeSeconds: number };
}

/** Since the daemon started, over all threads. */
export interface StatusCounters {
  readonly requests: number;
  readonly decisions: number;
  readonly allowed: number;
  readonly failClosed: number;
  readonly refused: number;
  readonly shed: number;
  readonly conditionErrors: number;
  readonly traps: number;
  readonly swaps: number;
  readonly failedSwaps: number;
}

export interface StatusParts {
  readonly state: ServingState;
  readonly control: Control;
  readonly hold: VersionHold;
  readonly source: () => SourceStatus | null;
  readonly shadow: () => ShadowStatus | null;
  readonly version: Version;
}

export function daemonStatus({ state, control, hold, source, shadow, version }: StatusParts): DaemonStatus {
  const { bundle } = state.engine;
  const { manifest, digest } = bundle;
  const facts: VersionFacts = {
    digest,
    sequence: manifest.sequence,
    signer: state.signer,
    gitCommit: manifest.gitCommit,
    since: state.since.toISOString(),
  };
  return {
    status: state.draining ? "NOT_SERVING" : "SERVING",
    version: facts,
    previous: control.previous,
    hold: hold.current,
    lastFailure: state.lastFailure,
    source: source(),
    threads: { serving: state.threads, degraded: state.degraded },
    shadow: shadow(),
    counters: countersOf(state),
    edict: {
      ...version,
      node: process.version,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime()),
    },
  };
}

function countersOf(state: ServingState): StatusCounters {
  const { all } = state.counters;
  const sum = (...names: Parameters<typeof sumOfCounters>[1][]): number =>
    names.reduce((total, name) => total + sumOfCounters(all, name), 0);
  return {
    requests:
      sum("decided", "large", "searched", "failClosed") +
      sum("invalid", "tooLarge", "tokens", "unauthorized", "failed") +
      state.shed,
    decisions: sum("decisions"),
    allowed: sum("allowed"),
    failClosed: sum("failClosed"),
    refused: sum("invalid", "tooLarge", "tokens", "unauthorized", "failed"),
    shed: state.shed,
    conditionErrors: sum("conditionErrors"),
    traps: state.traps,
    swaps: state.swaps,
    failedSwaps: [...state.failures.values()].reduce((total, count) => total + count, 0),
  };
}
