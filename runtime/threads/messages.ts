/**
 * What the first thread and its serving threads tell each other: the protocol of a two-phase swap, of a shadow, of draining and of failing.
 * Decisions never travel this way; every thread answers its own connections.
 */
import type { AuxDataOptions } from "../aux-data/options.ts";
import type { Config } from "../config/config.ts";
import type { DirectoryShare } from "../directory/directory-view.ts";
import type { CompiledBundle } from "../guest/modules.ts";
import type { ServerOptions } from "../http/server.ts";
import type { ReloadFailure } from "../observe/serving-state.ts";
import type { ShadowChange } from "../shadow/decision-change.ts";

/** A candidate that decides a share of the requests beside the version that serves (runtime/shadow). */
export interface ShadowOrder {
  /** Never that of an earlier order. */
  readonly id: number;
  readonly compiled: CompiledBundle;
  /** Share of the requests, above 0 and up to 1. */
  readonly sample: number;
}

/** What a serving thread is started with. */
export interface ThreadStart {
  /** 1 and up; the first thread is 0. */
  readonly index: number;
  /** Shared: [0] is the number of the version that serves. */
  readonly epoch: Int32Array;
  /** Shared: traps by thread. */
  readonly traps: Int32Array;
  /** Shared: requests refused for overload, by thread. */
  readonly shed: Int32Array;
  /** Shared: see observe/counters.ts. */
  readonly counters: Float64Array;
  /** Whether the delay of the event loop is measured. */
  readonly measuresDelay: boolean;
  readonly shadow: ShadowOrder | null;
  /** Subjects and resources; null when there is no directory. */
  readonly directory: DirectoryShare | null;
  /** Why everything is denied; null when the policies decide. */
  readonly denial: string | null;
  /** What the first thread serves at this moment. */
  readonly compiled: CompiledBundle;
  readonly engine: Config["engine"];
  readonly auxData: AuxDataOptions;
  readonly server: ServerOptions;
}

export type ToThread =
  /** Make this version ready to serve, and keep it until the shared epoch becomes `epoch`. */
  | { readonly kind: "prepare"; readonly epoch: number; readonly compiled: CompiledBundle }
  /** Forget this version, also when preparing it is not finished yet: another thread could not. */
  | { readonly kind: "abandon"; readonly epoch: number }
  /** The epoch has changed: let go of the old version now, not with the next request. */
  | { readonly kind: "flip" }
  /** How the last reload went and which threads are not well, for health. */
  | { readonly kind: "outcome"; readonly failure: ReloadFailure | null; readonly degraded: readonly string[] }
  /** Deny everything for a reason, or (null) have the policies decide again. */
  | { readonly kind: "deny"; readonly reason: string | null }
  /** Decide a share of the requests by this version too; null for no longer. */
  | { readonly kind: "shadow"; readonly order: ShadowOrder | null }
  /** As `HttpServer.drain`. */
  | { readonly kind: "drain"; readonly timeoutMs: number };

export type FromThread =
  /** Listens and decides. */
  | { readonly kind: "ready" }
  | { readonly kind: "prepared"; readonly epoch: number }
  | { readonly kind: "refused"; readonly epoch: number; readonly message: string }
  | { readonly kind: "shadowing"; readonly id: number }
  | { readonly kind: "shadow-refused"; readonly id: number; readonly message: string }
  /** Decisions that the candidate would change. */
  | { readonly kind: "changes"; readonly changes: readonly ShadowChange[] }
  | { readonly kind: "drained" }
  /** The thread has closed its sockets and is about to exit. */
  | { readonly kind: "failed"; readonly message: string };
