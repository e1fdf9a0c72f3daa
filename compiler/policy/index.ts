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
import { invariant } from "../diagnostics/invariant.ts";
import type { Loaded } from "../load/index.ts";
import { findByText } from "../load/sorted.ts";
import { buildPrincipalPolicy, buildResourcePolicy, buildRolePolicy } from "./build.ts";
import { decodePolicy } from "./decode/policy-message.ts";
import { Reader, rootSpot } from "./decode/spot.ts";
import { DerivedRoles } from "./derived-roles.ts";
import { NamesInForce } from "./names-in-force.ts";
import type { PolicySet, PrincipalPolicy, ResourcePolicy, RolePolicy } from "./policy-set.ts";
import { importedKeys, isModule } from "./imports.ts";
import { EntryIndex, Registry, type Definition, type Entry } from "./registry.ts";
import { ResolveCache, type Built } from "./resolve-cache.ts";
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

/**
 * Checks and resolves everything. A pure function of what was loaded; the order of documents does not matter.
 * @param cache kept by a caller that resolves again after edits; changes nothing but the time it takes
 */
export function resolve(
  loaded: Pick<Loaded, "documents" | "schemas" | "refused" | "failed">,
  cache = new ResolveCache(),
): Resolved {
  const patched = resolveEdit(loaded, cache);
  if (patched !== undefined) return patched;
  const diagnostics: Diagnostic[] = [];
  const enabled: Entry[] = [];
  cache.begin(loaded.schemas);
  for (const document of loaded.documents) {
    const entry = cache.identify(document);
    if (entry === undefined) {
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
  const registry = new Registry(EntryIndex.of(cache.presort(enabled)), failedTexts, diagnostics, schemas);
  for (const rule of SET_RULES) {
    rule(registry);
  }
  const resolution = new Resolution(registry, diagnostics, cache);
  const set = { ...resolution.run(), schemas: loaded.schemas };
  const isClean = diagnostics.length === 0 && loaded.refused.length === 0 && loaded.failed.length === 0;
  cache.end(registry, isClean ? { documents: loaded.documents, set, resolution, registry } : undefined);
  return { set, diagnostics: diagnostics.sort(compareDiagnostics) };
}

/**
 * The policies of the last resolution with a few of them decided anew: those whose documents were edited without touching what other
 * policies see of them. Nothing when that is not all that has changed, or when something is wrong with the edited ones.
 */
function resolveEdit(
  loaded: Pick<Loaded, "documents" | "schemas" | "refused" | "failed">,
  cache: ResolveCache,
): Resolved | undefined {
  const edits = cache.edits(loaded);
  const last = cache.last;
  if (edits === undefined || last === undefined) return undefined;
  const diagnostics: Diagnostic[] = [];
  const schemas = new SchemaDocuments(loaded.schemas);
  const registry = new Registry(last.registry.index.edit(edits), [], diagnostics, schemas);
  const resolution = last.resolution.continue(registry, diagnostics);
  const resourcePolicies = [...last.set.resourcePolicies];
  const principalPolicies = [...last.set.principalPolicies];
  for (const { after } of edits) {
    const built = resolution.policy(after);
    if (built === undefined || diagnostics.length > 0) return undefined;
    if (!replace(resourcePolicies, built.policy) && !replace(principalPolicies, built.policy))
      return undefined;
  }
  const set = { ...last.set, resourcePolicies, principalPolicies };
  cache.endEdits(edits, registry, { documents: loaded.documents, set, resolution, registry });
  return { set, diagnostics };
}

/** Puts a policy in the place of the one with its key, if that is in the list. */
function replace(policies: { readonly key: string }[], policy: { readonly key: string }): boolean {
  const index = findByText(policies, policy.key, ({ key }) => key);
  if (index < 0) return false;
  policies[index] = policy;
  return true;
}

/** Decodes, checks and builds policy by policy, those that are imported first. Sorted by key, as the entries are. */
class Resolution {
  #registry: Registry;
  #diagnostics: readonly Diagnostic[];
  readonly #cache: ResolveCache;
  #names: NamesInForce | undefined;
  #derived: DerivedRoles | undefined;

  constructor(registry: Registry, diagnostics: readonly Diagnostic[], cache: ResolveCache) {
    this.#registry = registry;
    this.#diagnostics = diagnostics;
    this.#cache = cache;
  }

  /** The same modules, for policies of another registry that differs in policies only. */
  continue(registry: Registry, diagnostics: readonly Diagnostic[]): this {
    this.#registry = registry;
    this.#diagnostics = diagnostics;
    return this;
  }

  run(): Omit<PolicySet, "schemas"> {
    const modules = this.#modules();
    const version = (key: string): string => this.#cache.version(key, this.#registry);
    this.#names = new NamesInForce(modules, this.#cache.names, version);
    this.#derived = this.#derivedRoles(modules, this.#names, version);
    const resourcePolicies: ResourcePolicy[] = [];
    const principalPolicies: PrincipalPolicy[] = [];
    const rolePolicies: RolePolicy[] = [];
    for (const entry of this.#registry.entries) {
      const built = isModule(entry) ? undefined : this.policy(entry);
      if (built?.kind === "resource") resourcePolicies.push(built.policy);
      else if (built?.kind === "principal") principalPolicies.push(built.policy);
      else if (built?.kind === "role") rolePolicies.push(built.policy);
    }
    return { resourcePolicies, principalPolicies, rolePolicies };
  }

  #modules(): ReadonlyMap<string, Definition> {
    const imported = importedKeys(this.#registry, (entry) => this.#cache.importsOf(entry));
    const modules = new Map<string, Definition>();
    for (const entry of this.#registry.entries.filter(isModule)) {
      const used = imported.has(entry.key);
      const signature = `${used} ${this.#cache.signature(entry, this.#registry)}`;
      const kept = this.#isKept(entry) ? this.#cache.definition(entry.document, signature) : undefined;
      const before = this.#diagnostics.length;
      // A kept one reports to the resolution that it was made in.
      const definition =
        kept === undefined
          ? checkPolicy(entry, this.#registry, used)
          : { ...kept, reader: this.#registry.reader(entry) };
      if (definition === undefined) continue;
      if (kept === undefined && this.#diagnostics.length === before && this.#isKept(entry)) {
        this.#cache.keepDefinition(entry.document, signature, definition);
      }
      // What nobody imports decides nothing, so what it means is not judged.
      if (used && this.#registry.get(entry.key) === entry) {
        modules.set(entry.key, definition);
      }
    }
    return modules;
  }

  #derivedRoles(
    modules: ReadonlyMap<string, Definition>,
    names: NamesInForce,
    version: (key: string) => string,
  ): DerivedRoles {
    const before = this.#diagnostics.length;
    const derivedRoles = new DerivedRoles(modules, names, this.#cache.derivedRoles, version);
    const isClean = this.#diagnostics.length === before && !this.#registry.hasFailed;
    this.#cache.derivedRoles = isClean
      ? new Map([...derivedRoles.all].map(([key, roles]) => [`${key} ${version(key)}`, roles]))
      : new Map();
    return derivedRoles;
  }

  /** One policy that decides, once the modules are known. */
  policy(entry: Entry): Built | undefined {
    const isKept = this.#isKept(entry);
    const signature = isKept ? this.#cache.signature(entry, this.#registry) : "";
    const kept = isKept ? this.#cache.policy(entry.document, signature) : undefined;
    if (kept !== undefined) return kept;
    this.#cache.resolved++;
    const before = this.#diagnostics.length;
    const definition = checkPolicy(entry, this.#registry, true);
    const names = this.#names;
    const derived = this.#derived;
    invariant(
      names !== undefined && derived !== undefined,
      "modules come before the policies that import them",
    );
    const built = definition === undefined ? undefined : build(definition, names, derived);
    if (built !== undefined && isKept && this.#diagnostics.length === before) {
      this.#cache.keepPolicy(entry.document, signature, built);
    }
    return built;
  }

  /** Whether what an entry comes to depends only on what its signature names. */
  #isKept(entry: Entry): boolean {
    return !this.#registry.hasFailed && this.#registry.get(entry.key) === entry;
  }
}

function build(definition: Definition, names: NamesInForce, derivedRoles: DerivedRoles): Built | undefined {
  switch (definition.kind) {
    case "resource":
      return { kind: "resource", policy: buildResourcePolicy(definition, names, derivedRoles) };
    case "principal":
      return { kind: "principal", policy: buildPrincipalPolicy(definition, names) };
    case "role":
      return { kind: "role", policy: buildRolePolicy(definition, names) };
    case "derived_roles":
    case "export_variables":
    case "export_constants":
      return undefined;
  }
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
