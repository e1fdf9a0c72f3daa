/**
 * One token in compact form: its header, its claims, and the check of its signature with library `jose`. Nested and
 * encrypted tokens, unsecured ones and critical extensions are refused.
 */
import { compactVerify } from "jose";
import { oneLine } from "../guest/modules.ts";
import { type Claims, readClaims } from "./claims.ts";
import type { VerificationKey } from "./verification-keys.ts";

/** A token taken apart; nothing in it is verified. */
export interface ParsedToken {
  readonly compact: string;
  readonly alg: string;
  /** Empty when the header has none. */
  readonly kid: string;
  readonly payload: Uint8Array;
  readonly isSigned: boolean;
}

/** Longest token in characters. */
export const MAX_TOKEN_LENGTH = 256 * 1024;

/** header `.` payload `.` signature, each base64url without padding; white space around them does not count. */
const COMPACT = /^[\t\n\r ]*((?:[\w-]+)\.([\w-]+)\.([\w-]*))[\t\n\r ]*$/;

/** Takes a token apart. Throws an `Error` with the reason. */
export function parseToken(text: string): ParsedToken {
  if (text.length > MAX_TOKEN_LENGTH) throw new Error("the token is too long");
  const [, compact = "", payload = "", signature = ""] = COMPACT.exec(text) ?? [];
  if (compact === "") throw new Error("not a signed token in compact form");
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(compact.slice(0, compact.indexOf(".")), "base64url").toString("utf8"));
  } catch {
    // The parser's message would quote the token.
    throw new Error("the header is not JSON");
  }
  if (typeof header !== "object" || header === null) throw new Error("the header is not a JSON object");
  const { alg, kid, crit } = header as Readonly<Record<string, unknown>>;
  if (typeof alg !== "string") throw new Error("the header has no algorithm (alg)");
  if (crit !== undefined) throw new Error("critical header extensions (crit) are not understood");
  return {
    compact,
    alg,
    kid: typeof kid === "string" ? kid : "",
    payload: Buffer.from(payload, "base64url"),
    isSigned: signature !== "",
  };
}

/** The claims without a look at the signature. Throws an `Error` with the reason. */
export function unverifiedClaims(token: ParsedToken): Claims {
  if (!token.isSigned && token.alg !== "none") throw new Error("the signature is missing");
  return readClaims(token.payload);
}

/** The claims, once one of `keys` has verified the signature. Throws an `Error` with the reason. */
export async function verifiedClaims(token: ParsedToken, keys: readonly VerificationKey[]): Promise<Claims> {
  const candidates = keys.filter((key) => key.algorithms.includes(token.alg));
  if (candidates.length === 0) throw new Error("no key may be used with the algorithm of the token");
  let reason: unknown = null;
  for (const { key } of candidates) {
    let payload: Uint8Array;
    try {
      ({ payload } = await compactVerify(token.compact, key, { algorithms: [token.alg] }));
    } catch (error) {
      reason = error;
      continue;
    }
    return readClaims(payload);
  }
  throw new Error(oneLine(reason));
}
