/**
 * JSON schemas, as far as the guest is concerned (COMPAT.md section 9): which schema set a resource's policy has, and what
 * the host found when it validated the attributes. The guest validates nothing itself.
 *
 * Verdicts (written by runtime/schema/verdicts.ts behind body and claims): one record per resource
 *
 *   | u32 rejected (0 or 1) | u32 length | `validationErrors` in the output format, padded to 4 bytes |
 *
 * An empty text means that there are no errors. A block that is not whole rejects everything.
 */
import { CONTROL_BASE, CONTROL_TRACE_LENGTH, CONTROL_TRACE_START } from "../abi";
import { EVALUATION_RESOURCE, EVALUATION_SIZE } from "../decode/evaluation";
import { RESOURCE_SIZE, resourceCount, resources } from "../decode/request";
import { allocate, fits } from "../memory/arena";
import { problemOf } from "./evaluation-checks";
import { chainBlock, chainLength, chainScope, resolveResource, resourceFirstScope } from "./subject";
import { BLOCK_SCHEMAS } from "./tables";

const RECORD_HEADER: usize = 8;

/** Whether the current resource is rejected, and the text of its errors. */
export let verdictRejects: bool = false;
export let verdictStart: usize = 0;
export let verdictLength: u32 = 0;

let next: usize = 0;
let end: usize = 0;

/** Starts a request with `length` bytes of verdicts at `start`; without any, nothing is rejected. */
export function beginVerdicts(start: usize, length: u32): void {
  next = start;
  end = start + length;
  verdictRejects = false;
  verdictStart = 0;
  verdictLength = 0;
}

/** Goes on to the verdict of the next resource. */
export function nextVerdict(): void {
  if (end == 0 || next == 0) return;
  verdictLength = 0;
  const at = next;
  if (at + RECORD_HEADER > end) {
    verdictRejects = true;
    return;
  }
  const length = load<u32>(at, 4);
  if (<usize>length > end - at - RECORD_HEADER) {
    verdictRejects = true;
    next = end;
    return;
  }
  verdictRejects = load<u32>(at) != 0;
  verdictStart = at + RECORD_HEADER;
  verdictLength = length;
  next = verdictStart + ((<usize>length + 3) & ~3);
}

/**
 * Looks up the schema set of every resource: true when one has any, with the sets (u32 each, set + 1 or 0) where the trace
 * would be. False as well when the arena is full, which the evaluation then finds out again.
 */
export function needsSchemas(): bool {
  const size = (<usize>resourceCount) << 2;
  if (!fits(size)) return false;
  const sets = allocate(size);
  let any = false;
  for (let index: u32 = 0; index < resourceCount; index++) {
    resolveResource(resources + <usize>index * RESOURCE_SIZE);
    const set = schemaSet();
    if (set != 0) any = true;
    store<u32>(sets + ((<usize>index) << 2), set);
  }
  store<u32>(CONTROL_BASE, <u32>sets, CONTROL_TRACE_START);
  store<u32>(CONTROL_BASE, any ? <u32>size : 0, CONTROL_TRACE_LENGTH);
  return any;
}

/** The same for evaluations, one entry for each; those that cannot be decided have none. */
export function needsSchemasOf(first: usize, count: u32): bool {
  const size = (<usize>count) << 2;
  if (!fits(size)) return false;
  const sets = allocate(size);
  let any = false;
  for (let index: u32 = 0; index < count; index++) {
    const evaluation = first + <usize>index * EVALUATION_SIZE;
    let set: u32 = 0;
    if (problemOf(evaluation) == 0) {
      resolveResource(load<u32>(evaluation, EVALUATION_RESOURCE));
      set = schemaSet();
    }
    if (set != 0) any = true;
    store<u32>(sets + ((<usize>index) << 2), set);
  }
  store<u32>(CONTROL_BASE, <u32>sets, CONTROL_TRACE_START);
  store<u32>(CONTROL_BASE, any ? <u32>size : 0, CONTROL_TRACE_LENGTH);
  return any;
}

/** The schema set (+ 1) of the resource policy at the first scope of the search; 0 without one. */
function schemaSet(): u32 {
  if (chainLength == 0 || chainScope(0) != resourceFirstScope) return 0;
  const block = chainBlock(0);
  return block == 0 ? 0 : load<u32>(block, BLOCK_SCHEMAS);
}
