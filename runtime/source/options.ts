/** What can be configured about where bundles come from and how the daemon does without their source (section `bundle`). */

export interface BundleOptions {
  /** Files with keys of which one must have signed a bundle; none to accept unsigned ones. */
  readonly verifyKeys: readonly string[];
  /** File with the bearer token (HTTP) or the token (NATS), read again for every use. */
  readonly tokenFile: string | null;
  /** NATS credentials file (`.creds`), read again for every connection. */
  readonly natsCredentials: string | null;
  /** How often a source is asked that cannot say that it has changed, in milliseconds. */
  readonly pollIntervalMs: number;
  /** Largest bundle in bytes. */
  readonly maxBytes: number;
  /** Where the last good bundles and the highest sequence are kept; null for nowhere. */
  readonly stateDir: string | null;
  /** How long the newest version may be unconfirmed until health says so, in milliseconds; null for ever. */
  readonly staleAfterMs: number | null;
  /** How long until everything is denied, in milliseconds; null for never. */
  readonly failClosedAfterMs: number | null;
  /** Digest of a bundle, or its beginning, that may serve although its sequence is older. */
  readonly allowRollbackTo: string | null;
}

export const DEFAULT_BUNDLE_OPTIONS: BundleOptions = {
  verifyKeys: [],
  tokenFile: null,
  natsCredentials: null,
  pollIntervalMs: 5_000,
  maxBytes: 1024 * 1024 * 1024,
  stateDir: null,
  staleAfterMs: null,
  failClosedAfterMs: null,
  allowRollbackTo: null,
};

/** Range of the poll interval in seconds. */
export const POLL_RANGE = [0.1, 86_400] as const;

/** Range of the largest bundle in bytes. */
export const SIZE_RANGE = [64 * 1024, 1024 * 1024 * 1024] as const;

/** Whether `text` names a bundle: the 12 digits that `Edict-Bundle` carries, more of them, or all 64. */
export function isDigestPrefix(text: string): boolean {
  return /^[0-9a-f]{12,64}$/.test(text);
}
