/** The flags of `edict serve` about where bundles come from and what holds without their source (docs/sources.md). */
import { parseDuration } from "../config/values.ts";
import type { PolicySource } from "../config/config.ts";
import { UsageError } from "../errors.ts";
import { type BundleOptions, isDigestPrefix, POLL_RANGE } from "../source/options.ts";
import type { Arguments, OptionSpec } from "./command.ts";
import { VERIFY_KEY_OPTION } from "./engine-options.ts";

export const BUNDLE_FLAGS: Readonly<Record<string, OptionSpec>> = {
  "verify-key": VERIFY_KEY_OPTION,
  "bundle-token-file": {
    type: "string",
    value: "<file>",
    help: "file with the token for the URL or the NATS server, read for every use",
  },
  "nats-creds": { type: "string", value: "<file>", help: "NATS credentials file" },
  "poll-interval": {
    type: "string",
    value: "<duration>",
    help: "how often to ask for a new bundle; 5s unless told",
  },
  "state-dir": {
    type: "string",
    value: "<dir>",
    help: "keep the last good bundle here, to start without the source",
  },
  "stale-after": {
    type: "string",
    value: "<duration>",
    help: "health is degraded when the source has been gone this long",
  },
  "fail-closed-after": {
    type: "string",
    value: "<duration>",
    help: "everything is denied when the source has been gone this long",
  },
  "allow-rollback-to": {
    type: "string",
    value: "<digest>",
    help: "accept this bundle although its sequence is older",
  },
};

/** Flags win over the file. Throws `UsageError`. */
export function bundleOptionsFrom(
  given: Arguments,
  base: BundleOptions,
  source: PolicySource,
): BundleOptions {
  const keys = given.texts("verify-key");
  const rollback = given.text("allow-rollback-to") ?? base.allowRollbackTo;
  if (rollback !== null && !isDigestPrefix(rollback)) {
    throw new UsageError(
      `\`--allow-rollback-to\` must be the digest of a bundle, 12 to 64 hex digits, not \`${rollback}\``,
      "serve",
    );
  }
  const poll = durationFrom(given, "poll-interval");
  if (poll !== null && !(poll >= POLL_RANGE[0] && poll <= POLL_RANGE[1])) {
    throw new UsageError("`--poll-interval` must be from `100ms` to `24h`", "serve");
  }
  const options: BundleOptions = {
    verifyKeys: keys.length === 0 ? base.verifyKeys : keys,
    tokenFile: given.text("bundle-token-file") ?? base.tokenFile,
    natsCredentials: given.text("nats-creds") ?? base.natsCredentials,
    pollIntervalMs: poll === null ? base.pollIntervalMs : poll * 1000,
    maxBytes: base.maxBytes,
    stateDir: given.text("state-dir") ?? base.stateDir,
    staleAfterMs: ageFrom(given, "stale-after", base.staleAfterMs),
    failClosedAfterMs: ageFrom(given, "fail-closed-after", base.failClosedAfterMs),
    allowRollbackTo: rollback,
  };
  requireBundleSource(options, source);
  return options;
}

/** A directory is as new as it is: nobody else has a newer one, so it cannot become stale. */
function requireBundleSource(options: BundleOptions, source: PolicySource): void {
  if (source.kind !== "directory") return;
  if (options.verifyKeys.length > 0) {
    throw new UsageError("verify keys are for bundles; a policy directory is not signed", "serve");
  }
  if (options.staleAfterMs !== null || options.failClosedAfterMs !== null) {
    throw new UsageError(
      "`staleAfter` and `failClosedAfter` are for bundles; a policy directory cannot become stale",
      "serve",
    );
  }
}

/** Milliseconds; null for never. */
function ageFrom(given: Arguments, name: string, base: number | null): number | null {
  const seconds = durationFrom(given, name);
  if (seconds === null) return base;
  if (seconds !== 0 && seconds < 1) {
    throw new UsageError(`\`--${name}\` must be \`0s\` for never, or at least \`1s\``, "serve");
  }
  return seconds === 0 ? null : seconds * 1000;
}

/** Seconds; null when the flag is not given. */
function durationFrom(given: Arguments, name: string): number | null {
  const text = given.text(name);
  if (text === undefined) return null;
  const seconds = parseDuration(text);
  if (seconds !== null) return seconds;
  throw new UsageError(
    `\`--${name}\` must be a duration such as \`10s\` or \`1h30m\`, not \`${text}\``,
    "serve",
  );
}
