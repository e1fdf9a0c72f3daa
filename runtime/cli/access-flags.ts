/** Flags of `edict serve` about who may ask it: bearer tokens, TLS and client certificates. */
import { mergedTls } from "../config/data-port.ts";
import type { TlsOptions } from "../http/tls.ts";
import type { Arguments, OptionSpec } from "./command.ts";

export const ACCESS_FLAGS: Readonly<Record<string, OptionSpec>> = {
  "auth-token-file": {
    type: "string",
    value: "<file>",
    help: "file with the bearer tokens of which one is needed to ask, one per line",
  },
  "tls-cert": { type: "string", value: "<file>", help: "serve https with this certificate chain (PEM)" },
  "tls-key": { type: "string", value: "<file>", help: "its private key (PEM)" },
  "tls-client-ca": {
    type: "string",
    value: "<file>",
    help: "refuse clients without a certificate of one of these authorities (PEM)",
  },
};

/** Flags win over the file. */
export function accessTokensFrom(given: Arguments, configured: string | null): string | null {
  return given.text("auth-token-file") ?? configured;
}

/** The same for TLS. Throws `UsageError`. */
export function tlsFrom(given: Arguments, configured: TlsOptions | null): TlsOptions | null {
  const flags = {
    certificate: given.text("tls-cert"),
    key: given.text("tls-key"),
    clientAuthorities: given.text("tls-client-ca"),
  };
  return mergedTls(flags, configured);
}
