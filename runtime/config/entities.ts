/** The directory of entities and searches over it: `directory` and `server.search` of a configuration. Files are read when the daemon starts. */
import {
  DEFAULT_DIRECTORY_OPTIONS,
  DIRECTORY_BYTES_RANGE,
  type DirectoryOptions,
  ENTITY_RANGE,
} from "../directory/options.ts";
import { CANDIDATE_RANGE, DEFAULT_SEARCH_OPTIONS, type SearchOptions } from "../search/options.ts";
import type { Settings } from "./data-port.ts";

/** `directory`. */
export function directoryOptions(settings: Settings): DirectoryOptions {
  const { files, maxEntities, maxBytes } = DEFAULT_DIRECTORY_OPTIONS;
  return {
    files: settings.get("directory.files", files, (given) =>
      given.includes("") ? "must not hold an empty name" : null,
    ),
    maxEntities: settings.get("directory.maxEntities", maxEntities, within(ENTITY_RANGE)),
    maxBytes: settings.get("directory.maxBytes", maxBytes, within(DIRECTORY_BYTES_RANGE)),
  };
}

/** `server.search`. */
export function searchOptions(settings: Settings): SearchOptions {
  const { maxCandidates } = DEFAULT_SEARCH_OPTIONS;
  return {
    maxCandidates: settings.get("server.search.maxCandidates", maxCandidates, within(CANDIDATE_RANGE)),
  };
}

function within([least, most]: readonly [number, number]): (value: number) => string | null {
  return (value) => (value >= least && value <= most ? null : `must be from ${least} to ${most}`);
}
