/**
 * The names of policies in responses: `matchedPolicy` and the `src` of outputs. Keys are composed from what the request
 * named, since they are shown even for policies that do not exist (COMPAT.md section 5.2).
 *
 *   resource.<sanitised kind>.v<version>[/<scope>]     principal.<sanitised id>.v<version>[/<scope>]
 */
import { allocate, fits } from "../memory/arena";
import {
  KEY_NONE,
  KEY_PRINCIPAL,
  KEY_PRINCIPAL_AT_SCOPE,
  KEY_RESOURCE,
  KEY_RESOURCE_AT_SCOPE,
  KEY_ROLE,
} from "./decide";
import { fragment, fragmentLength, fragmentStart } from "./fragments";
import {
  kindLength,
  kindStart,
  principalFirstScope,
  principalKeyLength,
  principalKeyStart,
  principalVersionLength,
  principalVersionStart,
  resourceFirstScope,
  resourceVersionLength,
  resourceVersionStart,
  sanitisePrincipal,
} from "./subject";
import { BLOCK_KEY_LENGTH, BLOCK_KEY_START, NO_SYMBOL, symbolLength, symbolStart } from "./tables";

const NO_MATCH = fragment("NO_MATCH");
const RESOURCE = fragment("resource.");
const PRINCIPAL = fragment("principal.");
const VERSION = fragment(".v");
const SLASH: u8 = 0x2f;

/** The composed key, valid until the next `composeKey` of another kind or the next resource. */
export let keyStart: usize = 0;
export let keyLength: u32 = 0;

let at: usize = 0;

/** Composes the key of a decision or output into `keyStart`, `keyLength`. */
export function composeKey(kind: u32, scope: u32, block: usize): void {
  if (kind == KEY_NONE) {
    keyStart = fragmentStart(NO_MATCH);
    keyLength = fragmentLength(NO_MATCH);
  } else if (kind == KEY_ROLE) {
    keyStart = load<u32>(block, BLOCK_KEY_START);
    keyLength = load<u32>(block, BLOCK_KEY_LENGTH);
  } else if (kind == KEY_RESOURCE || kind == KEY_RESOURCE_AT_SCOPE) {
    compose(
      RESOURCE,
      kindStart,
      kindLength,
      resourceVersionStart,
      resourceVersionLength,
      kind == KEY_RESOURCE ? resourceFirstScope : scope,
    );
  } else if (kind == KEY_PRINCIPAL) {
    sanitisePrincipal();
    compose(
      PRINCIPAL,
      principalKeyStart,
      principalKeyLength,
      principalVersionStart,
      principalVersionLength,
      principalFirstScope,
    );
  } else if (kind == KEY_PRINCIPAL_AT_SCOPE) {
    // Rows of principal policies are found by the resource's version (COMPAT.md section 5.2).
    sanitisePrincipal();
    compose(
      PRINCIPAL,
      principalKeyStart,
      principalKeyLength,
      resourceVersionStart,
      resourceVersionLength,
      scope,
    );
  }
}

function compose(
  prefix: usize,
  name: usize,
  nameLength: u32,
  version: usize,
  versionLength: u32,
  scope: u32,
): void {
  const scopeBytes: u32 = scope == NO_SYMBOL ? 0 : symbolLength(scope);
  const size = fragmentLength(prefix) + nameLength + fragmentLength(VERSION) + versionLength + 1 + scopeBytes;
  if (!fits(size)) {
    keyLength = 0;
    return;
  }
  keyStart = allocate(size);
  at = keyStart;
  add(fragmentStart(prefix), fragmentLength(prefix));
  add(name, nameLength);
  add(fragmentStart(VERSION), fragmentLength(VERSION));
  add(version, versionLength);
  if (scopeBytes > 0) {
    store<u8>(at, SLASH);
    at += 1;
    add(symbolStart(scope), scopeBytes);
  }
  keyLength = <u32>(at - keyStart);
}

function add(start: usize, length: u32): void {
  memory.copy(at, start, length);
  at += length;
}
