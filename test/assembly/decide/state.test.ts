/** What the guest remembers while it decides, when the counter that stamps it starts over. */
import { expect, it } from "vitest";
import { ABI_VERSION, IMAGE_BASE } from "../../../assembly/abi.ts";
import { buildGuest, BUILDS, type Guest } from "../support/build-guest.ts";

const MAGIC = 0x54434445;
const HEADER_BYTES = 160;
const ATTRIBUTES = 2;
const LONGEST_CHAIN = 4;
const LAST_EPOCH = 2 ** 30 - 1;
const SLOT_SIZE = 16;
const SLOT_STAMP = 8;

/** Caches for an image that has attributes and scopes, and nothing else; where they are. */
function placeCaches(guest: Guest): number {
  const words = Array.from({ length: HEADER_BYTES / 4 }, () => 0);
  words[0] = MAGIC;
  words[1] = ABI_VERSION;
  words[2] = HEADER_BYTES;
  words[5] = ATTRIBUTES;
  words[28] = LONGEST_CHAIN;
  for (const [index, word] of words.entries()) guest.view.setUint32(IMAGE_BASE + index * 4, word, true);
  expect(guest.function("loadTables")(HEADER_BYTES)).toBeTruthy();
  const start = IMAGE_BASE + 4096;
  guest.function("placeCaches")(start, 1);
  return start;
}

it.each(BUILDS)("%s: stamps are forgotten, the search of the resource before is not", async (build) => {
  const guest = await buildGuest(build);
  const slots = placeCaches(guest);
  const chain = Number(guest.global("chain"));
  for (let slot = 0; slot < ATTRIBUTES; slot++)
    guest.view.setUint32(slots + slot * SLOT_SIZE + SLOT_STAMP, 1, true);
  for (let entry = 0; entry < LONGEST_CHAIN; entry++) {
    guest.view.setUint32(chain + entry * 8, 7, true);
    guest.view.setUint32(chain + entry * 8 + 4, 9, true);
  }
  guest.function("setEpoch")(LAST_EPOCH);
  guest.function("beginRequest")();
  expect(guest.global("requestEpoch")).toBe(1);
  for (let slot = 0; slot < ATTRIBUTES; slot++)
    expect(guest.view.getUint32(slots + slot * SLOT_SIZE + SLOT_STAMP, true)).toBe(0);
  for (let entry = 0; entry < LONGEST_CHAIN; entry++) {
    expect(guest.view.getUint32(chain + entry * 8, true)).toBe(7);
    expect(guest.view.getUint32(chain + entry * 8 + 4, true)).toBe(9);
  }
});
