/**
 * The tree that loading hands to the policy stage: maps, lists and scalars with the offsets where they stand in the
 * file. Much smaller than the parser's own tree, which is dropped file by file. Aliases are resolved: a node may have
 * several parents (load bounds how far such sharing may unfold), so a node does not know its path.
 */

/** What a node that stands in place of an alias knows. */
export interface Alias {
  /** Offset of the `*`. */
  readonly offset: number;
  /** Path of the anchored node: below it, messages name that and not the way through the alias, as Cerbos does. */
  readonly path: string;
}

/** Offsets are UTF-16 units from the start of the file's text. */
export interface ScalarNode {
  readonly kind: "scalar";
  readonly alias?: Alias;
  readonly value: string | number | boolean | null;
  /** As a string field reads it: whole numbers in decimal, other numbers, booleans and null as written. */
  readonly text: string;
  readonly offset: number;
  /** Offset of the first character of the content: after a quote, or in the first content line of a block scalar. */
  readonly contentOffset: number;
}

export interface ListNode {
  readonly kind: "list";
  readonly alias?: Alias;
  readonly items: readonly Node[];
  readonly offset: number;
}

export interface MapEntry {
  /** As written; `true` for the key `true`. */
  readonly key: string;
  readonly keyOffset: number;
  /** Whether the key is a string: `1`, `true` and `~` are not, `"1"` is. */
  readonly keyIsString: boolean;
  readonly value: Node;
}

export interface MapNode {
  readonly kind: "map";
  readonly alias?: Alias;
  /** Own entries in source order, then those merged in by `<<`; no key twice. */
  readonly entries: readonly MapEntry[];
  /** What messages about the map point at, as Cerbos does: its `{`, or without one the colon after its first key. */
  readonly offset: number;
}

export type Node = ScalarNode | ListNode | MapNode;

/** What a node is called in a message. */
export function describeNode(node: Node): string {
  if (node.kind !== "scalar") {
    return node.kind === "map" ? "a map" : "a list";
  }
  if (node.value === null) {
    return "null";
  }
  if (typeof node.value === "number") {
    return isWholeNumber(node) ? "a whole number" : "a number with a fraction";
  }
  return typeof node.value === "string" ? "a string" : "a boolean";
}

/** Whether a scalar was written as a whole number: `1` and `0x1f` were, `1.0` was not. */
export function isWholeNumber({ value, text }: ScalarNode): boolean {
  return typeof value === "number" && /^-?\d+$/.test(text);
}
