/**
 * Who may ask the data port and how AuthZEN speaks there: `server.auth`, `server.tls` and `authzen` of a configuration, and the flags
 * that win over them. Files are read when the daemon starts.
 */
import { UsageError } from "../errors.ts";
import {
  type AuthzenOptions,
  DEFAULT_AUTHZEN,
  REASONS,
  type Reasons,
  rolesProblem,
} from "../guest/authzen-options.ts";
import { baseUrlProblem, DEFAULT_DISCOVERY, type DiscoveryOptions } from "../http/discovery.ts";
import type { TlsOptions } from "../http/tls.ts";

/** What is read of a configuration; see the reader of load.ts. */
export interface Settings {
  get<T>(path: string, fallback: T, check?: (value: T) => string | null): T;
  has(path: string): boolean;
  refuse(path: string, reason: string): void;
}

/** `server.tls`: null unless there is a certificate. */
export function tlsOptions(settings: Settings): TlsOptions | null {
  const text = (key: string): string => settings.get(`server.tls.${key}`, "");
  const certificate = text("cert");
  const key = text("key");
  const authorities = text("caCert");
  if (certificate === "" && key === "" && authorities === "") return null;
  if (certificate === "" || key === "") {
    const given = ["cert", "key", "caCert"].find((name) => text(name) !== "") ?? "cert";
    settings.refuse(
      `server.tls.${given}`,
      "is not enough: `server.tls.cert` and `server.tls.key` are needed",
    );
    return null;
  }
  return { certificate, key, clientAuthorities: authorities === "" ? null : authorities };
}

/** `server.auth.tokenFile`. */
export function accessTokens(settings: Settings): string | null {
  return settings.get<string | null>("server.auth.tokenFile", null, (file) =>
    file === "" ? "must name a file" : null,
  );
}

/** What `authzen` says about the metadata. */
export function discoveryOptions(settings: Settings): DiscoveryOptions {
  return {
    baseUrl: settings.get<string | null>("authzen.baseUrl", DEFAULT_DISCOVERY.baseUrl, (text) =>
      text === null ? null : baseUrlProblem(text),
    ),
    trustForwarded: settings.get("authzen.trustForwarded", DEFAULT_DISCOVERY.trustForwarded),
  };
}

/** What `authzen` says about evaluations. */
export function authzenOptions(settings: Settings): AuthzenOptions {
  return {
    roles: settings.get("authzen.roles", DEFAULT_AUTHZEN.roles, rolesProblem),
    reasons: settings.get<Reasons>("authzen.reasons", DEFAULT_AUTHZEN.reasons, (given) =>
      REASONS.includes(given) ? null : `must be one of ${REASONS.join(", ")}`,
    ),
  };
}

/** What the flags say, undefined where they say nothing. */
export interface DataPortFlags {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly clientAuthorities: string | undefined;
}

/** Flags win over the file, one by one. Throws `UsageError`. */
export function mergedTls(flags: DataPortFlags, configured: TlsOptions | null): TlsOptions | null {
  const certificate = flags.certificate ?? configured?.certificate;
  const key = flags.key ?? configured?.key;
  const clientAuthorities = flags.clientAuthorities ?? configured?.clientAuthorities ?? null;
  if (certificate === undefined && key === undefined && clientAuthorities === null) return null;
  if (certificate === undefined || key === undefined) {
    throw new UsageError("TLS needs `--tls-cert` and `--tls-key`", "serve");
  }
  return { certificate, key, clientAuthorities };
}
