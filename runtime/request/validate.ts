/**
 * Says everything that is wrong with a request that decodes but breaks a rule, in the words and the order of Cerbos
 * (COMPAT.md 10.2, 10.3). The guest has already refused the request; this only explains, on the error path, and
 * never accepts anything.
 */
import { Unpackr } from "msgpackr";
import {
  FORMAT_MSGPACK,
  INVALID_ACTION_EMPTY,
  INVALID_ACTION_REPEATED,
  INVALID_AUX_DATA_BOTH,
  INVALID_AUX_DATA_TOKEN,
  INVALID_NO_ACTIONS,
  INVALID_NO_RESOURCES,
  INVALID_NO_ROLES,
  INVALID_PRINCIPAL_ID,
  INVALID_PRINCIPAL_SCOPE,
  INVALID_PRINCIPAL_VERSION,
  INVALID_RESOURCE_ID,
  INVALID_RESOURCE_KIND,
  INVALID_RESOURCE_SCOPE,
  INVALID_RESOURCE_VERSION,
  INVALID_ROLE_EMPTY,
  INVALID_ROLE_REPEATED,
} from "../../assembly/abi.ts";
import { RequestError } from "../errors.ts";

/** One step of a violation's field path, in the form of `buf.validate.FieldPathElement`. */
interface PathElement {
  readonly fieldNumber: number;
  readonly fieldName: string;
  readonly fieldType: "TYPE_STRING" | "TYPE_MESSAGE";
  readonly index?: string;
  readonly keyType?: "TYPE_STRING";
  readonly valueType?: "TYPE_MESSAGE";
  readonly stringKey?: string;
}

/** A broken rule, in the form of `buf.validate.Violation` without the rule's own path. */
export interface Violation {
  readonly field: { readonly elements: readonly PathElement[] };
  readonly ruleId:
    | "required"
    | "repeated.unique"
    | "string.min_len"
    | "string.pattern"
    | "AuxData.only_one_jwt_field";
  readonly message: string;
  readonly forKey?: true;
}

type Message = Readonly<Record<string, unknown>>;

/** Most violations listed; a hostile request could break a rule millions of times. */
const MAX_VIOLATIONS = 100;

const VERSION_PATTERN = /^[\w]*$/;
const SCOPE_PATTERN = /^(^$|\.|[0-9a-zA-Z][\w-]*(\.\w[\w-]*)*)$/;
/** The patterns as Cerbos writes them. */
const VERSION_TEXT = String.raw`^[\w]*$`;
const SCOPE_TEXT = String.raw`^(^$|\.|[0-9a-zA-Z][\w\-]*(\.\w[\w\-]*)*)$`;

/** Decodes a request that the guest found well-formed. Undecodable bytes give an empty message. */
export function decodeRequest(bytes: Uint8Array, format: number): unknown {
  try {
    if (format === FORMAT_MSGPACK)
      return new Unpackr({ useRecords: false, mapsAsObjects: true }).unpack(bytes);
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return {};
  }
}

/** Every rule that the request breaks, at most `MAX_VIOLATIONS`. */
export function validateRequest(request: unknown): readonly Violation[] {
  const collector = new Collector();
  const root = message(request);
  const principal = field(root, "principal");
  const principalPath = [element(3, "principal")];
  if (principal === undefined) collector.required(principalPath);
  else checkPrincipal(collector, message(principal), principalPath);

  const resources = list(field(root, "resources"));
  if (resources.length === 0) collector.required([element(4, "resources")]);
  for (const [index, entry] of resources.entries()) {
    if (collector.full) break;
    checkEntry(collector, message(entry), [{ ...element(4, "resources"), index: `${index}` }]);
  }
  checkAuxData(collector, message(field(root, "auxData")));
  const annotations = field(message(field(root, "requestContext")), "annotations");
  collector.keys(annotations, [element(6, "request_context")], element(1, "annotations"));
  return collector.violations;
}

/**
 * The first rule that a request breaks, as the guest says it: `rule` is INVALID_*, `index` that of the resource. For bodies so
 * large that reading them again would take longer than deciding them.
 */
export function ruleViolation(rule: number, index: number): readonly Violation[] {
  const collector = new Collector();
  const principal = [element(3, "principal")];
  const entry = [{ ...element(4, "resources"), index: `${index}` }];
  const resource = [...entry, element(2, "resource")];
  const auxData = [element(5, "aux_data")];
  const textField = (path: readonly PathElement[], number: number, name: string): readonly PathElement[] => [
    ...path,
    element(number, name, "TYPE_STRING"),
  ];
  switch (rule) {
    case INVALID_PRINCIPAL_ID:
      collector.required(textField(principal, 1, "id"));
      break;
    case INVALID_PRINCIPAL_VERSION:
      collector.mismatch(textField(principal, 2, "policy_version"), "version");
      break;
    case INVALID_PRINCIPAL_SCOPE:
      collector.mismatch(textField(principal, 5, "scope"), "scope");
      break;
    case INVALID_NO_ROLES:
      collector.required(textField(principal, 3, "roles"));
      break;
    case INVALID_ROLE_EMPTY:
      collector.tooShort(textField(principal, 3, "roles"));
      break;
    case INVALID_ROLE_REPEATED:
      collector.repeated(textField(principal, 3, "roles"));
      break;
    case INVALID_NO_RESOURCES:
      collector.required([element(4, "resources")]);
      break;
    case INVALID_NO_ACTIONS:
      collector.required(textField(entry, 1, "actions"));
      break;
    case INVALID_ACTION_EMPTY:
      collector.tooShort(textField(entry, 1, "actions"));
      break;
    case INVALID_ACTION_REPEATED:
      collector.repeated(textField(entry, 1, "actions"));
      break;
    case INVALID_RESOURCE_KIND:
      collector.required(textField(resource, 1, "kind"));
      break;
    case INVALID_RESOURCE_VERSION:
      collector.mismatch(textField(resource, 2, "policy_version"), "version");
      break;
    case INVALID_RESOURCE_ID:
      collector.required(textField(resource, 3, "id"));
      break;
    case INVALID_RESOURCE_SCOPE:
      collector.mismatch(textField(resource, 5, "scope"), "scope");
      break;
    case INVALID_AUX_DATA_BOTH:
      collector.onlyOneToken(auxData);
      break;
    case INVALID_AUX_DATA_TOKEN:
      collector.required([...auxData, element(1, "jwt"), element(1, "token", "TYPE_STRING")]);
      break;
    default:
  }
  return collector.violations;
}

/** The error that carries the violations, with Cerbos's message and details. */
export function validationError(violations: readonly Violation[]): RequestError {
  const lines = violations.map((violation) => `${pathText(violation)}: ${violation.message}`);
  const [first = "request: breaks a validation rule"] = lines;
  const summary =
    lines.length > 1
      ? `validation errors:\n${lines.map((line) => ` - ${line}`).join("\n")}`
      : `validation error: ${first}`;
  const details =
    violations.length === 0 ? [] : [{ "@type": "type.googleapis.com/buf.validate.Violations", violations }];
  const path = violations[0] === undefined ? "" : pathText(violations[0]);
  return new RequestError("EDICT_REQUEST_INVALID", summary, path, details);
}

function checkPrincipal(collector: Collector, principal: Message, path: readonly PathElement[]): void {
  if (text(field(principal, "id")) === "") collector.required([...path, element(1, "id", "TYPE_STRING")]);
  collector.pattern(
    field(principal, "policyVersion"),
    [...path, element(2, "policy_version", "TYPE_STRING")],
    "version",
  );
  collector.names(field(principal, "roles"), path, element(3, "roles", "TYPE_STRING"));
  collector.keys(field(principal, "attr"), path, element(4, "attr"));
  collector.pattern(field(principal, "scope"), [...path, element(5, "scope", "TYPE_STRING")], "scope");
}

function checkEntry(collector: Collector, entry: Message, path: readonly PathElement[]): void {
  collector.names(field(entry, "actions"), path, element(1, "actions", "TYPE_STRING"));
  const value = field(entry, "resource");
  const inner = [...path, element(2, "resource")];
  if (value === undefined) {
    collector.required(inner);
    return;
  }
  const resource = message(value);
  if (text(field(resource, "kind")) === "") collector.required([...inner, element(1, "kind", "TYPE_STRING")]);
  collector.pattern(
    field(resource, "policyVersion"),
    [...inner, element(2, "policy_version", "TYPE_STRING")],
    "version",
  );
  if (text(field(resource, "id")) === "") collector.required([...inner, element(3, "id", "TYPE_STRING")]);
  collector.keys(field(resource, "attr"), inner, element(4, "attr"));
  collector.pattern(field(resource, "scope"), [...inner, element(5, "scope", "TYPE_STRING")], "scope");
}

function checkAuxData(collector: Collector, auxData: Message): void {
  const path = [element(5, "aux_data")];
  const jwt = field(auxData, "jwt");
  const jwts = field(auxData, "jwts");
  const token = element(1, "token", "TYPE_STRING");
  if (jwt !== undefined && Object.keys(message(jwts)).length > 0) collector.onlyOneToken(path);
  if (jwt !== undefined && text(field(message(jwt), "token")) === "") {
    collector.required([...path, element(1, "jwt"), token]);
  }
  collector.keys(jwts, path, element(2, "jwts"));
  for (const [key, value] of Object.entries(message(jwts))) {
    if (collector.full) break;
    if (text(field(message(value), "token")) !== "") continue;
    collector.required([...path, mapElement(element(2, "jwts"), key), token]);
  }
}

/** Collects violations up to the limit. */
class Collector {
  readonly violations: Violation[] = [];

  get full(): boolean {
    return this.violations.length >= MAX_VIOLATIONS;
  }

  required(path: readonly PathElement[]): void {
    this.#add({ field: { elements: path }, ruleId: "required", message: "value is required" });
  }

  onlyOneToken(elements: readonly PathElement[]): void {
    const violation = "Only one of the jwt or jwts fields must be set";
    this.#add({ field: { elements }, ruleId: "AuxData.only_one_jwt_field", message: violation });
  }

  pattern(value: unknown, path: readonly PathElement[], kind: "version" | "scope"): void {
    const pattern = kind === "version" ? VERSION_PATTERN : SCOPE_PATTERN;
    if (!pattern.test(text(value))) this.mismatch(path, kind);
  }

  /** A value that has not the form it must have. */
  mismatch(path: readonly PathElement[], kind: "version" | "scope"): void {
    const shown = kind === "version" ? VERSION_TEXT : SCOPE_TEXT;
    const violation = `does not match regex pattern \`${shown}\``;
    this.#add({ field: { elements: path }, ruleId: "string.pattern", message: violation });
  }

  /** A list of names: at least one, each once, none empty. */
  names(value: unknown, path: readonly PathElement[], last: PathElement): void {
    const items = list(value);
    if (items.length === 0) {
      this.required([...path, last]);
      return;
    }
    if (new Set(items).size !== items.length) this.repeated([...path, last]);
    for (const [index, item] of items.entries()) {
      if (this.full) break;
      if (text(item) === "") this.tooShort([...path, { ...last, index: `${index}` }]);
    }
  }

  /** A list with the same item twice. */
  repeated(elements: readonly PathElement[]): void {
    const violation = "repeated value must contain unique items";
    this.#add({ field: { elements }, ruleId: "repeated.unique", message: violation });
  }

  /** A map: no empty key. */
  keys(value: unknown, path: readonly PathElement[], last: PathElement): void {
    if (!Object.hasOwn(message(value), "")) return;
    this.tooShort([...path, mapElement(last, "")], true);
  }

  /** An empty text where there must be one. */
  tooShort(elements: readonly PathElement[], forKey = false): void {
    this.#add({
      field: { elements },
      ruleId: "string.min_len",
      message: "must be at least 1 characters",
      ...(forKey ? { forKey: true as const } : {}),
    });
  }

  #add(violation: Violation): void {
    if (!this.full) this.violations.push(violation);
  }
}

/** `principal.roles[1]`, `principal.attr[""]`: the path as Cerbos prints it. */
function pathText(violation: Violation): string {
  return violation.field.elements
    .map((step) => {
      if (step.index !== undefined) return `${step.fieldName}[${step.index}]`;
      return step.stringKey === undefined
        ? step.fieldName
        : `${step.fieldName}[${JSON.stringify(step.stringKey)}]`;
    })
    .join(".");
}

function element(
  fieldNumber: number,
  fieldName: string,
  fieldType: PathElement["fieldType"] = "TYPE_MESSAGE",
): PathElement {
  return { fieldNumber, fieldName, fieldType };
}

function mapElement(step: PathElement, stringKey: string): PathElement {
  return { ...step, keyType: "TYPE_STRING", valueType: "TYPE_MESSAGE", stringKey };
}

/** A field by its camelCase name or its snake_case one; null counts as not given. */
function field(value: Message, name: string): unknown {
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const found = Object.hasOwn(value, name) ? value[name] : undefined;
  return found ?? (Object.hasOwn(value, snake) ? value[snake] : undefined) ?? undefined;
}

function message(value: unknown): Message {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Message) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
