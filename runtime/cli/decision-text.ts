/** Decisions and their explanations as text for a terminal. */
import type { SourcePlace } from "../bundle/rule-index.ts";
import type {
  ActionExplanation,
  ConditionTrace,
  DerivedRoleTrial,
  Explanation,
  RuleTrial,
} from "../guest/explain.ts";
import type { CheckRequest, CheckResponse, Effect } from "../guest/messages.ts";

/** One line per action, grouped by resource, in the order of the request (a response sorts its actions). */
export function actionLines(response: CheckResponse, request: CheckRequest): string[] {
  return response.results.flatMap((result, index) => {
    const names = request.resources[index]?.actions ?? Object.keys(result.actions);
    const width = Math.max(0, ...names.map((name) => name.length));
    return [
      `  ${resourceName(result.resource)}`,
      ...names.map((name) => {
        const meta = result.meta?.actions?.[name];
        const policy = meta === undefined ? "" : `  ${matched(meta.matchedPolicy, meta.matchedScope ?? "")}`;
        return `    ${word(result.actions[name] ?? "EFFECT_DENY")}  ${name.padEnd(width)}${policy}`.trimEnd();
      }),
    ];
  });
}

/** Everything an explanation holds. */
export function explanationLines(explanation: Explanation): string[] {
  return explanation.results.flatMap((result) => [
    resourceName(result.resource),
    ...derivedRoleLines(result.derivedRoles),
    ...result.actions.flatMap((action) => ["", ...actionExplanation(action)]),
    "",
  ]);
}

/** Why single actions of one resource were decided as they were. */
export function actionTraceLines(explanation: Explanation, names: readonly string[]): string[] {
  return explanation.results.flatMap((result) => [
    ...derivedRoleLines(result.derivedRoles),
    ...result.actions.filter(({ action }) => names.includes(action)).flatMap(actionExplanation),
  ]);
}

function actionExplanation(action: ActionExplanation): string[] {
  const lines = [`  ${word(action.effect)}  ${action.action}`];
  const policy = matched(action.matchedPolicy, action.matchedScope);
  if (action.rule !== null) {
    lines.push(`    decided by ${ruleName(action.rule)} of ${action.decidedBy} ${action.rule.rule.policy}`);
    lines.push(`      at ${placeText(action.rule.rule.place)}${roleText(action.rule)}`);
    lines.push(...conditionLines(action.rule.condition, 3));
  } else if (action.decidedBy === "role policy") {
    lines.push(`    denied because role policy ${policy} does not list the action`);
  } else if (action.matchedPolicy === "NO_MATCH") {
    lines.push("    denied because no policy matches this kind of resource, version and scope");
  } else {
    lines.push(`    denied because no rule allows it (${policy})`);
  }
  if (action.closest.length > 0) {
    lines.push("    other rules that matched:");
    for (const trial of action.closest) lines.push(...closestLines(trial));
  } else if (action.rulesForKind.length > 0) {
    lines.push("    no rule covers this action for these roles; rules for this kind:");
    for (const rule of action.rulesForKind) {
      lines.push(`      ${rule.effect} ${rule.name === "" ? "rule" : rule.name} at ${placeText(rule.place)}`);
    }
  }
  return lines;
}

function closestLines(trial: RuleTrial): string[] {
  const reason =
    trial.derivedRole === "true"
      ? conditionReason(trial)
      : `the derived role it needs ${isText(trial.derivedRole)}`;
  const lines = [
    `      ${trial.rule.effect} ${ruleName(trial)} at ${placeText(trial.rule.place)}: ${reason}`,
  ];
  if (trial.derivedRole === "true") lines.push(...conditionLines(trial.condition, 4));
  return lines;
}

function conditionReason(trial: RuleTrial): string {
  if (trial.condition === null) return "it held, but another scope or role decided";
  return trial.outcome === "true"
    ? "its condition held, but another rule decided"
    : `its condition ${isText(trial.outcome)}`;
}

function isText(truth: string): string {
  return truth === "error" ? "ended in an error" : `is ${truth}`;
}

function derivedRoleLines(trials: readonly DerivedRoleTrial[]): string[] {
  if (trials.length === 0) return [];
  const lines = ["  derived roles:"];
  for (const { role, outcome, condition } of trials) {
    const state = outcome === "true" ? "active" : outcome === "error" ? "error" : "not active";
    lines.push(`    ${role.name}: ${state} (${role.origin}, ${placeText(role.place)})`);
    if (outcome !== "true") lines.push(...conditionLines(condition, 3));
  }
  return lines;
}

/** A condition as a tree: the truth of every node, and the place of every expression. */
function conditionLines(condition: ConditionTrace | null, level: number): string[] {
  if (condition === null) return [];
  const indent = "  ".repeat(level);
  if (condition.kind === "expr") {
    const text = condition.leaf?.text.replaceAll(/\s+/g, " ").trim() ?? "";
    const place = condition.leaf === null ? "" : `  (${placeText(condition.leaf.place)})`;
    const error = condition.error === "" ? "" : `: ${condition.error}`;
    return [`${indent}${condition.truth.padEnd(5)} ${text}${place}${error}`];
  }
  const title = `${indent}${condition.truth.padEnd(5)} ${condition.kind} of`;
  return [title, ...condition.children.flatMap((child) => conditionLines(child, level + 1))];
}

function ruleName(trial: RuleTrial): string {
  return trial.rule.name === "" ? "an unnamed rule" : `rule ${trial.rule.name}`;
}

function roleText(trial: RuleTrial): string {
  return trial.role === "" ? "" : `, for role ${trial.role}`;
}

function placeText(place: SourcePlace): string {
  return `${place.file}:${place.line}:${place.column}`;
}

function resourceName(resource: {
  readonly kind: string;
  readonly id: string;
  readonly scope?: string;
}): string {
  const scope = resource.scope === undefined || resource.scope === "" ? "" : ` in ${resource.scope}`;
  return `${resource.kind} ${resource.id}${scope}`;
}

function matched(policy: string, scope: string): string {
  return scope === "" ? policy : `${policy} (scope ${scope})`;
}

function word(effect: Effect): string {
  return effect === "EFFECT_ALLOW" ? "ALLOW" : "DENY ";
}
