/**
 * The preparation of an evaluation (COMPAT.md 5.1): in which scopes to look, which policies exist there, and what decisions
 * are attributed to. Rules are not looked at.
 */
import type { Program } from "../../../compiler/ir/program.ts";
import { matchesName, policyKey, sanitise, scopeChain } from "./names.ts";
import { scopeText, type CheckRequest, type Resource } from "./request.ts";
import type { EngineSettings } from "./settings.ts";
import { NO_MATCH, type Pass } from "./verdict.ts";

export interface Passes {
  readonly principal: Pass;
  readonly resource: Pass;
}

/** Undefined when nothing could match: every action is denied as `NO_MATCH`. */
export function passesOf(
  program: Program,
  { principal }: CheckRequest,
  resource: Resource,
  settings: EngineSettings,
): Passes | undefined {
  const { resources, principals, roles } = program;
  const kind = sanitise(resource.kind);
  const version = resource.policyVersion || settings.defaultPolicyVersion;
  const principalVersion = principal.policyVersion || settings.defaultPolicyVersion;
  const principalScopes = scopesOf(principal.scope, new Set(principals.map(({ scope }) => scope)), settings);
  // A role policy without rules does not make its scope exist; a resource or principal policy without rules does.
  const roleScopes = roles.filter(({ rows }) => rows.length > 0).map(({ scope }) => scope);
  const resourceScopes = scopesOf(
    resource.scope,
    new Set([...resources.map(({ scope }) => scope), ...roleScopes]),
    settings,
  );
  // The principal's own name is not compared: anybody's policy of that version makes the pass attributable.
  const principalExists = principals.some(
    (each) => each.version === principalVersion && principalScopes.includes(each.scope),
  );
  const resourceExists =
    resources.some(
      (each) => each.resource === kind && each.version === version && resourceScopes.includes(each.scope),
    ) ||
    roles.some(
      (each) =>
        each.version === version &&
        resourceScopes.includes(each.scope) &&
        each.rows.some((row) => matchesName(row.resource, kind)),
    );
  if (!principalExists && !resourceExists) return undefined;
  return {
    principal: {
      scopes: principalScopes,
      key: principalExists
        ? policyKey("principal", principal.id, principalVersion, principalScopes[0] ?? "")
        : NO_MATCH,
    },
    resource: {
      scopes: resourceScopes,
      key: resourceExists ? policyKey("resource", resource.kind, version, resourceScopes[0] ?? "") : NO_MATCH,
    },
  };
}

/** The requested scope: `.` is the root even when there is a default scope. */
export function requestedScope(requested: string | undefined, settings: EngineSettings): string {
  return scopeText(requested || settings.defaultScope);
}

/** The found scope and its existing ancestors, leaf first; empty when there is none. */
function scopesOf(
  requested: string | undefined,
  existing: ReadonlySet<string>,
  settings: EngineSettings,
): readonly string[] {
  const chain = scopeChain(requestedScope(requested, settings));
  const found = chain.filter((scope) => existing.has(scope));
  return settings.lenientScopeSearch || found[0] === chain[0] ? found : [];
}
