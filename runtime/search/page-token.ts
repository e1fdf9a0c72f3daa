/**
 * Page tokens: where a search goes on, sealed with a key that this process makes up when it starts. A token holds for the same question, the
 * same version of the policies and the same edition of the table that is searched; nothing that was made or changed elsewhere is taken.
 *
 *   base64url of: u8 version | u32 edition | u32 position | u16 limit | 16 bytes of HMAC-SHA-256 over these, the question and the bundle
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { RequestError } from "../errors.ts";

const VERSION = 1;
const HEAD = 11;
const SEAL = 16;

/** Where a page begins. */
export interface PagePlace {
  /** Edition of the table; 0 for actions. */
  readonly edition: number;
  /** Address in the table, or number in the list of actions. */
  readonly position: number;
  /** Results per page, which a later request need not repeat. */
  readonly limit: number;
}

/** What a token belongs to. */
export interface PageOwner {
  readonly secret: Uint8Array;
  readonly question: Uint8Array;
  /** Digest of the bundle that decides. */
  readonly bundle: string;
}

export function sealPlace({ edition, position, limit }: PagePlace, owner: PageOwner): string {
  const token = Buffer.alloc(HEAD + SEAL);
  token.writeUInt8(VERSION, 0);
  token.writeUInt32LE(edition, 1);
  token.writeUInt32LE(position >>> 0, 5);
  token.writeUInt16LE(limit, 9);
  token.set(sealOf(token.subarray(0, HEAD), owner), HEAD);
  return token.toString("base64url");
}

/** The place that a token names. Throws `RequestError` when it is not one of ours for this question. */
export function openPlace(text: string, owner: PageOwner): PagePlace {
  const token = Buffer.from(text.slice(0, 2 * (HEAD + SEAL)), "base64url");
  // One text per token: base64 that is decoded loosely would let others through.
  if (token.byteLength !== HEAD + SEAL || token.toString("base64url") !== text) throw foreignToken();
  const head = token.subarray(0, HEAD);
  if (head[0] !== VERSION || !timingSafeEqual(token.subarray(HEAD), sealOf(head, owner)))
    throw foreignToken();
  return {
    edition: token.readUInt32LE(1),
    position: token.readUInt32LE(5) | 0,
    limit: token.readUInt16LE(9),
  };
}

/** A token that cannot be followed. */
export function foreignToken(): RequestError {
  return new RequestError(
    "EDICT_REQUEST_INVALID",
    "`page.token` does not belong to this request, or policies or entities have changed since; start again without it",
    "page.token",
  );
}

function sealOf(head: Uint8Array, { secret, question, bundle }: PageOwner): Buffer {
  return createHmac("sha256", secret).update(head).update(question).update(bundle).digest().subarray(0, SEAL);
}
