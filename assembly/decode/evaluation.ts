/**
 * A decoded AuthZEN body (Authorization API 1.0, sections 5 to 7): what both decoders of evaluations fill and what
 * decide/evaluate.ts reads. Nothing here decides whether the content makes sense; a part that is not as it should be carries
 * its problem with it, because in a batch only the evaluations that use it fail.
 *
 * Entity (144 bytes): a subject or a resource. Its first 112 bytes are a resource record of request.ts, so that it can be
 * decided as one; a subject has its roles where a resource has its actions.
 *
 *     0 type | 16 id | 32 policy version | 48 scope                                  string records
 *    64 first attribute pair u32 | 68 pair count u32
 *    72 first role u32 (string records) | 76 role count u32
 *    80 properties u64 (TAG_RAW_*, ABSENT) | 88 place u32 | 96 cell of the properties
 *   112 problem u32 (INVALID_AUTHZEN_*, 0 = none) | 116 its place u32
 *   120 first stored pair u32 | 124 stored pair count u32 | 128 stored properties u64 | 136 their cell
 *
 * Action (40 bytes)       0 name (string record) | 16 properties u64 | 24 their cell | 32 problem u32 | 36 its place u32
 * Context (48 bytes)      0 value u64 | 8 its cell | 16 request id (string record) | 32 flags u32 | 36 problem u32 | 40 its place u32
 * Evaluation (24 bytes)   0 subject u32 | 4 action u32 | 8 resource u32 | 12 context u32 | 16 problem u32 | 20 its place u32
 *
 * Places are addresses of bytes of the body; 0 when there is none to point to.
 */
import { ABSENT, box } from "../value/value";
import { RESOURCE_SIZE } from "./request";
import { clearResource } from "./request-limits";
import { regrow, reserve } from "./reserve";

export const ENTITY_SIZE: usize = 144;
export const ENTITY_TYPE: usize = 0;
export const ENTITY_ID: usize = 16;
export const ENTITY_VERSION: usize = 32;
export const ENTITY_SCOPE: usize = 48;
export const ENTITY_PAIRS: usize = 64;
export const ENTITY_PAIR_COUNT: usize = 68;
export const ENTITY_ROLES: usize = 72;
export const ENTITY_ROLE_COUNT: usize = 76;
export const ENTITY_PROPERTIES: usize = 80;
export const ENTITY_PROBLEM: usize = 112;
export const ENTITY_PLACE: usize = 116;
export const ENTITY_STORED_PAIRS: usize = 120;
export const ENTITY_STORED_COUNT: usize = 124;
export const ENTITY_STORED: usize = 128;
export const ENTITY_STORED_CELL: usize = 136;

export const ACTION_SIZE: usize = 40;
export const ACTION_PROPERTIES: usize = 16;
export const ACTION_CELL: usize = 24;
export const ACTION_PROBLEM: usize = 32;
export const ACTION_PLACE: usize = 36;

export const CONTEXT_SIZE: usize = 48;
export const CONTEXT_CELL: usize = 8;
export const CONTEXT_REQUEST_ID: usize = 16;
export const CONTEXT_FLAGS: usize = 32;
export const CONTEXT_PROBLEM: usize = 36;
export const CONTEXT_PLACE: usize = 40;
/** Asked for the whole answer as checks have it (`cerbos.includeMeta`). */
export const CONTEXT_HAS_META: u32 = 1;
/** Carries tokens (`cerbos.auxData`). */
export const CONTEXT_HAS_TOKENS: u32 = 2;

export const EVALUATION_SIZE: usize = 24;
export const EVALUATION_SUBJECT: usize = 0;
export const EVALUATION_ACTION: usize = 4;
export const EVALUATION_RESOURCE: usize = 8;
export const EVALUATION_CONTEXT: usize = 12;
export const EVALUATION_PROBLEM: usize = 16;
export const EVALUATION_PLACE: usize = 20;

export const SEMANTIC_ALL: u32 = 0;
export const SEMANTIC_DENY_ON_FIRST_DENY: u32 = 1;
export const SEMANTIC_PERMIT_ON_FIRST_PERMIT: u32 = 2;

/** The evaluation that the body itself is, or whose parts are the defaults of the others. */
export const body: usize = memory.data(24, 8);
/** The evaluations of a batch, contiguous, and their number; those beyond the limit are only counted. */
export let evaluations: usize = 0;
export let evaluationCount: u32 = 0;
/** How a batch ends early: SEMANTIC_*. */
export let semantic: u32 = SEMANTIC_ALL;

/** Addresses (u32) of all entities of the body; those of subjects have IS_SUBJECT set. */
export let entities: usize = 0;
export let entityCount: u32 = 0;
let entityCapacity: u32 = 0;
let capacity: u32 = 0;

/** In an address of `entities`: the entity is a subject. Addresses are multiples of 8. */
export const IS_SUBJECT: u32 = 1;

const FIRST_EVALUATIONS: u32 = 16;
const FIRST_ENTITIES: u32 = 16;

/** Puts everything back to "not given". */
export function clearEvaluations(): void {
  clearEvaluation(body);
  evaluations = 0;
  evaluationCount = 0;
  capacity = 0;
  semantic = SEMANTIC_ALL;
  entities = 0;
  entityCount = 0;
  entityCapacity = 0;
}

export function setSemantic(value: u32): void {
  semantic = value;
}

export function clearEvaluation(record: usize): void {
  store<u64>(record, 0);
  store<u64>(record, 0, 8);
  store<u64>(record, 0, 16);
}

/** Counts an evaluation: its record, or 0 when it is beyond `limit`; 1 when the arena is full. */
export function addEvaluation(limit: u32): usize {
  if (evaluationCount >= limit) {
    evaluationCount += 1;
    return 0;
  }
  if (evaluationCount == capacity) {
    const wanted = capacity == 0 ? FIRST_EVALUATIONS : capacity * 2;
    evaluations = regrow(evaluations, evaluationCount, EVALUATION_SIZE, wanted);
    if (evaluations == 0) return NO_ROOM;
    capacity = wanted;
  }
  const record = evaluations + <usize>evaluationCount * EVALUATION_SIZE;
  clearEvaluation(record);
  evaluationCount += 1;
  return record;
}

/** What `addEvaluation` answers when the arena is full. */
export const NO_ROOM: usize = 1;

/** A new entity for the object at `at`, or 0 when the arena is full. */
export function newEntity(at: usize, ofSubject: bool): usize {
  if (entityCount == entityCapacity) {
    const wanted = entityCapacity == 0 ? FIRST_ENTITIES : entityCapacity * 2;
    entities = regrow(entities, entityCount, 4, wanted);
    if (entities == 0) return 0;
    entityCapacity = wanted;
  }
  const entity = reserve(ENTITY_SIZE);
  if (entity == 0) return 0;
  clearEntity(entity, at);
  store<u32>(entities + ((<usize>entityCount) << 2), <u32>entity | (ofSubject ? IS_SUBJECT : 0));
  entityCount += 1;
  return entity;
}

export function clearEntity(entity: usize, at: usize): void {
  clearResource(entity, at);
  v128.store(entity + RESOURCE_SIZE, i64x2.splat(0));
  v128.store(entity + RESOURCE_SIZE, i64x2.splat(0), 16);
  store<u64>(entity, ABSENT, ENTITY_STORED);
}

/** The entity at an index, and whether it is a subject. */
export function entityAt(index: u32): usize {
  return load<u32>(entities + ((<usize>index) << 2)) & ~IS_SUBJECT;
}

export function isSubjectAt(index: u32): bool {
  return (load<u32>(entities + ((<usize>index) << 2)) & IS_SUBJECT) != 0;
}

export function newAction(): usize {
  const action = reserve(ACTION_SIZE);
  if (action == 0) return 0;
  memory.fill(action, 0, ACTION_SIZE);
  store<u64>(action, ABSENT, ACTION_PROPERTIES);
  return action;
}

export function newContext(): usize {
  const context = reserve(CONTEXT_SIZE);
  if (context == 0) return 0;
  memory.fill(context, 0, CONTEXT_SIZE);
  store<u64>(context, ABSENT);
  return context;
}

/** Notes what is wrong with a part; the first problem stays. */
export function noteProblem(record: usize, field: usize, problem: u32, place: usize): void {
  if (load<u32>(record + field) != 0) return;
  store<u32>(record + field, problem);
  store<u32>(record + field, <u32>place, 4);
}

/** Keeps the bytes `start`..`end` of an object, in the format of `tag` (TAG_RAW_*), as a value with its cell. */
export function setRaw(tag: i32, value: usize, cell: usize, start: usize, end: usize): void {
  store<u32>(cell, <u32>start);
  store<u32>(cell, <u32>(end - start), 4);
  store<u64>(value, box(tag, cell));
}
