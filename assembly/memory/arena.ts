/**
 * The arena: a bump pointer over one region of linear memory, reset for every request.
 *
 * Nothing allocated here survives a request, and nothing is ever freed alone. Memory is never grown inside a
 * request (growing detaches the host's views): when the region is used up, `allocate` answers the address of
 * a small shared scratch area and sets `exhausted`, so that callers stay branch-free and the request ends in
 * STATUS_MEMORY.
 *
 *   scratch  arenaStart            pointer                      arenaEnd
 *   | shared | used by the request | free ...                   |
 *
 * INVARIANT: blocks larger than SCRATCH_SIZE are allocated only after `fits` said yes.
 */

/** Bytes that every allocation may write to after the arena is exhausted; nothing reads them as pointers. */
export const SCRATCH_SIZE: usize = 1024;

let scratch: usize = 0;
let arenaStart: usize = 0;
let arenaEnd: usize = 0;
let pointer: usize = 0;

/** Whether an allocation of this request did not fit. Once set, everything decided is void. */
export let exhausted: bool = false;

/** Sets the region. Called once, before the first request. */
export function setArena(start: usize, end: usize): void {
  scratch = (start + 7) & ~7;
  memory.fill(scratch, 0, SCRATCH_SIZE);
  arenaStart = scratch + SCRATCH_SIZE;
  arenaEnd = end;
  pointer = arenaStart;
  exhausted = false;
}

/** Forgets everything allocated since the last reset. */
export function resetArena(): void {
  pointer = arenaStart;
  exhausted = false;
}

/**
 * Allocates `size` bytes, aligned to 8. Never traps: when the arena is full, `exhausted` is set and the scratch area is
 * returned. Blocks whose size depends on the request must be checked by the caller with `fits` first.
 */
export function allocate(size: usize): usize {
  const start = pointer;
  const next = start + ((size + 7) & ~7);
  if (next > arenaEnd || next < start) {
    exhausted = true;
    return scratch;
  }
  pointer = next;
  return start;
}

/** Whether `size` more bytes fit; sets `exhausted` when they do not. */
export function fits(size: usize): bool {
  if (pointer + size + 8 > arenaEnd || pointer + size + 8 < pointer) {
    exhausted = true;
    return false;
  }
  return true;
}

/** The current end of what the request has allocated. */
export function mark(): usize {
  return pointer;
}

/** Frees everything allocated after `position`, which came from `mark`. */
export function rewind(position: usize): void {
  pointer = position;
}

/** Begins another request of several that lie before `position`, which came from `mark`. */
export function restart(position: usize): void {
  pointer = position;
  exhausted = false;
}

/** Makes everything allocated so far permanent (engine globals): later resets keep it. */
export function keep(): void {
  arenaStart = pointer;
}
