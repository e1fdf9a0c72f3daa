/**
 * Attribute projection: which top-level attributes of principal and resource any policy reads. The index of an
 * attribute is its slot in the guest; the decoders keep the attributes listed here and skip the others.
 */
import type { Attribute } from "./program.ts";

export class Attributes {
  readonly list: Attribute[] = [];
  /** Roots whose `attr` is used as a whole value somewhere. */
  readonly whole = new Set<Attribute["root"]>();
  readonly #slots = new Map<string, number>();

  /** The slot of `root.attr.key`, given on first use. */
  slot(root: Attribute["root"], key: string): number {
    const name = `${root}\u0000${key}`;
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    const slot = this.list.length;
    this.list.push({ root, key });
    this.#slots.set(name, slot);
    return slot;
  }
}
