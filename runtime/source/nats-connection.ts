/** How edict connects to NATS: limits, credentials from files, and reconnecting for ever. */
import { readFileSync } from "node:fs";
import {
  type Authenticator,
  connect,
  credsAuthenticator,
  type NatsConnection,
  tokenAuthenticator,
} from "@nats-io/transport-node";
import { SourceError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";
import type { NatsObject } from "./location.ts";

/** How long making a connection may take, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;

/** A connection that leaves this many of these unanswered is given up; milliseconds. */
const PING_INTERVAL = 2_000;
const MAX_PINGS = 2;

export interface NatsCredentials {
  /** A `.creds` file; null for none. */
  readonly credentialsFile: string | null;
  /** A file with a token; null for none. */
  readonly tokenFile: string | null;
}

/**
 * Connects once; what is connected reconnects for ever, waiting `retryMs()` between attempts. Files are read again for every
 * attempt. Rejects with `SourceError`.
 */
export async function connectNats(
  { server, tls }: NatsObject,
  credentials: NatsCredentials,
  retryMs: () => number,
): Promise<NatsConnection> {
  const authenticator = authenticatorFrom(credentials);
  try {
    return await connect({
      servers: server,
      name: "edict",
      timeout: CONNECT_TIMEOUT,
      maxReconnectAttempts: -1,
      reconnectDelayHandler: retryMs,
      // A server whose accounts are being changed refuses for a while; that is no reason to give up.
      ignoreAuthErrorAbort: true,
      pingInterval: PING_INTERVAL,
      maxPingOut: MAX_PINGS,
      // Only the server that was named: what a server says about others is not to be trusted with credentials.
      ignoreClusterUpdates: true,
      noAsyncTraces: true,
      ...(authenticator === null ? {} : { authenticator }),
      ...(tls ? { tls: {} } : {}),
    });
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError("EDICT_SOURCE_UNREACHABLE", natsReason(error), { cause: error });
  }
}

function authenticatorFrom({ credentialsFile, tokenFile }: NatsCredentials): Authenticator | null {
  if (credentialsFile !== null) return credsAuthenticator(() => readSecret(credentialsFile));
  if (tokenFile !== null) {
    return tokenAuthenticator(() => new TextDecoder().decode(readSecret(tokenFile)).trim());
  }
  return null;
}

/** The library asks for credentials while it answers the server, so they are read on the spot; they are small. */
function readSecret(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SourceError("EDICT_SOURCE_CREDENTIALS", `the credentials cannot be read: ${oneLine(error)}`, {
      cause: error,
    });
  }
}

/** What went wrong, on one line; the library hides it in causes. */
export function natsReason(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const reason = oneLine(error);
  return cause === undefined || oneLine(cause) === reason ? reason : `${reason}: ${oneLine(cause)}`;
}
