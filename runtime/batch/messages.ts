/** What a serving thread and the workers of its pool tell each other about a part of a request. */
import type { RequestToken } from "../aux-data/request-tokens.ts";
import type { Config } from "../config/config.ts";
import type { CompiledBundle } from "../guest/modules.ts";
import type { Reply } from "../http/replies.ts";
import type { Piece } from "./part.ts";

/** What a worker is started with. */
export interface BatchWorkerData {
  readonly engine: Config["engine"];
}

/** Makes a version ready before it serves. */
export interface PrepareTask {
  readonly prepare: CompiledBundle;
  /** Digest of the version that serves until then, which is kept. */
  readonly serving: string;
}

/** The worker that has a version ready. */
export interface Prepared {
  readonly kind: "prepared";
  /** As `worker_threads.threadId`. */
  readonly thread: number;
}

/** One part of a request, or all of it. */
export interface PartTask {
  /** Digest of the version that decides. */
  readonly version: string;
  /** The version itself, when the worker has said that it does not have it. */
  readonly compiled: CompiledBundle | null;
  /** Shared. [0] is 1 once nobody waits for the answer. */
  readonly cancelled: Int32Array;
  /** The whole request, in shared memory. */
  readonly request: Uint8Array;
  /** Null for all of it. */
  readonly piece: Piece | null;
  /** FORMAT_*. */
  readonly input: number;
  readonly output: number;
  /** Whether every action is denied, as `Engine.denies`. */
  readonly denies: boolean;
  /** FLAG_CONTINUES and FLAG_UNFINISHED. */
  readonly flags: number;
  /** Entries of the whole request, where it says how many there are. */
  readonly entries: number;
  /** The instant of the request, in milliseconds since 1970: the same for all parts. */
  readonly now: number;
  /** Shared memory for the piece of the response, as much as it usually takes. */
  readonly room: Uint8Array;
  /** What `request.auxData` is, as JSON; empty when nobody has asked yet. */
  readonly claims: Uint8Array;
}

export type PartResult =
  /** The piece of the response, and what joining needs to know. */
  | {
      readonly kind: "decided";
      /** In the task's room when it fits there. */
      readonly bytes: Uint8Array;
      /** Every action is denied because the evaluation budget was used up. */
      readonly denied: boolean;
      readonly resources: number;
      readonly decisions: number;
      readonly fuelUsed: number;
      readonly allowed: number;
      readonly conditionErrors: number;
      /** How long deciding took, and what of, for the crossing point. */
      readonly micros: number;
      readonly size: number;
    }
  /** The part cannot be decided as one; the whole may well be. */
  | { readonly kind: "indivisible" }
  /** The request is refused. */
  | { readonly kind: "refused"; readonly reply: Reply; readonly message: string; readonly trapped: boolean }
  /** It carries tokens, which the serving thread has to find the claims of. */
  | { readonly kind: "tokens"; readonly tokens: readonly RequestToken[] }
  /** Its tokens cannot be accepted. */
  | { readonly kind: "bad-tokens"; readonly reason: string }
  | { readonly kind: "unknown-version" }
  | { readonly kind: "cancelled" };
