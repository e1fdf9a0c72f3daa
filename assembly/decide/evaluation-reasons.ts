/** Why an evaluation came out as it did, in a few words for `context.reason`: which policy decided. */
import { allocate, fits } from "../memory/arena";
import { KEY_NONE } from "./decide";
import { fragment, fragmentLength, fragmentStart } from "./fragments";
import { composeKey, keyLength, keyStart } from "./policy-keys";

const ALLOWED = fragment("allowed by ");
const DENIED = fragment("denied by ");
const NO_POLICY = fragment("no policy matches");
const NOT_EVALUATED = fragment("policies are not evaluated");
const SCHEMA = fragment("the properties do not match the schema of ");

export let reasonStart: usize = 0;
export let reasonLength: u32 = 0;

/** Composes the reason of the evaluation just decided; the last three say whose key is named (policy-keys.ts). */
export function composeReason(
  allowed: bool,
  denyAll: bool,
  schemaRejects: bool,
  key: u32,
  scope: u32,
  block: usize,
): void {
  if (denyAll || key == KEY_NONE) {
    const text = denyAll ? NOT_EVALUATED : NO_POLICY;
    reasonStart = fragmentStart(text);
    reasonLength = fragmentLength(text);
    return;
  }
  composeKey(key, scope, block);
  const head = schemaRejects ? SCHEMA : allowed ? ALLOWED : DENIED;
  const size = fragmentLength(head) + keyLength;
  reasonLength = 0;
  if (!fits(size)) return;
  reasonStart = allocate(size);
  memory.copy(reasonStart, fragmentStart(head), fragmentLength(head));
  memory.copy(reasonStart + fragmentLength(head), keyStart, keyLength);
  reasonLength = size;
}
