/** The names of a pattern's groups while it is parsed: a list in the arena, to find repeated ones. */
import { allocate, exhausted } from "../memory/arena";
import { equalBytes } from "../memory/bytes";
import { burn } from "../memory/fuel";

// | name | length | entry before, 0 |
const ENTRY_SIZE: usize = 16;

let newest: usize = 0;

export function forgetNames(): void {
  newest = 0;
}

/** Adds a name; false when it is there already, or when fuel or arena are used up. */
export function rememberName(start: usize, length: usize): bool {
  for (let entry = newest; entry != 0; entry = load<u32>(entry, 8)) {
    if (!burn(1)) return false;
    if (load<u32>(entry, 4) == <u32>length && equalBytes(load<u32>(entry), start, <u32>length)) return false;
  }
  const entry = allocate(ENTRY_SIZE);
  if (exhausted) return false;
  store<u32>(entry, <u32>start);
  store<u32>(entry, <u32>length, 4);
  store<u32>(entry, <u32>newest, 8);
  newest = entry;
  return true;
}
