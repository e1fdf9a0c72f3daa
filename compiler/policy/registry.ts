/**
 * Who is who: every policy document with its key, found by key. Built before the rules of the whole set run. Of two
 * policies with one key the first by file path is kept; duplicate-policy.ts reports the other.
 */
import { compareText } from "../diagnostics/codes.ts";
import type { PolicyMessage } from "./decode/policy-message.ts";
import type { Reader, Spot } from "./decode/spot.ts";
import { moduleKey, normaliseScope, policyKey, type PolicyKind } from "./names.ts";

/** One policy document, decoded. */
export interface Definition {
  readonly kind: PolicyKind;
  /** As written. */
  readonly name: string;
  /** "" for kinds without versions. */
  readonly version: string;
  /** Normalised; "" for the root and for kinds without scopes. */
  readonly scope: string;
  /** Policy key, e.g. `resource.leave_request.vdefault/acme.hr`. */
  readonly key: string;
  /** Spot of the kind, as in `$.resourcePolicy`. */
  readonly spot: Spot;
  readonly message: PolicyMessage;
  readonly reader: Reader;
}

const DEFAULT_VERSION = "default";

/** The definition that a decoded document is, or nothing when its kind or name could not be read. */
export function define(message: PolicyMessage, reader: Reader): Definition | undefined {
  const base = { message, reader };
  if (message.resourcePolicy?.resource !== undefined) {
    const { resource, version, scope, spot } = message.resourcePolicy;
    return { ...base, spot, ...versioned("resource", resource.value, version?.value, scope?.value) };
  }
  if (message.principalPolicy?.principal !== undefined) {
    const { principal, version, scope, spot } = message.principalPolicy;
    return { ...base, spot, ...versioned("principal", principal.value, version?.value, scope?.value) };
  }
  if (message.rolePolicy?.role !== undefined) {
    const { role, version, scope, spot } = message.rolePolicy;
    return { ...base, spot, ...versioned("role", role.value, version?.value, scope?.value) };
  }
  if (message.derivedRoles?.name !== undefined) {
    return { ...base, spot: message.derivedRoles.spot, ...module("derived_roles", message.derivedRoles.name.value) };
  }
  if (message.exportVariables?.name !== undefined) {
    const { name, spot } = message.exportVariables;
    return { ...base, spot, ...module("export_variables", name.value) };
  }
  if (message.exportConstants?.name !== undefined) {
    const { name, spot } = message.exportConstants;
    return { ...base, spot, ...module("export_constants", name.value) };
  }
  return undefined;
}

type Identity = Pick<Definition, "kind" | "name" | "version" | "scope" | "key">;

function versioned(
  kind: "resource" | "principal" | "role",
  name: string,
  version: string | undefined,
  scope: string | undefined,
): Identity {
  const actualVersion = version === undefined || version === "" ? DEFAULT_VERSION : version;
  const actualScope = normaliseScope(scope ?? "");
  const key = policyKey(kind, name, actualVersion, actualScope);
  return { kind, name, version: actualVersion, scope: actualScope, key };
}

function module(kind: "derived_roles" | "export_variables" | "export_constants", name: string): Identity {
  return { kind, name, version: "", scope: "", key: moduleKey(kind, name) };
}

export class Registry {
  /** Enabled definitions, sorted by key, then file. */
  readonly definitions: readonly Definition[];
  private readonly byKey = new Map<string, Definition>();
  private readonly failedTexts: readonly string[];

  /** @param failedTexts texts of the policy files that could not be read at all */
  constructor(definitions: readonly Definition[], failedTexts: readonly string[]) {
    this.failedTexts = failedTexts;
    this.definitions = [...definitions].sort(
      (a, b) => compareText(a.key, b.key) || compareText(a.reader.document.file, b.reader.document.file),
    );
    for (const definition of this.definitions) {
      if (!this.byKey.has(definition.key)) {
        this.byKey.set(definition.key, definition);
      }
    }
  }

  get(key: string): Definition | undefined {
    return this.byKey.get(key);
  }

  /**
   * Whether a name may well be defined in a file that could not be read: then a report that it is missing would only
   * repeat the report about that file.
   */
  mayBeUnreadable(name: string): boolean {
    return this.failedTexts.some((text) => text.includes(name));
  }
}
