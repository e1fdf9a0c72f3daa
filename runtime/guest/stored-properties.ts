/**
 * Answers the guest's question for stored properties (STATUS_ENTITIES, layout in assembly/abi.ts): looks the entities of one AuthZEN body up
 * in the directory and copies what is there.
 */
import { MAX_ENTITIES_SIZE } from "../../assembly/abi.ts";
import type { EntityLookup } from "../directory/entity-lookup.ts";
import type { Guest } from "./guest.ts";

const FIRST_CAPACITY = 4096;
const HEADER = 4;

/** The answer, or null when it is larger than one call may bring. */
export function storedProperties(guest: Guest, lookup: EntityLookup): Uint8Array | null {
  let block = new Uint8Array(FIRST_CAPACITY);
  let used = 0;
  guest.askedEntities((isSubject, type, id) => {
    if (used > MAX_ENTITIES_SIZE) return;
    const known =
      type.byteLength === 0 || id.byteLength === 0
        ? null
        : lookup.properties(isSubject ? "subject" : "resource", type, id);
    const length = known?.byteLength ?? 0;
    const end = used + HEADER + length;
    if (end > block.byteLength) {
      const grown = new Uint8Array(Math.max(end, block.byteLength * 2));
      grown.set(block);
      block = grown;
    }
    block[used] = length & 0xff;
    block[used + 1] = (length >> 8) & 0xff;
    block[used + 2] = (length >> 16) & 0xff;
    block[used + 3] = length >>> 24;
    if (known !== null) block.set(known, used + HEADER);
    used = end;
  });
  return used > MAX_ENTITIES_SIZE ? null : block.subarray(0, used);
}
