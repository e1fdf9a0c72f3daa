/** The floor: what somebody would write by hand for exactly these policies, with no engine at all. */
import type { Peer } from "./peer.ts";
import { isInOffice, PENDING, type Principal, type Resource, VIEWS } from "./rules.ts";

function leaveRequest(principal: Principal, resource: Resource, action: string): boolean {
  const { roles, attr: p } = principal;
  const { attr: r } = resource;
  if (roles.includes("admin")) return true;
  const isOwner = roles.includes("employee") && r["owner"] === principal.id;
  const isManager =
    roles.includes("manager") &&
    r["geography"] === p["geography"] &&
    r["geography"] === p["managed_geographies"];
  const isLocated = (): boolean => r["geography"] === (isInOffice(p["ip_address"]) ? "GB" : "");
  const isVersioned = resource.policyVersion === "20210210";
  const scope = resource.scope ?? "";
  const isAcme = scope.startsWith("acme");
  const isHr = scope.startsWith("acme.hr");
  const isUk = scope === "acme.hr.uk";
  switch (action) {
    case "create":
      return (isVersioned || isAcme) && isOwner;
    case "view:public":
      return (isVersioned || isAcme) && (roles.includes("employee") || (isHr && isManager));
    case "approve":
      return (isVersioned || isHr) && isManager && r["status"] === PENDING;
    case "delete":
      return ((isVersioned || isHr) && isManager && isLocated()) || (isUk && isOwner && isLocated());
    case "defer":
      return isUk && (isManager || isOwner);
    default:
      return VIEWS.includes(action) && (isVersioned || isHr) && (isOwner || isManager);
  }
}

export function plainTypeScript(copies: number): Peer {
  const kinds = new Map<string, (principal: Principal, resource: Resource, action: string) => boolean>();
  for (let index = 0; index < copies; index++) {
    const name = String(index).padStart(5, "0");
    kinds.set(`leave_request_${name}`, leaveRequest);
    kinds.set(`employee_record_${name}`, (principal) => principal.roles.includes("admin"));
  }
  return {
    name: "hand-written TypeScript",
    version: "",
    decide: ({ principal, resources }) =>
      resources.flatMap(({ resource, actions }) => {
        const decide = kinds.get(resource.kind);
        return actions.map((action) => decide?.(principal, resource, action) ?? false);
      }),
  };
}
