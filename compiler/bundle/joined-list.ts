/**
 * Long lists as text in UTF-8, from one bundle to the next. Items that are the same objects as the last time, in the same places, are not written
 * again: what a block of them came to is kept. Changes the time that it takes, never the text.
 */

/** Items per block: few enough that an edit costs little, enough that there are few blocks. */
const BLOCK = 256;

interface Block<Item> {
  readonly items: readonly Item[];
  readonly bytes: Uint8Array;
}

export class JoinedList<Item extends object> {
  readonly #separator: Uint8Array;
  readonly #join: (items: readonly Item[]) => string;
  #blocks: readonly Block<Item>[] = [];

  /** @param textOf always the same for the same item */
  constructor(separator: string, textOf: (item: Item) => string) {
    this.#separator = Buffer.from(separator);
    this.#join = (items) => items.map(textOf).join(separator);
  }

  /** The texts of all items with the separator between them, in pieces. */
  pieces(items: readonly Item[]): readonly Uint8Array[] {
    const before = this.#blocks;
    const blocks: Block<Item>[] = [];
    for (let start = 0; start < items.length; start += BLOCK) {
      const kept = before[blocks.length];
      blocks.push(kept !== undefined && isPart(kept.items, items, start) ? kept : this.#block(items, start));
    }
    this.#blocks = blocks;
    return blocks.flatMap(({ bytes }, index) => (index === 0 ? [bytes] : [this.#separator, bytes]));
  }

  #block(all: readonly Item[], start: number): Block<Item> {
    const items = all.slice(start, start + BLOCK);
    return { items, bytes: Buffer.from(this.#join(items)) };
  }
}

/** Whether `block` is the block of `all` that begins at `start`. */
function isPart<Item>(block: readonly Item[], all: readonly Item[], start: number): boolean {
  if (block.length !== Math.min(BLOCK, all.length - start)) return false;
  for (let index = 0; index < block.length; index++) if (block[index] !== all[start + index]) return false;
  return true;
}
