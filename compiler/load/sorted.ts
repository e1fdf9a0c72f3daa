/** Looking up in a list that is sorted by a text. */
import { compareText } from "../diagnostics/codes.ts";

/** Index of the first item whose text is not less than `text`; the number of items when there is none. */
export function lowerBound<Item>(
  items: readonly Item[],
  text: string,
  textOf: (item: Item) => string,
): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && compareText(textOf(item), text) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first item whose text is `text`, -1 when there is none. */
export function findByText<Item>(
  items: readonly Item[],
  text: string,
  textOf: (item: Item) => string,
): number {
  const at = lowerBound(items, text, textOf);
  const found = items[at];
  return found !== undefined && textOf(found) === text ? at : -1;
}
