/**
 * Explains decisions: each resource is checked again alone with a trace, and every condition that mattered is evaluated
 * node by node for the same request. Slow on purpose and never on the serving path; the answer it explains is the
 * guest's own, this file only looks up names and places.
 */
import {
  FLAG_TRACE,
  OUTCOME_FALSE,
  OUTCOME_TRUE,
  PASS_PRINCIPAL,
  PASS_RESOURCE,
  PASS_ROLE,
  TRACE_ACTION,
  TRACE_DECISION,
  TRACE_DERIVED_ROLE,
  TRACE_RULE,
  TRACE_WORDS,
} from "../../assembly/abi.ts";
import type { ConditionLeaf, DerivedRoleInfo, RuleIndex, RuleInfo } from "../bundle/rule-index.ts";
import type { CheckRequest, CheckResponse, Effect } from "./messages.ts";

/** What explaining needs of an engine. `trace` and `evaluateCondition` speak of the last `check`. */
export interface ExplainPort {
  check(request: CheckRequest, flags: number): CheckResponse;
  trace(): Uint32Array;
  evaluateCondition(id: number): number;
  /** Text of the error that the last `evaluateCondition` ended in; empty without one. */
  conditionError(): string;
}

export type Truth = "true" | "false" | "error";

/** A condition with the truth of every part of it. */
export interface ConditionTrace {
  readonly kind: "expr" | "all" | "any" | "none";
  readonly truth: Truth;
  /** The CEL text of an `expr` and where it stands; null for the others. */
  readonly leaf: ConditionLeaf | null;
  /** Why an `expr` could not be evaluated; empty unless its truth is `error`. */
  readonly error: string;
  readonly children: readonly ConditionTrace[];
}

/** A rule whose action, kind and role matched, and what came of it. */
export interface RuleTrial {
  readonly rule: RuleInfo;
  /** The principal's role for which it was tried; empty in principal policies. */
  readonly role: string;
  /** Truth of the derived role that the rule needs; `true` when it needs none. */
  readonly derivedRole: Truth;
  readonly outcome: Truth;
  readonly condition: ConditionTrace | null;
}

export interface DerivedRoleTrial {
  readonly role: DerivedRoleInfo;
  readonly outcome: Truth;
  readonly condition: ConditionTrace | null;
}

export interface ActionExplanation {
  readonly action: string;
  readonly effect: Effect;
  /** Policy key that the response reports, `NO_MATCH` when there is none. */
  readonly matchedPolicy: string;
  readonly matchedScope: string;
  readonly decidedBy: "principal policy" | "resource policy" | "role policy" | "no rule";
  /** The rule that decided; null when none did. */
  readonly rule: RuleTrial | null;
  /** For a denial: matching rules that did not hold, those that would allow first. */
  readonly closest: readonly RuleTrial[];
  /** For a denial with no matching rule: the rules that exist for the kind, some of them. */
  readonly rulesForKind: readonly RuleInfo[];
}

export interface ResourceExplanation {
  readonly resource: CheckResponse["results"][number]["resource"];
  /** Derived roles that were looked at. */
  readonly derivedRoles: readonly DerivedRoleTrial[];
  readonly actions: readonly ActionExplanation[];
}

export interface Explanation {
  readonly results: readonly ResourceExplanation[];
}

/** Most rules listed under one action, and most nodes evaluated of one condition. */
const MAX_LISTED = 8;
const MAX_NODES = 500;

const NO_RULE = 0xffffffff;

/** Explains every action of every resource of `request`. Throws what the port's `check` throws. */
export function explainRequest(request: CheckRequest, index: RuleIndex, port: ExplainPort): Explanation {
  // The request as a whole is checked first, so that limits and validation speak about what was asked.
  port.check({ ...request, includeMeta: true }, 0);
  return { results: request.resources.map((entry) => explainResource(request, entry, index, port)) };
}

/** One action's part of the trace. */
interface ActionTrace {
  readonly rules: { readonly rule: number; readonly role: number; readonly outcomes: number }[];
  decision: { readonly rule: number; readonly pass: number } | null;
}

function explainResource(
  request: CheckRequest,
  entry: CheckRequest["resources"][number],
  index: RuleIndex,
  port: ExplainPort,
): ResourceExplanation {
  const response = port.check({ ...request, includeMeta: true, resources: [entry] }, FLAG_TRACE);
  const { actions, derivedRoles } = readTrace(port.trace());
  const [result] = response.results;
  const conditions = new ConditionTracer(index, port);

  const trial = (event: ActionTrace["rules"][number]): RuleTrial[] => {
    const rule = index.rules[event.rule];
    if (rule === undefined) return [];
    const role = rule.policy.startsWith("principal.") ? "" : (request.principal.roles[event.role] ?? "");
    const [derivedRole, outcome] = [truth(event.outcomes >> 8), truth(event.outcomes & 0xff)];
    return [{ rule, role, derivedRole, outcome, condition: conditions.trace(rule.condition, rule.leaves) }];
  };

  return {
    resource: result?.resource ?? { id: entry.resource.id, kind: entry.resource.kind },
    derivedRoles: [...derivedRoles].flatMap(([id, outcome]) => {
      const role = index.derivedRoles[id];
      if (role === undefined) return [];
      return [{ role, outcome: truth(outcome), condition: conditions.trace(role.condition, role.leaves) }];
    }),
    actions: entry.actions.map((action, position): ActionExplanation => {
      const events = actions.get(position) ?? { rules: [], decision: null };
      const effect = result?.actions[action] ?? "EFFECT_DENY";
      const meta = result?.meta?.actions?.[action];
      const decidingRule = events.decision?.rule ?? NO_RULE;
      const deciding = events.rules.findLast((event) => event.rule === decidingRule);
      const rejected = effect === "EFFECT_DENY" ? closest(events, decidingRule, index).flatMap(trial) : [];
      return {
        action,
        effect,
        matchedPolicy: meta?.matchedPolicy ?? "NO_MATCH",
        matchedScope: meta?.matchedScope ?? "",
        decidedBy: passName(events.decision?.pass ?? 0),
        rule: deciding === undefined ? null : (trial(deciding)[0] ?? null),
        closest: rejected,
        rulesForKind:
          effect === "EFFECT_DENY" && events.rules.length === 0
            ? rulesForKind(entry.resource.kind, index).slice(0, MAX_LISTED)
            : [],
      };
    }),
  };
}

/** Splits the trace by action. Derived roles are traced once, when first needed, so they belong to the resource. */
function readTrace(words: Uint32Array): {
  readonly actions: ReadonlyMap<number, ActionTrace>;
  readonly derivedRoles: ReadonlyMap<number, number>;
} {
  const actions = new Map<number, ActionTrace>();
  const derivedRoles = new Map<number, number>();
  let current: ActionTrace = { rules: [], decision: null };
  for (let at = 0; at + TRACE_WORDS <= words.length; at += TRACE_WORDS) {
    const [event = 0, first = 0, second = 0, third = 0] = words.subarray(at, at + TRACE_WORDS);
    if (event === TRACE_ACTION) {
      current = { rules: [], decision: null };
      actions.set(second, current);
    } else if (event === TRACE_RULE) {
      current.rules.push({ rule: first, role: second, outcomes: third });
    } else if (event === TRACE_DERIVED_ROLE) {
      derivedRoles.set(first, second);
    } else if (event === TRACE_DECISION) {
      current.decision = { rule: second, pass: third };
    }
  }
  return { actions, derivedRoles };
}

/** Matching rules that did not decide, each once, allowing ones first. */
function closest(events: ActionTrace, decidingRule: number, index: RuleIndex): ActionTrace["rules"] {
  const seen = new Set([decidingRule]);
  const others = events.rules.filter((event) => {
    if (seen.has(event.rule)) return false;
    seen.add(event.rule);
    return true;
  });
  const rank = (event: ActionTrace["rules"][number]): number =>
    index.rules[event.rule]?.effect === "deny" ? 1 : 0;
  return others.sort((left, right) => rank(left) - rank(right)).slice(0, MAX_LISTED);
}

/** Rules of resource policies for a kind, in any version and scope. */
function rulesForKind(kind: string, index: RuleIndex): readonly RuleInfo[] {
  const prefix = `resource.${sanitiseName(kind)}.v`;
  return index.rules.filter((rule) => rule.policy.startsWith(prefix));
}

/** A resource kind as policy keys write it (COMPAT.md section 3). */
export function sanitiseName(name: string): string {
  const isPlain = /^[A-Za-z][\w@.\-/]*(:[A-Za-z][\w@.\-/]*)*$/.test(name);
  return isPlain ? name.replaceAll(/[^\w.]+/g, "_") : name;
}

/** Evaluates conditions node by node, each at most once; the texts are those of the rule that is explained. */
class ConditionTracer {
  readonly #index: RuleIndex;
  readonly #port: ExplainPort;
  readonly #known = new Map<number, { readonly truth: Truth; readonly error: string }>();

  constructor(index: RuleIndex, port: ExplainPort) {
    this.#index = index;
    this.#port = port;
  }

  /** The condition's trace; null for -1 (no condition) and for ids that the bundle does not have. */
  trace(id: number, leaves: readonly ConditionLeaf[]): ConditionTrace | null {
    return this.#node(id, [...leaves]);
  }

  /** Takes the texts of the leaves below `id` from the front of `leaves`. */
  #node(id: number, leaves: ConditionLeaf[]): ConditionTrace | null {
    const info = this.#index.conditions[id];
    const result = info === undefined ? undefined : this.#evaluate(id);
    if (info === undefined || result === undefined) return null;
    if (info.kind === "expr") return { kind: "expr", ...result, leaf: leaves.shift() ?? null, children: [] };
    const children = info.children
      .map((child) => this.#node(child, leaves))
      .filter((child) => child !== null);
    return { kind: info.kind, truth: result.truth, error: "", leaf: null, children };
  }

  #evaluate(id: number): { readonly truth: Truth; readonly error: string } | undefined {
    const known = this.#known.get(id);
    if (known !== undefined || this.#known.size >= MAX_NODES) return known;
    const outcome = truth(this.#port.evaluateCondition(id));
    const result = { truth: outcome, error: this.#port.conditionError() };
    this.#known.set(id, result);
    return result;
  }
}

function truth(outcome: number): Truth {
  if (outcome === OUTCOME_TRUE) return "true";
  return outcome === OUTCOME_FALSE ? "false" : "error";
}

function passName(pass: number): ActionExplanation["decidedBy"] {
  switch (pass) {
    case PASS_PRINCIPAL:
      return "principal policy";
    case PASS_RESOURCE:
      return "resource policy";
    case PASS_ROLE:
      return "role policy";
    default:
      return "no rule";
  }
}
