/**
 * The evaluation algorithm of COMPAT.md section 5, written to be read. Settled on the real binary (0.55.0) where
 * the text left a corner open; each such finding is a comment here. Differences on purpose (COMPAT.md section 6):
 * conditions are evaluated per rule and never cached across rules; a role policy's denial needs no row of the same
 * role at its scope; `runtime.effectiveDerivedRoles` is empty in principal policies; an inactive derived role emits nothing.
 * Not here: request validation, limits, what is in a JSON schema, tokens.
 */
import {
  NONE,
  type ConditionId,
  type OutputIds,
  type PrincipalBlock,
  type Program,
  type ResourceBlock,
  type RoleBlock,
} from "../../../compiler/ir/program.ts";
import type { Effect } from "../../../compiler/policy/policy-set.ts";
import { satisfies, type Outcome } from "./conditions.ts";
import { evaluate } from "./expressions.ts";
import { matchesGlob, matchesName, sanitise } from "./names.ts";
import { passesOf, requestedScope, type Passes } from "./passes.ts";
import {
  inputsOf,
  NO_RUNTIME_ROLES,
  type ActionMeta,
  type CheckRequest,
  type CheckResponse,
  type InputSource,
  type OutputEntry,
  type Resource,
  type ResourceEntry,
  type ResultEntry,
  type RuntimeRoles,
  type ValidationError,
} from "./request.ts";
import { entriesOrdered, ordered } from "./row-order.ts";
import { DEFAULT_SETTINGS, type EngineSettings } from "./settings.ts";
import { toJson } from "./values.ts";
import { NOTHING, UNDECIDED, type Pass, type Verdict } from "./verdict.ts";

/** Answers a CheckResources request; `cerbosCallId` is left to the server. */
export function check(
  program: Program,
  request: CheckRequest,
  settings: Partial<EngineSettings> = {},
): CheckResponse {
  const all = { ...DEFAULT_SETTINGS, ...settings };
  return {
    ...(request.requestId ? { requestId: request.requestId } : {}),
    results: request.resources.map((entry) => new Evaluation(program, request, entry, all).result()),
  };
}

/** A rule that matches the action, ready to be evaluated. */
interface Candidate {
  readonly rule: number;
  readonly effect: Effect;
  /** NONE when unconditional. */
  readonly condition: ConditionId;
  readonly derivedRole: number;
  readonly outputs: OutputIds;
  /** How often the rule counts: once per matching action pattern and per matching role pattern. */
  readonly times: number;
}

/** Decides all actions of one resource entry. */
class Evaluation {
  readonly #program: Program;
  readonly #request: CheckRequest;
  readonly #entry: ResourceEntry;
  readonly #settings: EngineSettings;
  readonly #source: InputSource;
  readonly #kind: string;
  readonly #version: string;
  readonly #outputs: OutputEntry[] = [];
  readonly #derivedRoles = new Set<string>();
  #validationErrors: readonly ValidationError[] = [];
  /** By scope; filled when a resource pass first visits the scope. */
  readonly #runtime = new Map<string, RuntimeRoles>();

  constructor(program: Program, request: CheckRequest, entry: ResourceEntry, settings: EngineSettings) {
    this.#program = program;
    this.#request = request;
    this.#entry = entry;
    this.#settings = settings;
    this.#source = {
      program,
      request,
      resource: entry.resource,
      now: settings.now,
      globals: settings.globals,
    };
    this.#kind = sanitise(entry.resource.kind);
    this.#version = entry.resource.policyVersion || settings.defaultPolicyVersion;
  }

  result(): ResultEntry {
    const verdicts = this.#verdicts();
    // Without a prototype: an action may be called `__proto__`.
    const meta: Record<string, ActionMeta> = Object.create(null);
    const actions: Record<string, "EFFECT_ALLOW" | "EFFECT_DENY"> = Object.create(null);
    for (const [action, { effect, policy, scope }] of verdicts) {
      actions[action] = effect === "allow" ? "EFFECT_ALLOW" : "EFFECT_DENY";
      meta[action] =
        scope === "" ? { matchedPolicy: policy } : { matchedPolicy: policy, matchedScope: scope };
    }
    const roles = [...this.#derivedRoles].sort();
    return {
      resource: echo(this.#entry.resource),
      actions,
      ...(this.#request.includeMeta
        ? { meta: { actions: meta, ...(roles.length > 0 ? { effectiveDerivedRoles: roles } : {}) } }
        : {}),
      ...(this.#outputs.length > 0 ? { outputs: this.#outputs } : {}),
      ...(this.#validationErrors.length > 0 ? { validationErrors: this.#validationErrors } : {}),
    };
  }

  #verdicts(): Map<string, Verdict> {
    const passes = passesOf(this.#program, this.#request, this.#entry.resource, this.#settings);
    const verdicts = new Map<string, Verdict>();
    const rejected = passes === undefined ? undefined : this.#rejection(passes.resource);
    for (const action of this.#entry.actions) {
      verdicts.set(action, passes === undefined ? NOTHING : (rejected ?? this.#decide(action, passes)));
    }
    return verdicts;
  }

  /** The schemas are those of the policy at the first scope; whether it is the root's, the program has settled. */
  #rejection({ scopes, key }: Pass): Verdict | undefined {
    const { schemaEnforcement, validate } = this.#settings;
    if (schemaEnforcement === "none") return undefined;
    const block = this.#program.resources.find(
      (each) => each.resource === this.#kind && each.version === this.#version && each.scope === scopes[0],
    );
    if (block === undefined || block.schemaSet < 0) return undefined;
    const principal = this.#request.principal.attr ?? {};
    const { actions, resource } = this.#entry;
    this.#validationErrors = validate(block.schemaSet, actions, principal, resource.attr ?? {});
    const isRejected = schemaEnforcement === "reject" && this.#validationErrors.length > 0;
    return isRejected ? { effect: "deny", policy: key, scope: "" } : undefined;
  }

  // --- one action (COMPAT.md 5.2) ----------------------------------------------------------------------------

  #decide(action: string, passes: Passes): Verdict {
    this.#source.action = action;
    this.#runtime.clear();
    const byPrincipal = this.#principalPass(action, passes.principal);
    if (byPrincipal.effect !== "none") return byPrincipal;
    let first: Verdict | undefined;
    for (const role of this.#request.principal.roles) {
      const verdict = this.#resourcePass(action, passes.resource, role);
      if (verdict.effect === "allow" || verdict.final === true) return verdict;
      if (verdict.effect === "deny") first ??= verdict;
    }
    return first ?? { effect: "deny", policy: passes.resource.key, scope: "" };
  }

  /** Rows of the principal's policies must have the RESOURCE's policy version; the id is compared as it is. */
  #principalPass(action: string, pass: Pass): Verdict {
    for (const scope of pass.scopes) {
      const block = this.#program.principals.find(
        (each) =>
          each.principal === this.#request.principal.id &&
          each.version === this.#version &&
          each.scope === scope,
      );
      if (block === undefined) continue;
      const candidates = this.#principalCandidates(block, action);
      const verdict = this.#scan(candidates, block, action, pass, NO_RUNTIME_ROLES);
      if (verdict !== undefined) return verdict;
    }
    return UNDECIDED;
  }

  #principalCandidates(block: PrincipalBlock, action: string): readonly Candidate[] {
    return entriesOrdered(block.rows, this.#settings.entryOrder)
      .filter((row) => this.#matchesKind(row.resource) && matchesName(row.action, action))
      .map(({ rule, effect, condition, outputs }) => {
        return { rule, effect, condition, outputs, derivedRole: NONE, times: 1 };
      });
  }

  #resourcePass(action: string, pass: Pass, role: string): Verdict {
    const roleSet = this.#withParents([role]);
    for (const scope of pass.scopes) {
      const block = this.#program.resources.find(
        (each) => each.resource === this.#kind && each.version === this.#version && each.scope === scope,
      );
      const runtime = this.#visit(scope, block);
      const denied = this.#rolePolicies(action, scope, roleSet, runtime);
      if (denied !== undefined) return denied;
      if (block === undefined) continue;
      const candidates = this.#resourceCandidates(block, action, roleSet);
      const verdict = this.#scan(candidates, block, action, pass, runtime);
      if (verdict !== undefined) return verdict;
    }
    return UNDECIDED;
  }

  /** A list that holds `*` counts as that one pattern; otherwise each matching pattern is a row of its own. */
  #resourceCandidates(
    block: ResourceBlock,
    action: string,
    roleSet: readonly string[],
  ): readonly Candidate[] {
    const candidates: Candidate[] = [];
    for (const row of block.rows) {
      const patterns = row.derivedRole === NONE ? row.roles : this.#derivedRole(row.derivedRole).parentRoles;
      const roles = patterns.includes("*") ? ["*"] : patterns;
      const matchingRoles = roles.filter((pattern) =>
        roleSet.some((role) => matchesName(pattern, role)),
      ).length;
      const matchingActions = row.actions.filter((pattern) => matchesName(pattern, action)).length;
      const times = matchingRoles * matchingActions;
      if (times > 0) candidates.push({ ...row, times });
    }
    return ordered(candidates, this.#settings.rowOrder);
  }

  /** The roles and their parents, from role policies (of any version, with or without rules) at the requested scope. */
  #withParents(roles: readonly string[]): readonly string[] {
    const scope = requestedScope(this.#entry.resource.scope, this.#settings);
    const found = new Set(roles);
    for (const role of found) {
      for (const policy of this.#program.roles) {
        if (policy.scope === scope && policy.role === role)
          for (const parent of policy.parentRoles) found.add(parent);
      }
    }
    return [...found];
  }

  /**
   * Evaluates the rows of one policy at one scope in order. A DENY that applies ends it; an ALLOW waits for the end of
   * the scope, where a consent scope forgets it and the search goes on upward. Undefined: nothing decided here.
   */
  #scan(
    candidates: readonly Candidate[],
    block: PrincipalBlock | ResourceBlock,
    action: string,
    pass: Pass,
    runtime: RuntimeRoles,
  ): Verdict | undefined {
    let allowed = false;
    let ruleStart = this.#outputs.length;
    for (const [index, candidate] of candidates.entries()) {
      const { rule } = candidate;
      if (rule !== candidates[index - 1]?.rule) ruleStart = this.#outputs.length;
      const rewritten =
        block.requireParentalConsent && candidate.effect === "allow" && candidate.condition !== NONE;
      const effect = rewritten ? "deny" : candidate.effect;
      const outcome = this.#applies(candidate, effect, rewritten, runtime);
      if (outcome === "stop") {
        if (this.#settings.stoppedRule === "nothing") this.#outputs.length = ruleStart;
        if (this.#settings.stoppedRule === "everything") {
          const others = candidates.slice(index + 1).filter((other) => other.rule === rule);
          this.#putOut(others, effect, rewritten, action, runtime);
        }
        return { effect: "deny", policy: block.key, scope: block.scope, final: true };
      }
      if (outcome === "skip") continue;
      const ends = outcome === "yes" && effect === "deny";
      this.#emit(candidate, outcome === "yes", action, runtime, ends ? 1 : candidate.times);
      if (ends) return { effect: "deny", policy: pass.key, scope: block.scope };
      if (outcome === "yes") allowed = true;
    }
    return allowed && !block.requireParentalConsent
      ? { effect: "allow", policy: pass.key, scope: block.scope }
      : undefined;
  }

  /** The outputs of rows that would have been looked at, had no row before them failed. */
  #putOut(
    rows: readonly Candidate[],
    effect: Effect,
    rewritten: boolean,
    action: string,
    runtime: RuntimeRoles,
  ): void {
    for (const row of rows) {
      const outcome = this.#applies(row, effect, rewritten, runtime);
      if (outcome === "yes" || outcome === "no")
        this.#emit(row, outcome === "yes", action, runtime, row.times);
    }
  }

  /**
   * Whether a row counts. An ALLOW needs true, a DENY needs not-false; a conditional ALLOW of a consent scope has
   * become a DENY that needs not-true. `skip`: the derived role is not active, so the row says nothing at all.
   */
  #applies(
    candidate: Candidate,
    effect: Effect,
    rewritten: boolean,
    runtime: RuntimeRoles,
  ): "yes" | "no" | "skip" | "stop" {
    const strict = this.#settings.onError === "strict";
    if (candidate.derivedRole !== NONE) {
      const role = this.#satisfies(this.#derivedRole(candidate.derivedRole).condition, NO_RUNTIME_ROLES);
      if (role === "error" && strict) return "stop";
      if (role === "false" || (role === "error" && effect === "allow")) return "skip";
    }
    const outcome = this.#satisfies(candidate.condition, runtime);
    if (outcome === "error" && strict) return "stop";
    if (rewritten) return outcome === "true" ? "no" : "yes";
    if (effect === "allow") return outcome === "true" ? "yes" : "no";
    return outcome === "false" ? "no" : "yes";
  }

  #satisfies(condition: ConditionId, runtime: RuntimeRoles): Outcome {
    const { onError, guess } = this.#settings;
    return satisfies(this.#program, inputsOf(this.#source, runtime), condition, onError, guess);
  }

  // --- role policies (COMPAT.md 5.3) -------------------------------------------------------------------------

  /**
   * In principal policies a literal name may be written in either spelling (`album:object`, `album_object`); globs stay
   * as they are. Role policies are compared as written, so only `album_object` ever matches there.
   */
  #matchesKind(resource: string): boolean {
    return matchesName(sanitise(resource), this.#kind);
  }

  /**
   * Whether anything at the scope speaks of the kind: a resource policy (with or without rules) or a rule of any role
   * policy. Elsewhere role policies are silent and the search goes on upward. The binary also asks for a row of the
   * current role, so that a denial gets lost (COMPAT.md 6.8); 0.51 and we do not.
   */
  #knowsKind(scope: string): boolean {
    const { resources, roles } = this.#program;
    return (
      resources.some(
        (each) => each.resource === this.#kind && each.version === this.#version && each.scope === scope,
      ) ||
      roles.some(
        (each) =>
          each.version === this.#version &&
          each.scope === scope &&
          each.rows.some(({ resource }) => matchesName(resource, this.#kind)),
      )
    );
  }

  /** Whether some row at the scope speaks of the kind and of a role of the set, whatever its action. */
  #hasRowFor(roleSet: readonly string[], scope: string): boolean {
    const { resources, roles } = this.#program;
    const speaks = (patterns: readonly string[]): boolean =>
      patterns.some((pattern) => roleSet.some((role) => matchesName(pattern, role)));
    return (
      resources.some(
        (each) =>
          each.resource === this.#kind &&
          each.version === this.#version &&
          each.scope === scope &&
          each.rows.some((row) =>
            speaks(row.derivedRole === NONE ? row.roles : this.#derivedRole(row.derivedRole).parentRoles),
          ),
      ) ||
      roles.some(
        (each) =>
          each.version === this.#version &&
          each.scope === scope &&
          roleSet.includes(each.role) &&
          each.rows.some(({ resource }) => matchesName(resource, this.#kind)),
      )
    );
  }

  /** A denial by the role policies of the role set at this scope, attributed to the first that denies. */
  #rolePolicies(
    action: string,
    scope: string,
    roleSet: readonly string[],
    runtime: RuntimeRoles,
  ): Verdict | undefined {
    if (!this.#knowsKind(scope)) return undefined;
    if (this.#settings.lostRoleDenials && !this.#hasRowFor(roleSet, scope)) return undefined;
    const order = this.#settings.roleOrders.get(roleSet[0] ?? "") ?? [];
    const asked = roleSet.toSorted((a, b) => order.indexOf(a) - order.indexOf(b));
    for (const role of asked) {
      const block = this.#program.roles.find(
        (each) =>
          each.role === role &&
          each.version === this.#version &&
          each.scope === scope &&
          each.rows.length > 0,
      );
      if (block === undefined) continue;
      const answer = this.#roleAllows(block, action, runtime);
      // After a plain denial another principal role may still allow; an error in strict mode ends the action.
      if (answer !== "yes") return { effect: "deny", policy: block.key, scope, final: answer === "stop" };
    }
    return undefined;
  }

  /** Every rule that lists the action must hold, and there must be one. */
  #roleAllows(block: RoleBlock, action: string, runtime: RuntimeRoles): "yes" | "no" | "stop" {
    const rows = block.rows.filter(
      ({ resource, allowActions }) =>
        matchesName(resource, this.#kind) &&
        allowActions.some((pattern) => pattern === action || matchesGlob(pattern, action)),
    );
    for (const row of rows) {
      const outcome = this.#satisfies(row.condition, runtime);
      if (outcome === "error" && this.#settings.onError === "strict") return "stop";
      const holds = outcome === "true";
      this.#emit(row, holds, action, runtime, 1);
      if (!holds) return "no";
    }
    return rows.length > 0 ? "yes" : "no";
  }

  // --- derived roles (COMPAT.md 5.4) -------------------------------------------------------------------------

  #derivedRole(id: number): Program["derivedRoles"][number] {
    const role = this.#program.derivedRoles[id];
    if (role === undefined) throw new Error(`the program has no derived role ${id}`);
    return role;
  }

  /** The derived roles of a scope, computed on the first visit; parent roles that are globs do not count here. */
  #visit(scope: string, block: ResourceBlock | undefined): RuntimeRoles {
    const known = this.#runtime.get(scope);
    if (known !== undefined) return known;
    const roles = this.#withParents(this.#request.principal.roles);
    const active: string[] = [];
    const failed: string[] = [];
    for (const id of block?.derivedRoles ?? []) {
      const { name, parentRoles, condition } = this.#derivedRole(id);
      if (!parentRoles.some((parent) => parent === "*" || roles.includes(parent))) continue;
      const outcome = this.#satisfies(condition, NO_RUNTIME_ROLES);
      if (outcome === "true") active.push(name);
      if (outcome === "error") failed.push(name);
    }
    const runtime = { active: active.sort(), failed: failed.sort() };
    this.#runtime.set(scope, runtime);
    for (const name of active) this.#derivedRoles.add(name);
    return runtime;
  }

  // --- outputs (COMPAT.md 5.5) -------------------------------------------------------------------------------

  #emit(
    row: { readonly rule: number; readonly outputs: OutputIds },
    applied: boolean,
    action: string,
    runtime: RuntimeRoles,
    times: number,
  ): void {
    const expression = applied ? row.outputs.activated : row.outputs.notMet;
    if (expression === NONE) return;
    const rule = this.#program.rules[row.rule];
    const src = `${rule?.policyKey ?? ""}#${rule?.name ?? ""}`;
    const shown = toJson(evaluate(this.#program, inputsOf(this.#source, runtime), expression));
    const entry = "error" in shown ? { src, action, error: shown.error } : { src, val: shown.json, action };
    for (let count = 0; count < times; count += 1) this.#outputs.push(entry);
  }
}

/** The echo repeats the request's text and leaves out what is empty. */
function echo({ kind, id, policyVersion, scope }: Resource): Omit<Resource, "attr"> {
  return { kind, id, ...(policyVersion ? { policyVersion } : {}), ...(scope ? { scope } : {}) };
}
