/** What `Engine.searchChunk` is asked and answers: one step of an AuthZEN search (Authorization API 1.0, section 8). */
import {
  FLAG_DENY_ALL,
  FLAG_ENTITIES,
  FLAG_SEARCH_ACTION,
  FLAG_SEARCH_RESOURCE,
  FLAG_SEARCH_SUBJECT,
  STATUS_ENTITIES,
  STATUS_MEMORY,
  STATUS_OK,
} from "../../assembly/abi.ts";
import type { EntityLookup } from "../directory/entity-lookup.ts";
import type { Guest } from "./guest.ts";
import { storedProperties } from "./stored-properties.ts";

/** What is searched for. */
export type Searched = "subject" | "resource" | "action";

export interface SearchRequest {
  /** The search body as it came. */
  readonly bytes: Uint8Array;
  /** FORMAT_* of the body. */
  readonly format: number;
  readonly searched: Searched;
  /**
   * The candidates, at most MAX_CANDIDATES_SIZE bytes: `u32 id length | u32 properties length | id | msgpack map` one behind the other,
   * little-endian, without padding. An action is an id without properties.
   */
  readonly candidates: Uint8Array;
  /** Most matches wanted; the search stops behind the last of them. */
  readonly limit: number;
  /** Claims of the body's tokens, once the status was STATUS_AUX_DATA. */
  readonly claims?: Uint8Array;
}

export interface SearchAnswer {
  /** STATUS_* of abi.ts, STATUS_TRAP or STATUS_TOO_LARGE; the rest counts only with STATUS_OK. `Engine.failure` words it. */
  readonly status: number;
  /** Byte offsets in `candidates` of those permitted, in their order. */
  readonly matches: Uint32Array;
  /** Bytes of `candidates` that were looked at. */
  readonly searched: number;
}

const FLAGS: Readonly<Record<Searched, number>> = {
  subject: FLAG_SEARCH_SUBJECT,
  resource: FLAG_SEARCH_RESOURCE,
  action: FLAG_SEARCH_ACTION,
};

const NOTHING = new Uint8Array(0);

/** The answer for a status that is not STATUS_OK. */
export function noSearch(status: number): SearchAnswer {
  return { status, matches: new Uint32Array(0), searched: 0 };
}

/** Searches on a guest. With `denies` nothing is permitted. Anything thrown is a trap, as with `Guest.decide`. */
export function searchCandidates(
  guest: Guest,
  { bytes, format, searched, candidates, limit, claims = NOTHING }: SearchRequest,
  entities: EntityLookup | null,
  denies: boolean,
): SearchAnswer {
  const flags = FLAGS[searched] | (denies ? FLAG_DENY_ALL : 0) | (entities === null ? 0 : FLAG_ENTITIES);
  guest.limitSearch(denies ? 0 : limit);
  let status = guest.decide(bytes, format, format, flags, claims, NOTHING, NOTHING, candidates);
  if (status === STATUS_ENTITIES && entities !== null) {
    const stored = storedProperties(guest, entities);
    if (stored === null) return noSearch(STATUS_MEMORY);
    status = guest.decide(bytes, format, format, flags, claims, NOTHING, stored, candidates);
  }
  if (status !== STATUS_OK) return noSearch(status);
  if (denies) return { status, matches: new Uint32Array(0), searched: candidates.byteLength };
  // Copied: the offsets outlive the next call.
  const offsets = guest.output().slice();
  return { status, matches: new Uint32Array(offsets.buffer), searched: guest.searchedBytes() };
}
