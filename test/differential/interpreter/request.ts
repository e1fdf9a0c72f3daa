/** CheckResources requests and responses as plain objects (COMPAT.md section 10.2), and the inputs they give to CEL. */
import type { InputName } from "../../../compiler/cel/expression.ts";
import type { Program } from "../../../compiler/ir/program.ts";
import type { JsonValue } from "../../../compiler/policy/policy-set.ts";
import type { Inputs } from "./expressions.ts";
import { error, fromGlobals, fromJson, list, string, type MessageField, type Value } from "./values.ts";

export type Attributes = Readonly<Record<string, JsonValue>>;

export interface Principal {
  readonly id: string;
  readonly roles: readonly string[];
  readonly attr?: Attributes;
  readonly policyVersion?: string;
  readonly scope?: string;
}

export interface Resource {
  readonly kind: string;
  readonly id: string;
  readonly attr?: Attributes;
  readonly policyVersion?: string;
  readonly scope?: string;
}

export interface ResourceEntry {
  readonly actions: readonly string[];
  readonly resource: Resource;
}

export interface CheckRequest {
  readonly requestId?: string;
  readonly includeMeta?: boolean;
  readonly principal: Principal;
  readonly resources: readonly ResourceEntry[];
  /** Claims of already verified tokens. */
  readonly auxData?: {
    readonly jwt?: Attributes;
    readonly jwts?: Readonly<Record<string, { readonly claims?: Attributes }>>;
  };
}

export interface OutputEntry {
  readonly src: string;
  readonly val?: JsonValue;
  readonly action: string;
  readonly error?: string;
}

export interface ActionMeta {
  readonly matchedPolicy: string;
  readonly matchedScope?: string;
}

/** What a JSON schema finds wrong with the attributes. */
export interface ValidationError {
  readonly path?: string;
  readonly message: string;
  readonly source: "SOURCE_PRINCIPAL" | "SOURCE_RESOURCE";
}

export interface ResultEntry {
  readonly resource: Omit<Resource, "attr">;
  readonly actions: Readonly<Record<string, "EFFECT_ALLOW" | "EFFECT_DENY">>;
  readonly meta?: {
    readonly actions: Readonly<Record<string, ActionMeta>>;
    readonly effectiveDerivedRoles?: readonly string[];
  };
  readonly outputs?: readonly OutputEntry[];
  readonly validationErrors?: readonly ValidationError[];
}

export interface CheckResponse {
  readonly requestId?: string;
  readonly results: readonly ResultEntry[];
}

/** Where the inputs of one resource entry come from. */
export interface InputSource {
  readonly program: Program;
  readonly request: CheckRequest;
  readonly resource: Resource;
  /** Nanoseconds since the epoch. */
  readonly now: bigint;
  readonly globals: Attributes;
  /** The action being decided. */
  action?: string;
}

/** `runtime.effectiveDerivedRoles`: the current scope's, or the names of those whose condition failed. */
export interface RuntimeRoles {
  readonly active: readonly string[];
  readonly failed: readonly string[];
}

export const NO_RUNTIME_ROLES: RuntimeRoles = { active: [], failed: [] };

/** The inputs of expressions for one resource entry at one scope. */
export function inputsOf(source: InputSource, runtime: RuntimeRoles): Inputs {
  return {
    input: (name) => inputValue(source, runtime, name),
    attribute: (slot) => {
      const attribute = source.program.attributes[slot];
      const owner = attribute?.root === "principal" ? source.request.principal : source.resource;
      const attr = owner.attr ?? {};
      if (attribute === undefined || !Object.hasOwn(attr, attribute.key)) return undefined;
      return fromJson(attr[attribute.key] ?? null);
    },
  };
}

function inputValue(source: InputSource, runtime: RuntimeRoles, name: InputName): Value {
  const { principal, auxData } = source.request;
  const { resource } = source;
  switch (name) {
    case "request":
      return message("cerbos.engine.v1.Request", [
        field("principal", principalMessage(principal), true),
        field("resource", resourceMessage(resource), true),
        field("auxData", inputValue(source, runtime, "auxData"), auxData !== undefined, "aux_data"),
      ]);
    case "principal":
      return principalMessage(principal);
    case "principal.id":
      return string(principal.id);
    case "principal.roles":
      return list(principal.roles.map(string));
    case "principal.attr":
      return fromJson({ ...principal.attr });
    case "principal.policyVersion":
      return string(principal.policyVersion ?? "");
    case "principal.scope":
      return string(scopeText(principal.scope));
    case "resource":
      return resourceMessage(resource);
    case "resource.kind":
      return string(resource.kind);
    case "resource.id":
      return string(resource.id);
    case "resource.attr":
      return fromJson({ ...resource.attr });
    case "resource.policyVersion":
      return string(resource.policyVersion ?? "");
    case "resource.scope":
      return string(scopeText(resource.scope));
    case "auxData":
      return message("cerbos.engine.v1.AuxData", [
        field("jwt", fromJson({ ...auxData?.jwt }), auxData?.jwt !== undefined),
        field(
          "jwts",
          inputValue(source, runtime, "auxData.jwts"),
          Object.keys(auxData?.jwts ?? {}).length > 0,
        ),
      ]);
    case "auxData.jwt":
      return fromJson({ ...auxData?.jwt });
    case "auxData.jwts":
      return fromJson(
        Object.fromEntries(
          Object.entries(auxData?.jwts ?? {}).map(([token, { claims }]) => [
            token,
            { claims: { ...claims } },
          ]),
        ),
      );
    case "action":
      return fromJson({ name: source.action ?? "", properties: {} });
    case "action.name":
      return string(source.action ?? "");
    // Requests of this API have neither.
    case "action.properties":
    case "context":
      return fromJson({});
    case "runtime":
      return (
        runtimeFailure(runtime) ??
        message("cerbos.engine.v1.Runtime", [
          field(
            "effectiveDerivedRoles",
            list(runtime.active.map(string)),
            runtime.active.length > 0,
            "effective_derived_roles",
          ),
        ])
      );
    case "runtime.effectiveDerivedRoles":
      return runtimeFailure(runtime) ?? list(runtime.active.map(string));
    case "globals":
      return fromGlobals({ ...source.globals });
    case "now":
      return { kind: "timestamp", nanos: source.now };
  }
}

function runtimeFailure({ failed }: RuntimeRoles): Value | undefined {
  return failed.length === 0
    ? undefined
    : error(`failed to compute effective derived roles [${failed.join(", ")}]`);
}

/** A leading `.` names the root; expressions see the scope without it. */
export function scopeText(scope: string | undefined): string {
  return scope === undefined ? "" : scope.replace(/^\./u, "");
}

function message(name: string, fields: readonly MessageField[]): Value {
  return { kind: "message", name, fields };
}

function field(name: string, value: Value, set: boolean, alias?: string): MessageField {
  return alias === undefined ? { name, value, set } : { name, value, set, alias };
}

function text(name: string, value: string, alias?: string): MessageField {
  return field(name, string(value), value !== "", alias);
}

function attributesField(attr: Attributes | undefined): MessageField {
  return field("attr", fromJson({ ...attr }), attr !== undefined && Object.keys(attr).length > 0);
}

function principalMessage(principal: Principal): Value {
  return message("cerbos.engine.v1.Request.Principal", [
    text("id", principal.id),
    field("roles", list(principal.roles.map(string)), principal.roles.length > 0),
    attributesField(principal.attr),
    text("policyVersion", principal.policyVersion ?? "", "policy_version"),
    text("scope", scopeText(principal.scope)),
  ]);
}

function resourceMessage(resource: Resource): Value {
  return message("cerbos.engine.v1.Request.Resource", [
    text("kind", resource.kind),
    text("id", resource.id),
    attributesField(resource.attr),
    text("policyVersion", resource.policyVersion ?? "", "policy_version"),
    text("scope", scopeText(resource.scope)),
  ]);
}
