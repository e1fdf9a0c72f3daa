/**
 * Stage 2: documents to the checked policy set.
 *
 * Input: what stage 1 loaded (`Loaded`), documents in any order.
 * Output: a `PolicySet`, sorted by policy key: imports, derived roles, names and scopes resolved, disabled policies left
 * out. With errors in the diagnostics the set is partial and decides nothing.
 * Fails with: EDICT2xxx, problems of fields and of meaning. Expressions stay text: what they refer to is stage 3.
 */
import { compareDiagnostics } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { Loaded } from "../load/index.ts";
import { buildPrincipalPolicy, buildResourcePolicy, buildRolePolicy } from "./build.ts";
import { decodePolicy } from "./decode/policy-message.ts";
import { Reader, rootSpot } from "./decode/spot.ts";
import { DerivedRoles } from "./derived-roles.ts";
import { NamesInForce } from "./names-in-force.ts";
import type { PolicySet, PrincipalPolicy, ResourcePolicy, RolePolicy } from "./policy-set.ts";
import { define, Registry, type Definition } from "./registry.ts";
import { duplicateActionRuleName } from "./rules/duplicate-action-rule-name.ts";
import { duplicateDerivedRole } from "./rules/duplicate-derived-role.ts";
import { duplicatePolicy } from "./rules/duplicate-policy.ts";
import { duplicateResourceEntry } from "./rules/duplicate-resource-entry.ts";
import { duplicateRuleName } from "./rules/duplicate-rule-name.ts";
import { invalidName } from "./rules/invalid-name.ts";
import { missingAncestor } from "./rules/missing-ancestor.ts";
import { missingImport } from "./rules/missing-import.ts";
import { rolePolicyScopePermissions } from "./rules/role-policy-scope-permissions.ts";
import { rolePolicyVersion } from "./rules/role-policy-version.ts";
import { ruleWithoutRoles } from "./rules/rule-without-roles.ts";
import { scopePermissionsConflict } from "./rules/scope-permissions-conflict.ts";
import { topLevelVariablesInExport } from "./rules/top-level-variables-in-export.ts";

/** Rules of one policy by itself, in force for disabled policies too. */
const DOCUMENT_RULES: readonly ((definition: Definition) => void)[] = [
  ruleWithoutRoles,
  duplicateRuleName,
  duplicateResourceEntry,
  duplicateActionRuleName,
  duplicateDerivedRole,
  topLevelVariablesInExport,
  rolePolicyScopePermissions,
];

/** Rules of one enabled policy. */
const POLICY_RULES: readonly ((definition: Definition) => void)[] = [invalidName, rolePolicyVersion];

/** Rules of all enabled policies together. Those about names and derived roles run while the set is built. */
const SET_RULES: readonly ((registry: Registry) => void)[] = [
  duplicatePolicy,
  missingImport,
  missingAncestor,
  scopePermissionsConflict,
];

export interface Resolved {
  readonly set: PolicySet;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks and resolves everything. A pure function of what was loaded; the order of documents does not matter. */
export function resolve(loaded: Pick<Loaded, "documents" | "schemas" | "failed">): Resolved {
  const diagnostics: Diagnostic[] = [];
  const enabled: Definition[] = [];
  for (const document of loaded.documents) {
    const reader = new Reader(document, diagnostics);
    const message = decodePolicy(rootSpot(document), reader);
    const definition = message === undefined ? undefined : define(message, reader);
    if (definition === undefined) {
      continue;
    }
    applyAll(DOCUMENT_RULES, definition);
    if (definition.message.disabled !== true) {
      enabled.push(definition);
      applyAll(POLICY_RULES, definition);
    }
  }
  const registry = new Registry(
    enabled,
    loaded.failed.map(({ text }) => text),
  );
  applyAll(SET_RULES, registry);
  const set = { ...buildPolicies(registry), schemas: loaded.schemas };
  return { set, diagnostics: diagnostics.sort(compareDiagnostics) };
}

function applyAll<T>(rules: readonly ((subject: T) => void)[], subject: T): void {
  for (const rule of rules) {
    rule(subject);
  }
}

/** The definitions come sorted by key, so the policies do. */
function buildPolicies(registry: Registry): Omit<PolicySet, "schemas"> {
  const names = new NamesInForce(registry);
  const derivedRoles = new DerivedRoles(registry, names);
  const resourcePolicies: ResourcePolicy[] = [];
  const principalPolicies: PrincipalPolicy[] = [];
  const rolePolicies: RolePolicy[] = [];
  for (const definition of registry.definitions) {
    switch (definition.kind) {
      case "resource":
        resourcePolicies.push(buildResourcePolicy(definition, names, derivedRoles));
        break;
      case "principal":
        principalPolicies.push(buildPrincipalPolicy(definition, names));
        break;
      case "role":
        rolePolicies.push(buildRolePolicy(definition, names));
        break;
      case "derived_roles":
      case "export_variables":
      case "export_constants":
        break;
    }
  }
  return { resourcePolicies, principalPolicies, rolePolicies };
}
