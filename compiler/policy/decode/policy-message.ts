/**
 * The fields of a policy file, kind by kind, with the shapes that their values must have (COMPAT.md section 2). A table
 * in code: the types that later steps use are inferred from it.
 */
import { anyValue, flag, item, list, mapOf, oneOf, text, type Decoder, type TextShape } from "./field.ts";
import { SCOPE_PATTERN } from "../names.ts";
import { message } from "./message.ts";
import type { Spot } from "./spot.ts";

const API_VERSION: TextShape = {
  pattern: /^api\.cerbos\.dev\/v1$/,
  what: "apiVersion",
  advice: "write `api.cerbos.dev/v1`",
};

/** Resource kinds, principal ids and role names of policies. */
const SUBJECT: TextShape = {
  pattern: /^[^!*?[\]{}]+$/,
  what: "name",
  advice: "remove the characters `! * ? [ ] { }`: a policy is for one name",
};

const VERSION: TextShape = { pattern: /^\w+$/, what: "version", advice: "use letters, digits and `_`" };

const SCOPE: TextShape = {
  pattern: SCOPE_PATTERN,
  what: "scope",
  advice: "write names of letters, digits, `_` and `-` with single dots between them, as in `acme.hr`",
};

/** Names of derived roles, and of policies that are imported. */
const MODULE_NAME: TextShape = {
  pattern: /^[\w\-.]+$/,
  what: "name",
  advice: "use letters, digits, `_`, `-` and `.`",
};

const RULE_NAME: TextShape = {
  pattern: /^[a-zA-Z][\w@.-]*$/,
  what: "rule name",
  advice: "start with a letter and use letters, digits and `_ @ . -`",
};

const effect = oneOf(["EFFECT_UNSPECIFIED", "EFFECT_ALLOW", "EFFECT_DENY"]);

const scopePermissions = oneOf([
  "SCOPE_PERMISSIONS_UNSPECIFIED",
  "SCOPE_PERMISSIONS_OVERRIDE_PARENT",
  "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS",
]);

const imports = list(item(MODULE_NAME), { unique: true });

const variables = message({ import: { decode: imports }, local: { decode: mapOf(text()) } });

const constants = message({ import: { decode: imports }, local: { decode: mapOf(anyValue) } });

/** A match, whose inner matches are of the same type; spelled out because an inferred type cannot refer to itself. */
export interface MatchMessage {
  readonly spot: Spot;
  readonly expr: { readonly value: string; readonly spot: Spot } | undefined;
  readonly all: MatchListMessage | undefined;
  readonly any: MatchListMessage | undefined;
  readonly none: MatchListMessage | undefined;
}

export interface MatchListMessage {
  readonly spot: Spot;
  readonly of: readonly MatchMessage[] | undefined;
}

const match: Decoder<MatchMessage> = (spot, reader) => decodeMatch(spot, reader);

const matchList = message({ of: { decode: list(match), required: true } });

const decodeMatch: Decoder<MatchMessage> = message(
  {
    all: { decode: matchList, choice: "operator" },
    any: { decode: matchList, choice: "operator" },
    none: { decode: matchList, choice: "operator" },
    expr: { decode: text(), choice: "operator" },
  },
  { requiredChoices: ["operator"] },
);

const condition = message(
  { match: { decode: match, choice: "condition" }, script: { decode: text(), choice: "condition" } },
  { requiredChoices: ["condition"] },
);

const output = message({
  expr: { decode: text() },
  when: { decode: message({ ruleActivated: { decode: text() }, conditionNotMet: { decode: text() } }) },
});

const schema = message({
  ref: { decode: text(), required: true },
  ignoreWhen: { decode: message({ actions: { decode: list(item(), { unique: true }), required: true } }) },
});

const schemas = message({ principalSchema: { decode: schema }, resourceSchema: { decode: schema } });

const resourceRule = message({
  actions: { decode: list(item(), { unique: true }), required: true },
  derivedRoles: { decode: list(item(MODULE_NAME), { unique: true }) },
  roles: { decode: list(item(), { unique: true }) },
  condition: { decode: condition },
  effect: { decode: effect, required: true },
  name: { decode: text(RULE_NAME) },
  output: { decode: output },
});

const resourcePolicy = message({
  resource: { decode: text(SUBJECT), required: true },
  version: { decode: text(VERSION), required: true },
  importDerivedRoles: { decode: imports },
  rules: { decode: list(resourceRule) },
  scope: { decode: text(SCOPE) },
  schemas: { decode: schemas },
  variables: { decode: variables },
  constants: { decode: constants },
  scopePermissions: { decode: scopePermissions },
});

const principalAction = message({
  action: { decode: text(), required: true },
  condition: { decode: condition },
  effect: { decode: effect, required: true },
  name: { decode: text(RULE_NAME) },
  output: { decode: output },
});

const principalRule = message({
  resource: { decode: text(), required: true },
  actions: { decode: list(principalAction), required: true },
});

const principalPolicy = message({
  principal: { decode: text(SUBJECT), required: true },
  version: { decode: text(VERSION), required: true },
  rules: { decode: list(principalRule) },
  scope: { decode: text(SCOPE) },
  variables: { decode: variables },
  constants: { decode: constants },
  scopePermissions: { decode: scopePermissions },
});

const roleDefinition = message({
  name: { decode: text(MODULE_NAME), required: true },
  parentRoles: { decode: list(item(), { unique: true }), required: true },
  condition: { decode: condition },
});

const derivedRoles = message({
  name: { decode: text(MODULE_NAME), required: true },
  definitions: { decode: list(roleDefinition), required: true },
  variables: { decode: variables },
  constants: { decode: constants },
});

const roleRule = message({
  resource: { decode: text(), required: true },
  allowActions: { decode: list(item(), { unique: true }), required: true },
  condition: { decode: condition },
  name: { decode: text(RULE_NAME) },
  output: { decode: output },
});

const rolePolicy = message({
  role: { decode: text(SUBJECT), required: true },
  version: { decode: text(VERSION) },
  parentRoles: { decode: list(item(), { unique: true }) },
  scope: { decode: text(SCOPE) },
  rules: { decode: list(roleRule) },
  variables: { decode: variables },
  constants: { decode: constants },
  scopePermissions: { decode: scopePermissions },
});

const exportVariables = message({
  name: { decode: text(MODULE_NAME), required: true },
  definitions: { decode: mapOf(text()) },
});

const exportConstants = message({
  name: { decode: text(MODULE_NAME), required: true },
  definitions: { decode: mapOf(anyValue) },
});

const metadata = message({
  sourceFile: { decode: text() },
  annotations: { decode: mapOf(text()) },
  hash: { decode: text() },
  storeIdentifer: { decode: text() },
  storeIdentifier: { decode: text() },
  sourceAttributes: { decode: message({ attributes: { decode: mapOf(anyValue) } }) },
});

const policy = message(
  {
    apiVersion: { decode: text(API_VERSION), required: true },
    disabled: { decode: flag },
    description: { decode: text() },
    metadata: { decode: metadata },
    variables: { decode: mapOf(text()) },
    resourcePolicy: { decode: resourcePolicy, choice: "kind" },
    principalPolicy: { decode: principalPolicy, choice: "kind" },
    derivedRoles: { decode: derivedRoles, choice: "kind" },
    rolePolicy: { decode: rolePolicy, choice: "kind" },
    exportVariables: { decode: exportVariables, choice: "kind" },
    exportConstants: { decode: exportConstants, choice: "kind" },
  },
  { requiredChoices: ["kind"], ignored: ["$schema"] },
);

type Decoded<D> = D extends Decoder<infer T> ? T : never;

export type PolicyMessage = Decoded<typeof policy>;
export type ResourcePolicyMessage = Decoded<typeof resourcePolicy>;
export type ResourceRuleMessage = Decoded<typeof resourceRule>;
export type PrincipalPolicyMessage = Decoded<typeof principalPolicy>;
export type PrincipalRuleMessage = Decoded<typeof principalRule>;
export type PrincipalActionMessage = Decoded<typeof principalAction>;
export type DerivedRolesMessage = Decoded<typeof derivedRoles>;
export type RolePolicyMessage = Decoded<typeof rolePolicy>;
export type RoleRuleMessage = Decoded<typeof roleRule>;
export type ExportVariablesMessage = Decoded<typeof exportVariables>;
export type ExportConstantsMessage = Decoded<typeof exportConstants>;
export type VariablesMessage = Decoded<typeof variables>;
export type ConstantsMessage = Decoded<typeof constants>;
export type ConditionMessage = Decoded<typeof condition>;
export type OutputMessage = Decoded<typeof output>;
export type SchemaMessage = Decoded<typeof schema>;
export type ScopePermissionsName = Decoded<typeof scopePermissions>;

export const decodePolicy: Decoder<PolicyMessage> = policy;
