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
import type { PolicyDocument } from "../load/policy-document.ts";
import { buildPrincipalPolicy, buildResourcePolicy, buildRolePolicy } from "./build.ts";
import { decodePolicy } from "./decode/policy-message.ts";
import { Reader, rootSpot } from "./decode/spot.ts";
import { DerivedRoles } from "./derived-roles.ts";
import { NamesInForce } from "./names-in-force.ts";
import type { PolicySet, PrincipalPolicy, ResourcePolicy, RolePolicy } from "./policy-set.ts";
import { identify, isDisabled, Registry, type Definition, type Entry } from "./registry.ts";
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

/** Rules of one enabled policy among the others. Those about names and derived roles run while it is built. */
const POLICY_RULES: readonly ((definition: Definition, registry: Registry) => void)[] = [
  invalidName,
  rolePolicyVersion,
  missingImport,
];

/** Rules of all enabled policies together. */
const SET_RULES: readonly ((registry: Registry) => void)[] = [
  duplicatePolicy,
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
  const enabled: Entry[] = [];
  for (const document of loaded.documents) {
    const entry = identify(document);
    if (entry === undefined || isDisabled(document)) {
      decode(document, entry, diagnostics);
    } else {
      enabled.push(entry);
    }
  }
  const failedTexts = loaded.failed.map(({ text }) => text);
  const registry = new Registry(enabled, failedTexts, diagnostics);
  for (const rule of SET_RULES) {
    rule(registry);
  }
  const set = { ...buildPolicies(registry, diagnostics), schemas: loaded.schemas };
  return { set, diagnostics: diagnostics.sort(compareDiagnostics) };
}

/** Decodes a document and applies the rules of one policy by itself. */
function decode(
  document: PolicyDocument,
  entry: Entry | undefined,
  diagnostics: Diagnostic[],
): Definition | undefined {
  const reader = new Reader(document, diagnostics);
  const message = decodePolicy(rootSpot(document), reader);
  if (message === undefined || entry === undefined) {
    return undefined;
  }
  const definition = { ...entry, message, reader };
  for (const rule of DOCUMENT_RULES) {
    rule(definition);
  }
  return definition;
}

/** Decodes, checks and builds policy by policy, those that are imported first. Sorted by key, as the entries are. */
function buildPolicies(registry: Registry, diagnostics: Diagnostic[]): Omit<PolicySet, "schemas"> {
  const check = (entry: Entry): Definition | undefined => {
    const definition = decode(entry.document, entry, diagnostics);
    if (definition !== undefined) {
      for (const rule of POLICY_RULES) {
        rule(definition, registry);
      }
    }
    return definition;
  };
  const modules = new Map<string, Definition>();
  for (const entry of registry.entries.filter(isModule)) {
    const definition = check(entry);
    if (definition !== undefined && registry.get(entry.key) === entry) {
      modules.set(entry.key, definition);
    }
  }
  const names = new NamesInForce(modules);
  const derivedRoles = new DerivedRoles(modules, names);
  const resourcePolicies: ResourcePolicy[] = [];
  const principalPolicies: PrincipalPolicy[] = [];
  const rolePolicies: RolePolicy[] = [];
  for (const entry of registry.entries) {
    const definition = isModule(entry) ? undefined : check(entry);
    switch (definition?.kind) {
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
      case undefined:
        break;
    }
  }
  return { resourcePolicies, principalPolicies, rolePolicies };
}

/** Whether a policy only serves others, by import. */
function isModule({ kind }: Entry): boolean {
  return kind === "derived_roles" || kind === "export_variables" || kind === "export_constants";
}
