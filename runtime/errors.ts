/**
 * Every error class of the runtime, with the stable code that programs may test for.
 *
 * Messages follow one style: lower-case, one line, no final period, backticks around user text. How an error
 * becomes an HTTP answer or an exit code is decided where it is caught, not here.
 */
import type { Diagnostic } from "./pool/diagnostic.ts";

/** Base of all errors that edict throws on purpose; anything else that escapes is a bug. */
export abstract class EdictError extends Error {
  /** Stable, upper-case, never reused. */
  abstract readonly code: string;
}

/** Why a bundle was refused. docs/bundles.md says what each means and what to do about it. */
export type BundleErrorCode =
  | "EDICT_BUNDLE_UNREADABLE"
  | "EDICT_BUNDLE_TOO_LARGE"
  | "EDICT_BUNDLE_MALFORMED"
  | "EDICT_BUNDLE_DIGEST"
  | "EDICT_BUNDLE_UNSIGNED"
  | "EDICT_BUNDLE_SIGNATURE"
  | "EDICT_BUNDLE_KEY_UNKNOWN"
  | "EDICT_BUNDLE_KEY_EXPIRED"
  | "EDICT_BUNDLE_SIGNATURE_EXPIRED"
  | "EDICT_BUNDLE_ROLLBACK"
  | "EDICT_BUNDLE_ABI"
  | "EDICT_BUNDLE_IMPORTS"
  | "EDICT_BUNDLE_START"
  | "EDICT_BUNDLE_SELF_TEST";

/** A bundle file that cannot be trusted or read; the reason is in the message. */
export class BundleError extends EdictError {
  override readonly name = "BundleError";
  readonly code: BundleErrorCode;

  constructor(message: string, options: ErrorOptions & { readonly code?: BundleErrorCode } = {}) {
    super(message, options);
    this.code = options.code ?? "EDICT_BUNDLE_MALFORMED";
  }
}

export type SourceErrorCode =
  | "EDICT_SOURCE_UNREACHABLE"
  | "EDICT_SOURCE_TIMEOUT"
  | "EDICT_SOURCE_REFUSED"
  | "EDICT_SOURCE_NOT_FOUND"
  | "EDICT_SOURCE_CREDENTIALS";

/** The place that bundles come from could not be asked, or did not answer with one; asking again later may help. */
export class SourceError extends EdictError {
  override readonly name = "SourceError";
  readonly code: SourceErrorCode;
  /** Milliseconds that the source asked to be left alone; 0 when it said nothing. */
  readonly retryAfterMs: number;

  constructor(
    code: SourceErrorCode,
    message: string,
    options: ErrorOptions & { readonly retryAfterMs?: number } = {},
  ) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = options.retryAfterMs ?? 0;
  }
}

/** The state directory cannot be used, or the state in it cannot be trusted. */
export class StateError extends EdictError {
  override readonly name = "StateError";
  readonly code = "EDICT_STATE";
}

export type EngineErrorCode =
  | "EDICT_ENGINE_START"
  | "EDICT_ENGINE_BUSY"
  | "EDICT_ENGINE_BUDGET"
  | "EDICT_ENGINE_TRAP";

/** The engine could not start or could not decide. Whoever asked must treat it as DENY. */
export class EngineError extends EdictError {
  override readonly name = "EngineError";
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type RequestErrorCode =
  | "EDICT_REQUEST_MALFORMED"
  | "EDICT_REQUEST_INVALID"
  | "EDICT_REQUEST_LIMIT"
  | "EDICT_REQUEST_TOO_LARGE"
  | "EDICT_REQUEST_AUX_DATA";

/** A request that nobody can decide: malformed, incomplete or over a limit. */
export class RequestError extends EdictError {
  override readonly name = "RequestError";
  readonly code: RequestErrorCode;
  /** Path of the field at fault, as in `resources[2].resource.attr.x`; empty when it concerns the whole. */
  readonly field: string;
  /** What goes into `details` of an error body, JSON values. */
  readonly details: readonly unknown[];

  constructor(code: RequestErrorCode, message: string, field = "", details: readonly unknown[] = []) {
    super(message);
    this.code = code;
    this.field = field;
    this.details = details;
  }
}

/** Tokens in `auxData` that cannot be accepted. The client is told no more than that; the reason is for the log. */
export class TokenError extends RequestError {
  /** Never holds the token or a part of it. */
  readonly reason: string;

  constructor(reason: string) {
    super("EDICT_REQUEST_AUX_DATA", "invalid auxData", "auxData");
    this.reason = reason;
  }
}

/** More tokens are being verified than may be at a time; asking again later helps. */
export class TokenOverloadError extends EdictError {
  override readonly name = "TokenOverloadError";
  readonly code = "EDICT_TOKENS_OVERLOADED";
}

/** More searches are under way than may be at a time; asking again later helps. */
export class SearchOverloadError extends EdictError {
  override readonly name = "SearchOverloadError";
  readonly code = "EDICT_SEARCHES_OVERLOADED";
}

/** One thing wrong with a configuration file or a `--set`. */
export interface ConfigProblem {
  readonly message: string;
  /** The file, or `--set`. */
  readonly source: string;
  /** 1-based; 0 when it has no place. */
  readonly line: number;
  readonly column: number;
}

/** A configuration that cannot be served; carries every problem, not only the first. */
export class ConfigError extends EdictError {
  override readonly name = "ConfigError";
  readonly code = "EDICT_CONFIG_INVALID";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(formatProblem).join("\n"));
    this.problems = problems;
  }
}

/** `file:line:column: message`. */
export function formatProblem(problem: ConfigProblem): string {
  const place = problem.line > 0 ? `:${problem.line}:${problem.column}` : "";
  return `${problem.source}${place}: ${problem.message}`;
}

/** Policies that do not compile; carries all diagnostics and, when there is one, their rendered text. */
export class PolicyError extends EdictError {
  override readonly name = "PolicyError";
  readonly code = "EDICT_POLICIES_INVALID";
  readonly diagnostics: readonly Diagnostic[];
  readonly rendered: string;

  constructor(diagnostics: readonly Diagnostic[], rendered: string) {
    const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
    super(`the policies have ${errors} ${errors === 1 ? "error" : "errors"}`);
    this.diagnostics = diagnostics;
    this.rendered = rendered;
  }
}

export type AdminErrorCode =
  | "EDICT_ADMIN_REQUEST"
  | "EDICT_ADMIN_UNAUTHORIZED"
  | "EDICT_ADMIN_NOT_FOUND"
  | "EDICT_ADMIN_UNREACHABLE"
  | "EDICT_ADMIN_BUSY"
  | "EDICT_VERSION_UNKNOWN"
  | "EDICT_NO_PREVIOUS_VERSION"
  | "EDICT_NO_SHADOW"
  | "EDICT_NOTHING_COMPARED"
  | "EDICT_TOO_MANY_CHANGES";

/** Something asked of a running daemon over its admin listener was not done; nothing has changed. */
export class AdminError extends EdictError {
  override readonly name = "AdminError";
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type DirectoryErrorCode =
  | "EDICT_DIRECTORY_UNREADABLE"
  | "EDICT_DIRECTORY_INVALID"
  | "EDICT_DIRECTORY_FULL"
  | "EDICT_DIRECTORY_TOO_LARGE"
  | "EDICT_DIRECTORY_NOT_KEPT";

/** Entities that cannot be taken into the directory; it is as it was before. The message names file, line and column where there are any. */
export class DirectoryError extends EdictError {
  override readonly name = "DirectoryError";
  readonly code: DirectoryErrorCode;

  constructor(code: DirectoryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type ServeErrorCode =
  | "EDICT_LISTEN"
  | "EDICT_ADMIN_TOKEN"
  | "EDICT_ACCESS_TOKENS"
  | "EDICT_TLS"
  | "EDICT_THREAD"
  | "EDICT_SERVER_UNAVAILABLE"
  | "EDICT_COMPILER_UNAVAILABLE"
  | "EDICT_POLICIES_NOT_FOUND"
  | "EDICT_KEY_SET";

/** The daemon cannot serve: address in use, no uWebSockets.js binary, no compiler, no policies, unusable keys, a
 * thread that failed. */
export class ServeError extends EdictError {
  override readonly name = "ServeError";
  readonly code: ServeErrorCode;

  constructor(code: ServeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The command line was used wrongly. */
export class UsageError extends EdictError {
  override readonly name = "UsageError";
  readonly code = "EDICT_USAGE";
  /** The command whose help to point at; empty for none. */
  readonly command: string;

  constructor(message: string, command = "") {
    super(message);
    this.command = command;
  }
}
