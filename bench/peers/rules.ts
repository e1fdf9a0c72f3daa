/**
 * The load-test policies once more, as rows that every peer can be filled from: who may do what to which kind, under which of
 * five named conditions. All effects of the set are ALLOW and a resource is decided by its scope and those above, so a row that
 * matches allows and nothing forbids. Left out, because no request of the load meets it: the principal policy of one user.
 */

export type Condition = "owns" | "manages" | "pending" | "located" | "token";

export interface Rule {
  readonly kind: string;
  readonly version: string;
  /** The rule holds in this scope and those below. */
  readonly scope: string;
  readonly actions: readonly string[];
  readonly role: string;
  readonly conditions: readonly Condition[];
}

export interface Principal {
  readonly id: string;
  readonly roles: readonly string[];
  readonly attr: Readonly<Record<string, string>>;
}
export interface Resource {
  readonly kind: string;
  readonly id: string;
  readonly policyVersion?: string;
  readonly scope?: string;
  readonly attr: Readonly<Record<string, string>>;
}
export interface CheckRequest {
  readonly requestId: string;
  readonly principal: Principal;
  readonly resources: readonly { readonly resource: Resource; readonly actions: readonly string[] }[];
}

/** Any action. */
export const ANY = "*";
/** What `view:*` stands for; peers without patterns need the list. */
export const VIEWS: readonly string[] = ["view:public", "view:private"];
export const PENDING = "PENDING_APPROVAL";

type Row = readonly [
  scope: string,
  actions: readonly string[],
  role: string,
  conditions: readonly Condition[],
];

// oxfmt-ignore
const LEAVE_REQUEST_20210210: readonly Row[] = [
  ["", [ANY],           "admin",    []],
  ["", ["create"],      "employee", ["owns"]],
  ["", VIEWS,           "employee", ["owns"]],
  ["", VIEWS,           "manager",  ["manages"]],
  ["", ["view:public"], "employee", []],
  ["", ["approve"],     "manager",  ["manages", "pending"]],
  ["", ["delete"],      "manager",  ["manages", "located"]],
  ["", ["defer"],       "employee", ["token"]],
];

// oxfmt-ignore
const LEAVE_REQUEST_DEFAULT: readonly Row[] = [
  ["",           [ANY],           "admin",    []],
  ["acme",       ["create"],      "employee", ["owns"]],
  ["acme",       ["view:public"], "employee", []],
  ["acme.hr",    VIEWS,           "employee", ["owns"]],
  ["acme.hr",    VIEWS,           "manager",  ["manages"]],
  ["acme.hr",    ["delete"],      "manager",  ["manages", "located"]],
  ["acme.hr",    ["approve"],     "manager",  ["manages", "pending"]],
  ["acme.hr",    ["defer"],       "employee", ["token"]],
  ["acme.hr.uk", ["delete"],      "manager",  ["manages", "located"]],
  ["acme.hr.uk", ["delete"],      "employee", ["owns", "located"]],
  ["acme.hr.uk", ["defer"],       "manager",  ["manages"]],
  ["acme.hr.uk", ["defer"],       "employee", ["owns"]],
];

function ruleOf(kind: string, version: string, row: Row): Rule {
  const [scope, actions, role, conditions] = row;
  return { kind, version, scope, actions, role, conditions };
}

/** The rules of `copies` copies. */
export function peerRules(copies: number): Rule[] {
  const rules: Rule[] = [];
  for (let index = 0; index < copies; index++) {
    const name = String(index).padStart(5, "0");
    rules.push(ruleOf(`employee_record_${name}`, "default", ["", [ANY], "admin", []]));
    for (const row of LEAVE_REQUEST_20210210) rules.push(ruleOf(`leave_request_${name}`, "20210210", row));
    for (const row of LEAVE_REQUEST_DEFAULT) rules.push(ruleOf(`leave_request_${name}`, "default", row));
  }
  return rules;
}

export function versionOf(resource: Resource): string {
  return resource.policyVersion ?? "default";
}

/** The scope and those above it, the nearest first. */
export function scopesOf(scope: string): string[] {
  const scopes = [scope];
  for (let at = scope.lastIndexOf("."); at >= 0; at = scope.lastIndexOf(".", at - 1))
    scopes.push(scope.slice(0, at));
  if (scope !== "") scopes.push("");
  return scopes;
}

/** Whether an IPv4 address is in 10.20.0.0/16; what is no address counts as outside, as nothing asks with one. */
export function isInOffice(address: string | undefined): boolean {
  return address !== undefined && /^10\.20\.\d{1,3}\.\d{1,3}$/.test(address);
}

/** The conditions in plain code; `token` is false because no request of the load carries one. */
export function holds(condition: Condition, principal: Principal, resource: Resource): boolean {
  const { geography } = resource.attr;
  switch (condition) {
    case "owns":
      return resource.attr["owner"] === principal.id;
    case "manages":
      return (
        geography !== undefined &&
        geography === principal.attr["geography"] &&
        geography === principal.attr["managed_geographies"]
      );
    case "pending":
      return resource.attr["status"] === PENDING;
    case "located":
      return geography === (isInOffice(principal.attr["ip_address"]) ? "GB" : "");
    case "token":
      return false;
  }
}
