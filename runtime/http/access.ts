/**
 * Who may ask the data port: whoever presents a bearer token that allows the route. Tokens are known by their SHA-256 alone, so
 * how long a look-up takes says nothing about the tokens there are. Where tokens come from is said in access-tokens.ts; client
 * certificates are checked before any of this (client-certificates.ts).
 */
import { createHash } from "node:crypto";
import { CODE_PERMISSION_DENIED, CODE_UNAUTHENTICATED, errorReply, type Reply } from "./replies.ts";
import type { HttpRequest } from "./uws.ts";

/** What a token may be limited to: checks (and the stream of them), AuthZEN evaluations, AuthZEN searches. */
export type Permission = "check" | "evaluate" | "search";

export const PERMISSIONS: readonly Permission[] = ["check", "evaluate", "search"];

/** What is known about a token. */
export interface Grant {
  readonly permissions: ReadonlySet<Permission>;
}

/** The tokens that are good at the moment, by the SHA-256 of each (base64). */
export interface AccessTokens {
  readonly grants: ReadonlyMap<string, Grant>;
}

const CHALLENGE = '\r\nWWW-Authenticate: Bearer realm="edict"';

const MISSING: Reply = {
  ...errorReply("401 Unauthorized", CODE_UNAUTHENTICATED, "a bearer token is required"),
  lines: CHALLENGE,
};
const UNKNOWN: Reply = {
  ...errorReply("401 Unauthorized", CODE_UNAUTHENTICATED, "the bearer token is not accepted"),
  lines: `${CHALLENGE}, error="invalid_token"`,
};
const FORBIDDEN: Reply = {
  ...errorReply(
    "403 Forbidden",
    CODE_PERMISSION_DENIED,
    "the bearer token does not allow requests of this kind",
  ),
  lines: `${CHALLENGE}, error="insufficient_scope"`,
};

const BEARER = /^Bearer +([\x21-\x7e]{1,4096}) *$/i;

/** The gate before the routes that decide. */
export class Access {
  readonly #tokens: AccessTokens;

  constructor(tokens: AccessTokens) {
    this.#tokens = tokens;
  }

  /** The answer to a request that may not ask; null when it may. */
  refusal(req: HttpRequest, permission: Permission): Reply | null {
    const header = req.getHeader("authorization");
    if (header === "") return MISSING;
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) return UNKNOWN;
    const grant = this.#tokens.grants.get(tokenKey(token));
    if (grant === undefined) return UNKNOWN;
    return grant.permissions.has(permission) ? null : FORBIDDEN;
  }
}

/** Under what a token is kept. */
export function tokenKey(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
