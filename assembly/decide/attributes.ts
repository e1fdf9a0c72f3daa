/**
 * Attribute projection: which attribute names the policies read, and the slot each has. The decoders ask
 * here for every attribute key; names that no policy reads are validated and skipped.
 *
 * A name table is open addressing over 16-byte entries, its capacity a power of two, at most half full:
 *
 *   table   | u32 mask | u32 zero | entry ... |
 *   entry   | u32 hash | u32 start | u32 length | u32 slot + 1 (0 = empty) |
 */
import { equalBytes, hashBytes } from "../memory/bytes";

/** Answer of a look-up for a name that no policy reads. */
export const NO_SLOT: i32 = -1;

let principalNames: usize = 0;
let resourceNames: usize = 0;

/** Raised by every `setNameTables`: whoever remembers slots forgets them when this changes. */
export let nameTablesVersion: u32 = 0;

/** Sets the two tables, at their addresses in the image. */
export function setNameTables(principal: usize, resource: usize): void {
  nameTablesVersion += 1;
  principalNames = principal;
  resourceNames = resource;
}

/** The slot of a principal attribute, or NO_SLOT. `start` and `length` are the key's unescaped UTF-8 bytes. */
export function principalSlot(start: usize, length: u32): i32 {
  return find(principalNames, start, length);
}

/** The slot of a resource attribute, or NO_SLOT. */
export function resourceSlot(start: usize, length: u32): i32 {
  return find(resourceNames, start, length);
}

function find(table: usize, start: usize, length: u32): i32 {
  if (table == 0) return NO_SLOT;
  const mask = load<u32>(table);
  const hash = hashBytes(start, length);
  let index = hash & mask;
  while (true) {
    const entry = table + 8 + ((<usize>index) << 4);
    const slot = load<u32>(entry, 12);
    if (slot == 0) return NO_SLOT;
    if (
      load<u32>(entry) == hash &&
      load<u32>(entry, 8) == length &&
      equalBytes(load<u32>(entry, 4), start, length)
    ) {
      return <i32>slot - 1;
    }
    index = (index + 1) & mask;
  }
}
