/** What can be configured about AuthZEN searches (`server.search`). */

export interface SearchOptions {
  /** Entities that are looked at for one page; a page may be short because of it. */
  readonly maxCandidates: number;
}

export const DEFAULT_SEARCH_OPTIONS: SearchOptions = { maxCandidates: 200_000 };

/** How few and how many they may be. */
export const CANDIDATE_RANGE = [1_000, 100_000_000] as const;

/** Results of a page unless the request says how many, and the most it gets. */
export const DEFAULT_LIMIT = 100;
export const MAX_LIMIT = 1_000;
