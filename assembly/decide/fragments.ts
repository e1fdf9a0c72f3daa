/**
 * Constant pieces of responses as bytes: `u32 length | bytes`, written once at instantiation from the text below into a
 * static pool, so that the hot path only copies.
 */

const POOL_SIZE: usize = 8192;
const pool: usize = memory.data(8192, 16);
let used: usize = 0;

/** Address of a fragment holding `text`, each of whose characters (at most U+00FF) stands for one byte. */
export function fragment(text: string): usize {
  const length = text.length;
  const start = pool + used;
  // 20: the length word, and slack so that copies in blocks of 16 never read past the pool.
  used += (<usize>length + 20 + 15) & ~15;
  assert(used <= POOL_SIZE);
  store<u32>(start, length);
  for (let index = 0; index < length; index++) {
    store<u8>(start + 4 + <usize>index, <u8>load<u16>(changetype<usize>(text) + ((<usize>index) << 1)));
  }
  return start;
}

export function fragmentStart(address: usize): usize {
  return address + 4;
}

export function fragmentLength(address: usize): u32 {
  return load<u32>(address);
}
