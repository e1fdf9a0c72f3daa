/** What the engine asks the directory of entities for: the properties of one subject or resource. Says nothing of how they are kept. */

/** On which side of a question an entity stands. */
export type EntityKind = "subject" | "resource";

export interface EntityLookup {
  /** Whether there is no entity at all, so that nobody needs to ask. */
  readonly isEmpty: boolean;
  /**
   * The properties of an entity as a msgpack map, or null when it is not known; an entity without properties has an empty map. `type` and
   * `id` are UTF-8. The answer is a view of memory that is valid until the next call.
   */
  properties(kind: EntityKind, type: Uint8Array, id: Uint8Array): Uint8Array | null;
}
