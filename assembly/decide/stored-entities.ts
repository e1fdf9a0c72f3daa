/**
 * Properties that the host keeps for subjects and resources, for requests that carry identifiers only: which are asked for, and
 * how those that come are added. What the request says itself goes before what is stored, property by property.
 */
import {
  CONTROL_TRACE_LENGTH,
  CONTROL_TRACE_START,
  ENTITY_WORDS,
  INVALID_AUTHZEN_STORED,
  TAG_RAW_MSGPACK,
} from "../abi";
import {
  ENTITY_ID,
  ENTITY_PROBLEM,
  ENTITY_STORED,
  ENTITY_STORED_CELL,
  ENTITY_STORED_COUNT,
  ENTITY_STORED_PAIRS,
  entityAt,
  entityCount,
  isSubjectAt,
  noteProblem,
  setRaw,
} from "../decode/evaluation";
import { readProperties } from "../decode/evaluation-problems";
import { expectUntil } from "../decode/failure";
import { decodeAttributes } from "../decode/msgpack-attributes";
import { readUntil } from "../decode/msgpack-scan";
import { pairCount, pairs } from "../decode/projection";
import { stringLength, stringStart } from "../decode/request";
import { allocate, fits } from "../memory/arena";
import { setControl } from "./control";

/** Depth of stored properties, as those of a request have. */
const DEPTH: i32 = 3;

/** Lays out which entities the host is asked for (STATUS_ENTITIES); false when the arena is full. */
export function askForEntities(): bool {
  const size = <usize>entityCount * (ENTITY_WORDS << 2);
  if (!fits(size)) return false;
  const list = allocate(size);
  let at = list;
  for (let index: u32 = 0; index < entityCount; index++) {
    const entity = entityAt(index);
    const id = entity + ENTITY_ID;
    store<u32>(at, isSubjectAt(index) ? 1 : 0);
    store<u32>(at, <u32>stringStart(entity), 4);
    store<u32>(at, stringLength(entity), 8);
    store<u32>(at, <u32>stringStart(id), 12);
    store<u32>(at, stringLength(id), 16);
    at += ENTITY_WORDS << 2;
  }
  setControl(CONTROL_TRACE_START, <u32>list);
  setControl(CONTROL_TRACE_LENGTH, <u32>size);
  return true;
}

/** Gives the entities what came for them, `length` bytes at `start`; those that nothing came for have none. */
export function takeEntities(start: usize, length: u32): void {
  const end = start + length;
  let at = start;
  for (let index: u32 = 0; index < entityCount && at + 4 <= end; index++) {
    const size: usize = load<u32>(at);
    at += 4;
    if (size > end - at) return;
    if (size != 0) addStored(entityAt(index), isSubjectAt(index), at, at + size);
    at += size;
  }
}

/** Decodes the stored properties at `start`..`end` into an entity. */
export function addStored(entity: usize, ofSubject: bool, start: usize, end: usize): void {
  expectUntil(end);
  readUntil(end);
  if (decodeAttributes(start, ofSubject, DEPTH) != end) {
    noteProblem(entity, ENTITY_PROBLEM, INVALID_AUTHZEN_STORED, 0);
    return;
  }
  store<u32>(entity, <u32>pairs, ENTITY_STORED_PAIRS);
  store<u32>(entity, pairCount, ENTITY_STORED_COUNT);
  setRaw(TAG_RAW_MSGPACK, entity + ENTITY_STORED, entity + ENTITY_STORED_CELL, start, end);
  readProperties(entity, ofSubject, pairs, pairCount, 0);
}
