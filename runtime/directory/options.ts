/** What can be configured about the directory of entities (section `directory`). */

export interface DirectoryOptions {
  /** Files, or directories of such files, in the order in which they are read. */
  readonly files: readonly string[];
  /** Most entities. */
  readonly maxEntities: number;
  /** Most bytes of memory for them. */
  readonly maxBytes: number;
}

export const DEFAULT_DIRECTORY_OPTIONS: DirectoryOptions = {
  files: [],
  maxEntities: 10_000_000,
  maxBytes: 1024 * 1024 * 1024,
};

/** How few and how many entities may be allowed. */
export const ENTITY_RANGE = [1, 20_000_000] as const;

/** How little and how much memory, in bytes: a table has room for 2 GiB, less what does not fit into the end of a segment. */
export const DIRECTORY_BYTES_RANGE = [1024 * 1024, 1792 * 1024 * 1024] as const;

/** Longest type and id in bytes, and most bytes of an entity as text and of its properties as msgpack. */
export const MAX_TYPE_BYTES = 256;
export const MAX_ID_BYTES = 4096;
export const MAX_ENTITY_BYTES = 256 * 1024;

/** Deepest nesting of properties, the object itself included; far below what the guest reads. */
export const MAX_PROPERTY_DEPTH = 32;

/** Most pairs of a kind and a type. */
export const MAX_TABLES = 4096;
