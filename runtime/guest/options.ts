/** What a caller may choose about an engine, with its defaults. The meaning of each is in docs/configuration.md. */
import { ON_ERROR_COMPATIBLE, ON_ERROR_FAIL_CLOSED, ON_ERROR_STRICT } from "../../assembly/abi.ts";
import type { GuestSettings } from "./guest.ts";

/** How an error in a condition counts (DESIGN.md 4.5). */
export type OnError = "fail-closed" | "compatible" | "strict";

export const ON_ERROR_MODES: readonly OnError[] = ["fail-closed", "compatible", "strict"];

export interface EngineOptions {
  readonly onError?: OnError;
  /** Policy version of requests that name none; `default` unless told. */
  readonly defaultPolicyVersion?: string;
  /** Scope of requests that name none; the root scope unless told. */
  readonly defaultScope?: string;
  /** Whether a scope without policies falls back to its nearest existing parent. */
  readonly lenientScopeSearch?: boolean;
  /** Values that conditions read as `globals` or `G`; JSON values only. */
  readonly globals?: Readonly<Record<string, unknown>>;
  /** 1 to 500, 50 unless told. */
  readonly maxActionsPerResource?: number;
  /** 1 to 500, 50 unless told. */
  readonly maxResourcesPerRequest?: number;
  /** Largest request in bytes, 4 MiB unless told. */
  readonly maxBodyBytes?: number;
}

export type ResolvedOptions = Required<EngineOptions>;

export const DEFAULT_OPTIONS: ResolvedOptions = {
  onError: "fail-closed",
  defaultPolicyVersion: "default",
  defaultScope: "",
  lenientScopeSearch: false,
  globals: {},
  maxActionsPerResource: 50,
  maxResourcesPerRequest: 50,
  maxBodyBytes: 4 * 1024 * 1024,
};

const ON_ERROR_NUMBERS: Readonly<Record<OnError, number>> = {
  "fail-closed": ON_ERROR_FAIL_CLOSED,
  compatible: ON_ERROR_COMPATIBLE,
  strict: ON_ERROR_STRICT,
};

/** The guest's form of the options. */
export function guestSettings(options: ResolvedOptions): GuestSettings {
  return {
    inputCapacity: options.maxBodyBytes,
    onError: ON_ERROR_NUMBERS[options.onError],
    lenientScopeSearch: options.lenientScopeSearch,
    maxActions: options.maxActionsPerResource,
    maxResources: options.maxResourcesPerRequest,
    defaultPolicyVersion: options.defaultPolicyVersion,
    defaultScope: options.defaultScope,
    globals: JSON.stringify(options.globals),
  };
}
