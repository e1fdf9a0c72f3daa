/**
 * The decision of one action on one resource (COMPAT.md section 5.2): the principal pass, then the resource pass, role by
 * role and scope by scope. Evaluates; what is answered when nothing could even be looked up, and how it is written, is
 * in check.ts and respond.ts.
 */
import {
  EFFECT_ALLOW,
  EFFECT_DENY,
  ON_ERROR_STRICT,
  OUTCOME_FALSE,
  OUTCOME_STOP,
  OUTCOME_TRUE,
  PASS_NONE,
  PASS_PRINCIPAL,
  PASS_RESOURCE,
  PASS_ROLE,
  TRACE_DECISION,
  TRACE_RULE,
} from "../abi";
import { roleCount, stringLength, stringStart } from "../decode/request";
import { burn } from "../memory/fuel";
import { derivedOutcome, enterBlock, listDerivedRoles } from "./derived-roles";
import { matches, matchesAny } from "./glob";
import { emitOutput } from "./outputs";
import { ABORTED, ALLOWED, DENIED, SCOPE_FUEL, UNDECIDED } from "./pass";
import { roleSymbol } from "./role-lists";
import { parentsOfRole, roleMatches } from "./roles";
import {
  beginShortlists,
  decideByShortlist,
  hasShortlists,
  listedShortlist,
  shortlistOf,
  shortlistScope,
} from "./shortlist";
import { condition, onError } from "./state";
import {
  actionSymbolOf,
  chainBlock,
  chainLength,
  chainScope,
  kindLength,
  kindStart,
  kindSymbol,
  principalFirstScope,
  principalSymbol,
  resourceVersionSymbol,
} from "./subject";
import {
  BLOCK_FIRST_RULE,
  BLOCK_FLAGS,
  BLOCK_OTHER_ACTIONS,
  BLOCK_PARENTAL_CONSENT,
  BLOCK_ROWS,
  BLOCK_ROW_COUNT,
  LIST_HAS_DENY,
  LIST_HAS_OUTPUTS,
  NO_SYMBOL,
  PRINCIPAL_ROW_ACTION,
  PRINCIPAL_ROW_CONDITION,
  PRINCIPAL_ROW_KIND,
  PRINCIPAL_ROW_OUTPUTS,
  PRINCIPAL_ROW_SIZE,
  ROLE_ROW_ACTIONS,
  ROLE_ROW_CONDITION,
  ROLE_ROW_KIND,
  ROLE_ROW_OUTPUTS,
  ROLE_ROW_SIZE,
  ROW_ACTION_GLOBS,
  ROW_CONDITION,
  ROW_DERIVED_ROLE,
  ROW_EFFECT,
  ROW_OUTPUTS,
  ROW_ROLE_SET,
  ROW_SIZE,
  hasRolePolicies,
  nextScope,
  principalBlock,
  roleBlock,
  rolePolicyKinds,
  rowListFor,
} from "./tables";
import { trace, tracing } from "./trace";

/** Whose key `matchedPolicy` shows. */
export const KEY_NONE: u32 = 0;
/** The main resource policy key: kind, version, first scope of the search. */
export const KEY_RESOURCE: u32 = 1;
/** The main principal policy key. */
export const KEY_PRINCIPAL: u32 = 2;
/** The key of a role policy's block. */
export const KEY_ROLE: u32 = 3;
/** The key of the resource (or principal) policy at the deciding scope itself: strict-mode errors and outputs. */
export const KEY_RESOURCE_AT_SCOPE: u32 = 4;
export const KEY_PRINCIPAL_AT_SCOPE: u32 = 5;

/** What a row came to. */
const ROW_SKIPPED: i32 = 0;
const ROW_ALLOWS: i32 = 1;
const ROW_DENIES: i32 = 2;
const ROW_FAILED: i32 = 3;

const NO_RULE: u32 = 0xffffffff;

/** The decision, valid until the next call of `decideAction`. */
export let effect: i32 = EFFECT_DENY;
export let keyKind: u32 = KEY_NONE;
export let keyBlock: usize = 0;
export let decidingScope: u32 = NO_SYMBOL;

/** Whether the passes have any policy to speak for them; decides what their key is. */
let principalKey: u32 = KEY_NONE;
let resourceKey: u32 = KEY_NONE;
let listRoles: bool = false;
/** Whether actions may be decided by shortlists. */
export let isShort: bool = false;

let action: usize = 0;
let actionSymbol: u32 = NO_SYMBOL;
let actionStart: usize = 0;
let actionLength: u32 = 0;

/** Where the scope being evaluated came to a result: rule and (for role policies) block. */
let decidingRule: u32 = NO_RULE;
let decidingBlock: usize = 0;
let decidedByRole: bool = false;

/** Says for the current resource which passes have policies and whether effective derived roles are listed. */
export function beginDecisions(principalExists: bool, resourceExists: bool, list: bool): void {
  principalKey = principalExists ? KEY_PRINCIPAL : KEY_NONE;
  resourceKey = resourceExists ? KEY_RESOURCE : KEY_NONE;
  listRoles = list;
  isShort = principalSymbol == NO_SYMBOL && !tracing && !list && hasShortlists();
  if (isShort) beginShortlists();
}

/** Decides one action (a string record) of the current resource. */
export function decideAction(record: usize): void {
  decideBy(isShort ? shortlistOf(record) : 0, record);
}

/** The same for action `index` of a list, between `beginListed` and the next. */
export function decideListed(record: usize, index: u32): void {
  decideBy(isShort ? listedShortlist(record, index) : 0, record);
}

function decideBy(shortlist: usize, record: usize): void {
  if (shortlist == 0) {
    decideByRows(record);
    return;
  }
  effect = decideByShortlist(shortlist) == ALLOWED ? EFFECT_ALLOW : EFFECT_DENY;
  keyKind = resourceKey;
  keyBlock = 0;
  decidingScope = shortlistScope;
}

function decideByRows(record: usize): void {
  action = record;
  actionStart = stringStart(record);
  actionLength = stringLength(record);
  actionSymbol = actionSymbolOf(record);
  decidingRule = NO_RULE;
  decidingBlock = 0;
  decidedByRole = false;
  const byPrincipal = principalPass();
  if (byPrincipal != UNDECIDED) {
    decided(byPrincipal, byPrincipal == ABORTED ? KEY_PRINCIPAL_AT_SCOPE : principalKey, PASS_PRINCIPAL);
    return;
  }
  const byResource = resourcePass();
  if (byResource != UNDECIDED) {
    const key = decidedByRole ? KEY_ROLE : byResource == ABORTED ? KEY_RESOURCE_AT_SCOPE : resourceKey;
    decided(byResource, key, decidedByRole ? PASS_ROLE : PASS_RESOURCE);
    return;
  }
  decidingScope = NO_SYMBOL;
  decided(DENIED, resourceKey, PASS_NONE);
}

function decided(result: i32, key: u32, pass: u32): void {
  effect = result == ALLOWED ? EFFECT_ALLOW : EFFECT_DENY;
  keyKind = key;
  keyBlock = decidingBlock;
  if (tracing) trace(TRACE_DECISION, <u32>effect, decidingRule, pass);
}

// --- principal pass ---------------------------------------------------------------------------------------

function principalPass(): i32 {
  if (principalSymbol == NO_SYMBOL) return UNDECIDED;
  enterBlock(0);
  for (let scope = principalFirstScope; scope != NO_SYMBOL; scope = nextScope(scope, true)) {
    const block = principalBlock(principalSymbol, resourceVersionSymbol, scope);
    if (block == 0) continue;
    decidingScope = scope;
    const result = principalScope(block, scope);
    if (result != UNDECIDED) return result;
  }
  return UNDECIDED;
}

function principalScope(block: usize, scope: u32): i32 {
  const consent = (load<u32>(block, BLOCK_FLAGS) & BLOCK_PARENTAL_CONSENT) != 0;
  const count = load<u32>(block, BLOCK_ROW_COUNT);
  const rows: usize = load<u32>(block, BLOCK_ROWS);
  let allowed = false;
  burn(1 + count);
  for (let index: u32 = 0; index < count; index++) {
    const row = rows + <usize>index * PRINCIPAL_ROW_SIZE;
    if (
      !matches(
        load<u32>(row, PRINCIPAL_ROW_KIND),
        load<u32>(row, PRINCIPAL_ROW_KIND + 4),
        kindSymbol,
        kindStart,
        kindLength,
      )
    ) {
      continue;
    }
    const pattern = row + PRINCIPAL_ROW_ACTION;
    if (!matches(load<u32>(pattern), load<u32>(pattern, 4), actionSymbol, actionStart, actionLength))
      continue;
    const rule = load<u32>(block, BLOCK_FIRST_RULE) + load<u32>(row);
    const conditionId = load<u32>(row, PRINCIPAL_ROW_CONDITION);
    const result = evaluateRow(load<i32>(row, ROW_EFFECT), OUTCOME_TRUE, conditionId, consent, rule, 0);
    if (result != ROW_FAILED) {
      emitOutput(row + PRINCIPAL_ROW_OUTPUTS, applies(result), KEY_PRINCIPAL_AT_SCOPE, scope, 0, action);
    }
    if (result == ROW_FAILED || result == ROW_DENIES) {
      decidingRule = rule;
      return result == ROW_FAILED ? ABORTED : DENIED;
    }
    if (result == ROW_ALLOWS && !allowed) {
      allowed = true;
      if (!consent) decidingRule = rule;
    }
  }
  return allowed && !consent ? ALLOWED : UNDECIDED;
}

// --- resource pass ----------------------------------------------------------------------------------------

function resourcePass(): i32 {
  let result = UNDECIDED;
  let scope: u32 = NO_SYMBOL;
  let rule = NO_RULE;
  let block: usize = 0;
  let byRole = false;
  for (let role: u32 = 0; role < roleCount; role++) {
    decidedByRole = false;
    decidingBlock = 0;
    decidingRule = NO_RULE;
    const own = decideRole(role);
    if (own == ALLOWED || own == ABORTED) return own;
    if (own == DENIED && result == UNDECIDED) {
      result = DENIED;
      scope = decidingScope;
      rule = decidingRule;
      block = decidingBlock;
      byRole = decidedByRole;
    }
  }
  decidingScope = scope;
  decidingRule = rule;
  decidingBlock = block;
  decidedByRole = byRole;
  return result;
}

function decideRole(role: u32): i32 {
  for (let index: u32 = 0; index < chainLength; index++) {
    const scope = chainScope(index);
    const block = chainBlock(index);
    decidingScope = scope;
    enterBlock(block);
    if (block != 0 && listRoles) listDerivedRoles(block);
    if (hasRolePolicies && knowsKind(block, scope)) {
      const denial = rolePolicies(role, scope);
      if (denial != UNDECIDED) return denial;
    }
    if (!burn(SCOPE_FUEL)) return UNDECIDED;
    if (block == 0) continue;
    const result = resourceScope(block, scope, role);
    if (result != UNDECIDED) return result;
  }
  return UNDECIDED;
}

function resourceScope(block: usize, scope: u32, role: u32): i32 {
  let list = rowListFor(block, actionSymbol);
  const checkGlobs = list == 0;
  if (checkGlobs) list = load<u32>(block, BLOCK_OTHER_ACTIONS);
  const consent = (load<u32>(block, BLOCK_FLAGS) & BLOCK_PARENTAL_CONSENT) != 0;
  const count = load<u32>(list);
  // An ALLOW ends the scope at once when no later row could deny, emit an output or (strict) fail.
  const flags = load<u32>(list, 4);
  const stopAtAllow =
    (flags & (LIST_HAS_DENY | LIST_HAS_OUTPUTS)) == 0 && !consent && onError != ON_ERROR_STRICT;
  const rows: usize = load<u32>(block, BLOCK_ROWS);
  let allowed = false;
  burn(count);
  for (let index: u32 = 0; index < count; index++) {
    const row = rows + <usize>load<u32>(list + 8 + ((<usize>index) << 2)) * ROW_SIZE;
    if (!roleMatches(load<u32>(row, ROW_ROLE_SET), role)) continue;
    if (checkGlobs) {
      const globs: usize = load<u32>(row, ROW_ACTION_GLOBS);
      if (globs != 0 && !matchesAny(globs, actionSymbol, actionStart, actionLength)) continue;
    }
    const derived = load<u32>(row, ROW_DERIVED_ROLE);
    const active = derived == 0 ? OUTCOME_TRUE : derivedOutcome(derived - 1);
    const rule = load<u32>(block, BLOCK_FIRST_RULE) + load<u32>(row);
    const result = evaluateRow(
      load<i32>(row, ROW_EFFECT),
      active,
      load<u32>(row, ROW_CONDITION),
      consent,
      rule,
      role,
    );
    // A row whose derived role is not certainly active says nothing, unless it took effect.
    if (applies(result) || (active == OUTCOME_TRUE && result != ROW_FAILED)) {
      emitOutput(row + ROW_OUTPUTS, applies(result), KEY_RESOURCE_AT_SCOPE, scope, 0, action);
    }
    if (result == ROW_FAILED || result == ROW_DENIES) {
      decidingRule = rule;
      return result == ROW_FAILED ? ABORTED : DENIED;
    }
    if (result == ROW_ALLOWS && !allowed) {
      allowed = true;
      if (!consent) decidingRule = rule;
      if (stopAtAllow) return ALLOWED;
    }
  }
  return allowed && !consent ? ALLOWED : UNDECIDED;
}

/** Whether a row took effect, which is what `ruleActivated` means. */
function applies(result: i32): bool {
  return result == ROW_ALLOWS || result == ROW_DENIES;
}

/**
 * What a row comes to, given the outcome of its derived role's condition (OUTCOME_TRUE without one). ALLOW needs true,
 * DENY needs not-false. In a scope that needs parental consent a conditional ALLOW denies unless its condition is true,
 * and allows nothing by itself.
 */
function evaluateRow(
  rowEffect: i32,
  active: i32,
  conditionId: u32,
  consent: bool,
  rule: u32,
  role: u32,
): i32 {
  let outcome = OUTCOME_TRUE;
  let result = ROW_SKIPPED;
  if (active == OUTCOME_STOP) result = ROW_FAILED;
  else if (active != OUTCOME_FALSE) {
    if (conditionId != 0) outcome = condition(<i32>conditionId - 1);
    if (outcome == OUTCOME_STOP) result = ROW_FAILED;
    else if (rowEffect == EFFECT_DENY) result = outcome == OUTCOME_FALSE ? ROW_SKIPPED : ROW_DENIES;
    else if (consent && conditionId != 0) result = outcome == OUTCOME_TRUE ? ROW_SKIPPED : ROW_DENIES;
    else result = outcome == OUTCOME_TRUE && active == OUTCOME_TRUE ? ROW_ALLOWS : ROW_SKIPPED;
  }
  if (tracing) trace(TRACE_RULE, rule, role, ((<u32>active) << 8) | <u32>outcome);
  return result;
}

// --- role policies ----------------------------------------------------------------------------------------

/**
 * Role policies speak only at scopes where some policy knows the kind: a resource policy, with rules or without, or a rule
 * of a role policy. Elsewhere the search goes on upward (COMPAT.md section 5.3).
 */
function knowsKind(block: usize, scope: u32): bool {
  if (block != 0) return true;
  const kinds = rolePolicyKinds(resourceVersionSymbol, scope);
  return kinds != 0 && matchesAny(kinds, kindSymbol, kindStart, kindLength);
}

/**
 * What the role policies of the role and of its parents say at this scope: DENIED for an action that one of them does
 * not list for the kind, or lists under a condition that is not true; ABORTED when a condition fails in strict mode.
 */
function rolePolicies(role: u32, scope: u32): i32 {
  const own = rolePolicy(roleSymbol(role), scope, role);
  if (own != UNDECIDED) return own;
  const parents = parentsOfRole(role);
  if (parents == 0) return UNDECIDED;
  const count = load<u32>(parents);
  for (let index: u32 = 0; index < count; index++) {
    const result = rolePolicy(load<u32>(parents + 4 + ((<usize>index) << 2)), scope, role);
    if (result != UNDECIDED) return result;
  }
  return UNDECIDED;
}

function rolePolicy(symbol: u32, scope: u32, role: u32): i32 {
  const block = roleBlock(symbol, resourceVersionSymbol, scope);
  if (block == 0) return UNDECIDED;
  const count = load<u32>(block, BLOCK_ROW_COUNT);
  if (count == 0) return UNDECIDED;
  const rows: usize = load<u32>(block, BLOCK_ROWS);
  let listed = false;
  burn(count);
  for (let index: u32 = 0; index < count; index++) {
    const row = rows + <usize>index * ROLE_ROW_SIZE;
    const kind = row + ROLE_ROW_KIND;
    if (!matches(load<u32>(kind), load<u32>(kind, 4), kindSymbol, kindStart, kindLength)) continue;
    if (!matchesAny(load<u32>(row, ROLE_ROW_ACTIONS), actionSymbol, actionStart, actionLength)) continue;
    listed = true;
    const conditionId = load<u32>(row, ROLE_ROW_CONDITION);
    const outcome = conditionId == 0 ? OUTCOME_TRUE : condition(<i32>conditionId - 1);
    const rule = load<u32>(block, BLOCK_FIRST_RULE) + load<u32>(row);
    if (tracing) trace(TRACE_RULE, rule, role, ((<u32>OUTCOME_TRUE) << 8) | <u32>outcome);
    if (outcome == OUTCOME_TRUE) {
      emitOutput(row + ROLE_ROW_OUTPUTS, true, KEY_ROLE, scope, block, action);
      continue;
    }
    decidingRule = rule;
    decidingBlock = block;
    decidedByRole = true;
    if (outcome == OUTCOME_STOP) return ABORTED;
    emitOutput(row + ROLE_ROW_OUTPUTS, false, KEY_ROLE, scope, block, action);
    return DENIED;
  }
  if (listed) return UNDECIDED;
  decidingBlock = block;
  decidedByRole = true;
  return DENIED;
}
