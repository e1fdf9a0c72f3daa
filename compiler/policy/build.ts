/**
 * Decoded policies to the policies of the set. What is missing here has been reported by a decoder or a rule; the
 * values put in its place never decide anything, because a set with errors is not used.
 */
import type { Text } from "./decode/field.ts";
import type {
  PolicyMessage,
  PrincipalActionMessage,
  ResourceRuleMessage,
  RoleRuleMessage,
  SchemaMessage,
  ScopePermissionsName,
} from "./decode/policy-message.ts";
import { contentPlace, keyPlace, type Reader } from "./decode/spot.ts";
import type { DerivedRoles } from "./derived-roles.ts";
import { toMatch, toOutputs } from "./expressions.ts";
import { defaultRuleName, sanitiseName } from "./names.ts";
import type { NamesInForce } from "./names-in-force.ts";
import type {
  Effect,
  Match,
  Names,
  PrincipalPolicy,
  PrincipalRule,
  ResourcePolicy,
  ResourceRule,
  RolePolicy,
  RolePolicyRule,
  SchemaReference,
  ScopePermissions,
} from "./policy-set.ts";
import type { Definition } from "./registry.ts";

const NO_ANNOTATIONS: ReadonlyMap<string, string> = new Map();

export function buildResourcePolicy(
  definition: Definition,
  namesInForce: NamesInForce,
  derivedRoles: DerivedRoles,
): ResourcePolicy {
  const { message, reader, name } = definition;
  const policy = message.resourcePolicy;
  const names = namesInForce.of(definition);
  const imports = policy?.importDerivedRoles ?? [];
  const toRule = (rule: ResourceRuleMessage, index: number): ResourceRule => ({
    name: rule.name?.value || defaultRuleName(index),
    effect: toEffect(rule.effect),
    actions: valuesOf(rule.actions),
    roles: valuesOf(rule.roles),
    derivedRoles: derivedRoles.resolve(rule.derivedRoles ?? [], imports, definition),
    ...conditionOf(toMatch(rule.condition, reader, names)),
    outputs: toOutputs(rule.output, reader, names),
    place: keyPlace(reader.document, rule.spot),
  });
  const principalSchema = toSchema(policy?.schemas?.principalSchema, reader);
  const resourceSchema = toSchema(policy?.schemas?.resourceSchema, reader);
  return {
    ...baseOf(definition, names, policy?.scopePermissions),
    resource: sanitiseName(name),
    rules: (policy?.rules ?? []).map(toRule),
    ...(principalSchema === undefined ? {} : { principalSchema }),
    ...(resourceSchema === undefined ? {} : { resourceSchema }),
  };
}

export function buildPrincipalPolicy(definition: Definition, namesInForce: NamesInForce): PrincipalPolicy {
  const { message, reader, name } = definition;
  const policy = message.principalPolicy;
  const names = namesInForce.of(definition);
  const toRule = (resource: string, action: PrincipalActionMessage, index: number): PrincipalRule => ({
    name: action.name?.value || `${resource}_${defaultRuleName(index)}`,
    action: action.action?.value ?? "",
    effect: toEffect(action.effect),
    ...conditionOf(toMatch(action.condition, reader, names)),
    outputs: toOutputs(action.output, reader, names),
    place: keyPlace(reader.document, action.spot),
  });
  return {
    ...baseOf(definition, names, policy?.scopePermissions),
    principal: name,
    resources: (policy?.rules ?? []).map((entry) => {
      const resource = entry.resource?.value ?? "";
      return {
        resource,
        rules: (entry.actions ?? []).map((action, index) => toRule(resource, action, index)),
      };
    }),
  };
}

export function buildRolePolicy(definition: Definition, namesInForce: NamesInForce): RolePolicy {
  const { message, reader, name } = definition;
  const policy = message.rolePolicy;
  const names = namesInForce.of(definition);
  const toRule = (rule: RoleRuleMessage): RolePolicyRule => ({
    resource: rule.resource?.value ?? "",
    allowActions: valuesOf(rule.allowActions),
    name: rule.name?.value ?? "",
    ...conditionOf(toMatch(rule.condition, reader, names)),
    outputs: toOutputs(rule.output, reader, names),
    place: keyPlace(reader.document, rule.spot),
  });
  return {
    // scopePermissions does nothing in a role policy, so that it never disagrees with its scope.
    ...baseOf(definition, names, undefined),
    role: name,
    parentRoles: valuesOf(policy?.parentRoles),
    rules: (policy?.rules ?? []).map(toRule),
  };
}

function baseOf(definition: Definition, names: Names, permissions: ScopePermissionsName | undefined) {
  const { key, version, scope, message, reader, spot } = definition;
  return {
    key,
    version,
    scope,
    scopePermissions: toScopePermissions(permissions),
    annotations: annotationsOf(message),
    names,
    place: keyPlace(reader.document, spot),
  };
}

function toScopePermissions(name: ScopePermissionsName | undefined): ScopePermissions {
  return name === "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS"
    ? "require-parental-consent"
    : "override-parent";
}

function annotationsOf(message: PolicyMessage): ReadonlyMap<string, string> {
  const annotations = message.metadata?.annotations ?? [];
  return annotations.length === 0
    ? NO_ANNOTATIONS
    : new Map(annotations.map(({ key, value }) => [key, value.value]));
}

/** An effect that could not be read counts as a denial; the set it is in has an error and is not used. */
function toEffect(effect: string | undefined): Effect {
  return effect === "EFFECT_ALLOW" ? "allow" : "deny";
}

const NO_VALUES: readonly string[] = [];

function valuesOf(texts: readonly Text[] | undefined): readonly string[] {
  return texts === undefined || texts.length === 0 ? NO_VALUES : texts.map(({ value }) => value);
}

function conditionOf(match: Match | undefined): { condition?: Match } {
  return match === undefined ? {} : { condition: match };
}

function toSchema(schema: SchemaMessage | undefined, { document }: Reader): SchemaReference | undefined {
  return schema?.ref === undefined
    ? undefined
    : {
        ref: schema.ref.value,
        ignoreActions: valuesOf(schema.ignoreWhen?.actions),
        place: contentPlace(document, schema.ref.spot),
      };
}
