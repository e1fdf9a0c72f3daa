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
import { importedKeys, isModule } from "./imports.ts";
import { identify, isDisabled, Registry, type Definition, type Entry } from "./registry.ts";
import { duplicateActionRuleName } from "./rules/duplicate-action-rule-name.ts";
import { duplicateDerivedRole } from "./rules/duplicate-derived-role.ts";
import { duplicatePolicy } from "./rules/duplicate-policy.ts";
import { duplicateResourceEntry } from "./rules/duplicate-resource-entry.ts";
import { duplicateRuleName } from "./rules/duplicate-rule-name.ts";
import { invalidName } from "./rules/invalid-name.ts";
import { invalidSchema } from "./rules/invalid-schema.ts";
import { missingAncestor } from "./rules/missing-ancestor.ts";
import { missingImport } from "./rules/missing-import.ts";
import { rolePolicyScopePermissions } from "./rules/role-policy-scope-permissions.ts";
import { rolePolicyVersion } from "./rules/role-policy-version.ts";
import { ruleWithoutRoles } from "./rules/rule-without-roles.ts";
import { scopePermissionsConflict } from "./rules/scope-permissions-conflict.ts";
import { topLevelVariablesInExport } from "./rules/top-level-variables-in-export.ts";
import { SchemaDocuments } from "./schema-documents.ts";

type PolicyRule = (definition: Definition, registry: Registry) => void;

/** Rules of one enabled policy, whether or not something uses it. */
const DOCUMENT_RULES: readonly PolicyRule[] = [
  ruleWithoutRoles,
  duplicateRuleName,
  duplicateResourceEntry,
  duplicateActionRuleName,
  duplicateDerivedRole,
  topLevelVariablesInExport,
  rolePolicyScopePermissions,
  rolePolicyVersion,
  missingImport,
];

/** Rules of one policy that takes part in decisions. Those about names and derived roles run while it is built. */
const POLICY_RULES: readonly PolicyRule[] = [invalidName, invalidSchema];

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
export function resolve(loaded: Pick<Loaded, "documents" | "schemas" | "refused" | "failed">): Resolved {
  const diagnostics: Diagnostic[] = [];
  const enabled: Entry[] = [];
  for (const document of loaded.documents) {
    const entry = identify(document);
    if (entry === undefined || isDisabled(document)) {
      // Only the fields are checked.
      decodePolicy(rootSpot(document), new Reader(document, diagnostics));
    } else {
      enabled.push(entry);
    }
  }
  for (const document of loaded.refused) {
    decodePolicy(rootSpot(document), new Reader(document, diagnostics));
  }
  const failedTexts = loaded.failed.map(({ text }) => text);
  const schemas = new SchemaDocuments(loaded.schemas);
  const registry = new Registry(enabled, failedTexts, diagnostics, schemas);
  for (const rule of SET_RULES) {
    rule(registry);
  }
  const set = { ...buildPolicies(registry), schemas: loaded.schemas };
  return { set, diagnostics: diagnostics.sort(compareDiagnostics) };
}

/** Decodes, checks and builds policy by policy, those that are imported first. Sorted by key, as the entries are. */
function buildPolicies(registry: Registry): Omit<PolicySet, "schemas"> {
  const imported = importedKeys(registry);
  const modules = new Map<string, Definition>();
  for (const entry of registry.entries.filter(isModule)) {
    const used = imported.has(entry.key);
    const definition = checkPolicy(entry, registry, used);
    // What nobody imports decides nothing, so what it means is not judged.
    if (definition !== undefined && used && registry.get(entry.key) === entry) {
      modules.set(entry.key, definition);
    }
  }
  const names = new NamesInForce(modules);
  const derivedRoles = new DerivedRoles(modules, names);
  const resourcePolicies: ResourcePolicy[] = [];
  const principalPolicies: PrincipalPolicy[] = [];
  const rolePolicies: RolePolicy[] = [];
  for (const entry of registry.entries) {
    const definition = isModule(entry) ? undefined : checkPolicy(entry, registry, true);
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

/** Decodes a policy and applies the rules of one policy. @param used whether it takes part in decisions */
function checkPolicy(entry: Entry, registry: Registry, used: boolean): Definition | undefined {
  const reader = registry.reader(entry);
  const message = decodePolicy(rootSpot(entry.document), reader);
  if (message === undefined) {
    return undefined;
  }
  const definition = { ...entry, message, reader };
  for (const rule of used ? [...DOCUMENT_RULES, ...POLICY_RULES] : DOCUMENT_RULES) {
    rule(definition, registry);
  }
  return definition;
}
