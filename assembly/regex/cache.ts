/**
 * Compiled patterns, kept from request to request in a region of their own: found by the pattern's bytes, and all forgotten
 * when the region is full. What a pattern costs is burnt at every use, so that the fuel a request needs does not depend on
 * what came before it. Matching never compiles, so forgetting hits nobody.
 *
 *   | ENTRIES entries | patterns and programs ... |
 *   entry: u32 hash | pattern, 0 for none | pattern length | program, 0 when it is wrong | instructions | end | groups | cost
 */
import { exhausted, mark, rewind } from "../memory/arena";
import { equalBytes, hashBytes } from "../memory/bytes";
import { burn, fuelLeft, outOfFuel } from "../memory/fuel";
import { emitProgram, programEnd, programLength } from "./emit";
import { groupCount, parsePattern } from "./parse";

const REGION_SIZE: usize = 1 << 20;
const ENTRIES: u32 = 256;
const ENTRY_SIZE: usize = 32;
/** Longest pattern in bytes, what may be read behind it included. */
const MAX_PATTERN_SIZE: usize = 1 << 16;
const PATTERN_SLACK: usize = 15;
/** Largest program in bytes. */
const MAX_PROGRAM_SIZE: usize = 1 << 18;
/** Entries looked at for one pattern. */
const PROBES: u32 = 8;

export const PATTERN_FOUND: i32 = 0;
export const PATTERN_WRONG: i32 = 1;
/** Fuel or arena are used up. */
export const PATTERN_STOPPED: i32 = 2;

let region: usize = 0;
let next: usize = 0;

/** The program of the pattern found last. */
export let program: usize = 0;
export let instructions: u32 = 0;
export let programLimit: usize = 0;
export let groups: u32 = 0;

/** Reserves the region from `start` on; returns the first byte behind it. */
export function placePatterns(start: usize): usize {
  region = (start + 15) & ~15;
  forget();
  return region + REGION_SIZE;
}

function forget(): void {
  memory.fill(region, 0, <usize>ENTRIES * ENTRY_SIZE);
  next = region + <usize>ENTRIES * ENTRY_SIZE;
}

/** Makes the program of a pattern the current one, compiling it when it is not there. */
export function findPattern(start: usize, length: u32): i32 {
  const hash = hashBytes(start, length);
  let free: usize = 0;
  for (let probe: u32 = 0; probe < PROBES; probe++) {
    const entry = region + <usize>((hash + probe) & (ENTRIES - 1)) * ENTRY_SIZE;
    const pattern: usize = load<u32>(entry, 4);
    if (pattern == 0) {
      free = entry;
      break;
    }
    if (load<u32>(entry) != hash || load<u32>(entry, 8) != length) continue;
    if (equalBytes(pattern, start, length)) return use(entry);
  }
  return add(free, hash, start, length);
}

function use(entry: usize): i32 {
  if (!burn(load<u32>(entry, 28))) return PATTERN_STOPPED;
  program = load<u32>(entry, 12);
  instructions = load<u32>(entry, 16);
  programLimit = load<u32>(entry, 20);
  groups = load<u32>(entry, 24);
  return program == 0 ? PATTERN_WRONG : PATTERN_FOUND;
}

function add(free: usize, hash: u32, start: usize, length: u32): i32 {
  const before = fuelLeft();
  const position = mark();
  let entry = free;
  // Room for the largest program first: whether a pattern is too large must not depend on what else is here.
  if (entry == 0 || next + MAX_PATTERN_SIZE + MAX_PROGRAM_SIZE > region + REGION_SIZE) {
    forget();
    entry = region + <usize>(hash & (ENTRIES - 1)) * ENTRY_SIZE;
  }
  const first = next + ((<usize>length + PATTERN_SLACK) & ~7);
  const isShort = <usize>length + PATTERN_SLACK <= MAX_PATTERN_SIZE;
  const tree = isShort ? parsePattern(start, length) : 0;
  const isRight = tree != 0 && emitProgram(tree, first, first + MAX_PROGRAM_SIZE);
  if (exhausted || outOfFuel()) return PATTERN_STOPPED;
  rewind(position);
  program = isRight ? first : 0;
  instructions = isRight ? programLength() : 0;
  programLimit = isRight ? programEnd() : first;
  groups = groupCount();
  if (!isShort) return PATTERN_WRONG;
  memory.copy(next, start, length);
  store<u32>(entry, hash);
  store<u32>(entry, <u32>next, 4);
  store<u32>(entry, length, 8);
  store<u32>(entry, <u32>program, 12);
  store<u32>(entry, instructions, 16);
  store<u32>(entry, <u32>programLimit, 20);
  store<u32>(entry, groups, 24);
  store<u32>(entry, <u32>(before - fuelLeft()), 28);
  next = (programLimit + 7) & ~7;
  return isRight ? PATTERN_FOUND : PATTERN_WRONG;
}
