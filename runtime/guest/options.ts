/** What a caller may choose about an engine, with its defaults. The meaning of each is in docs/configuration.md. */
import { ON_ERROR_COMPATIBLE, ON_ERROR_FAIL_CLOSED, ON_ERROR_STRICT } from "../../assembly/abi.ts";
import type { TokenVerifier } from "../aux-data/token-verifier.ts";
import { EngineError } from "../errors.ts";
import {
  type AuthzenOptions,
  authzenSettings,
  DEFAULT_AUTHZEN,
  REASONS,
  rolesProblem,
} from "./authzen-options.ts";
import { globalsText, type WholeGlobals } from "./globals-text.ts";
import type { GuestSettings } from "./guest.ts";

/** How an error in a condition counts (DESIGN.md 4.5). */
export type OnError = "fail-closed" | "compatible" | "strict";

export const ON_ERROR_MODES: readonly OnError[] = ["fail-closed", "compatible", "strict"];

/** `schema.enforcement` (COMPAT.md section 9). */
export type SchemaEnforcement = "none" | "warn" | "reject";

export const SCHEMA_ENFORCEMENTS: readonly SchemaEnforcement[] = ["none", "warn", "reject"];

export interface EngineOptions {
  readonly onError?: OnError;
  /** Policy version of requests that name none; `default` unless told. */
  readonly defaultPolicyVersion?: string;
  /** Scope of requests that name none; the root scope unless told. */
  readonly defaultScope?: string;
  /** Whether a scope without policies falls back to its nearest existing parent. */
  readonly lenientScopeSearch?: boolean;
  /** Values that conditions read as `globals` or `G`; JSON values, and bigints for whole numbers beyond 2^53. */
  readonly globals?: Readonly<Record<string, unknown>>;
  /** What whole numbers of `globals` are in conditions: `int` unless told. `double` is for test suites. */
  readonly wholeGlobals?: WholeGlobals;
  /** 1 to 500, 50 unless told. */
  readonly maxActionsPerResource?: number;
  /** 1 to 10,000, 50 unless told. */
  readonly maxResourcesPerRequest?: number;
  /** Most pairs of a resource and an action in one request; see `pairLimit` for what holds unless told. */
  readonly maxPairsPerRequest?: number;
  /** Largest request in bytes, 4 MiB unless told. */
  readonly maxBodyBytes?: number;
  /** What a request that a JSON schema refuses comes to: nothing, errors in the answer, or DENY as well. `none` unless told. */
  readonly schemaEnforcement?: SchemaEnforcement;
  /** Where AuthZEN subjects have their roles, and whether decisions say why. */
  readonly authzen?: AuthzenOptions;
  /** Verifies the tokens of requests; without one, requests that carry tokens are refused. May be shared by engines. */
  readonly tokens?: TokenVerifier | null;
  /** What conditions read as `now`, in milliseconds since 1970; the system's clock unless told. For test suites. */
  readonly clock?: () => number;
}

export type ResolvedOptions = Required<EngineOptions>;

export const DEFAULT_OPTIONS: ResolvedOptions = {
  onError: "fail-closed",
  defaultPolicyVersion: "default",
  defaultScope: "",
  lenientScopeSearch: false,
  globals: {},
  wholeGlobals: "int",
  maxActionsPerResource: 50,
  maxResourcesPerRequest: 50,
  maxPairsPerRequest: 0,
  maxBodyBytes: 4 * 1024 * 1024,
  schemaEnforcement: "none",
  authzen: DEFAULT_AUTHZEN,
  tokens: null,
  clock: () => Date.now(),
};

const ON_ERROR_NUMBERS: Readonly<Record<OnError, number>> = {
  "fail-closed": ON_ERROR_FAIL_CLOSED,
  compatible: ON_ERROR_COMPATIBLE,
  strict: ON_ERROR_STRICT,
};

/** Ranges of the numeric options. */
export const LIMIT_RANGE = [1, 500] as const;
export const RESOURCE_LIMIT_RANGE = [1, 10_000] as const;
/** 0 stands for what `pairLimit` says. */
export const PAIR_LIMIT_RANGE = [0, 250_000] as const;
export const BODY_RANGE = [1024, 64 * 1024 * 1024] as const;

/** Fills in defaults. Throws `EngineError` for options that cannot be meant. */
export function resolveOptions(given: EngineOptions): ResolvedOptions {
  const options = { ...DEFAULT_OPTIONS, ...given };
  if (!ON_ERROR_MODES.includes(options.onError)) refuse("onError", `one of ${ON_ERROR_MODES.join(", ")}`);
  if (!SCHEMA_ENFORCEMENTS.includes(options.schemaEnforcement)) {
    refuse("schemaEnforcement", `one of ${SCHEMA_ENFORCEMENTS.join(", ")}`);
  }
  const roles = rolesProblem(options.authzen.roles);
  if (roles !== null) refuse("authzen.roles", roles.slice("must be ".length));
  if (!REASONS.includes(options.authzen.reasons)) refuse("authzen.reasons", `one of ${REASONS.join(", ")}`);
  requireWithin("maxActionsPerResource", options.maxActionsPerResource, LIMIT_RANGE);
  requireWithin("maxResourcesPerRequest", options.maxResourcesPerRequest, RESOURCE_LIMIT_RANGE);
  requireWithin("maxPairsPerRequest", options.maxPairsPerRequest, PAIR_LIMIT_RANGE);
  requireWithin("maxBodyBytes", options.maxBodyBytes, BODY_RANGE);
  if (Object.prototype.toString.call(options.globals) !== "[object Object]") refuse("globals", "an object");
  return options;
}

function requireWithin(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (!Number.isInteger(value) || value < least || value > most) refuse(name, `from ${least} to ${most}`);
}

function refuse(name: string, what: string): never {
  throw new EngineError("EDICT_ENGINE_START", `engine option \`${name}\` must be ${what}`);
}

/** Pairs in a request with more resources than Cerbos takes, unless told. */
const BATCH_PAIRS = 10_000;

/**
 * Most pairs of a resource and an action in a request. Unless told it is what Cerbos's two limits allow together, as long as
 * they are in Cerbos's range (1 to 500); with more resources it is 10,000.
 */
export function pairLimit(options: ResolvedOptions): number {
  const { maxActionsPerResource, maxResourcesPerRequest, maxPairsPerRequest } = options;
  if (maxPairsPerRequest !== 0) return maxPairsPerRequest;
  return maxResourcesPerRequest > LIMIT_RANGE[1]
    ? BATCH_PAIRS
    : maxActionsPerResource * maxResourcesPerRequest;
}

/** The options that another thread can be given. */
export function plainOptions(options: ResolvedOptions): Omit<ResolvedOptions, "clock" | "tokens"> {
  const { clock: _clock, tokens: _tokens, ...plain } = options;
  return plain;
}

/** The guest's form of the options. */
export function guestSettings(options: ResolvedOptions): GuestSettings {
  return {
    inputCapacity: options.maxBodyBytes,
    onError: ON_ERROR_NUMBERS[options.onError],
    lenientScopeSearch: options.lenientScopeSearch,
    maxActions: options.maxActionsPerResource,
    maxResources: options.maxResourcesPerRequest,
    maxPairs: pairLimit(options),
    defaultPolicyVersion: options.defaultPolicyVersion,
    defaultScope: options.defaultScope,
    globals: globalsText(options.globals, options.wholeGlobals),
    ...authzenSettings(options.authzen),
    clock: options.clock,
  };
}
