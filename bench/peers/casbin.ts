/**
 * casbin: one policy line per rule and role, matched by an expression; conditions, scopes and action lists are functions of the
 * host, which is faster than evaluating their text. The cheapest comparison stands first, because every line is tried.
 */
import { optionalPackage, type Peer } from "./peer.ts";
import {
  ANY,
  type Condition,
  holds,
  peerRules,
  type Principal,
  type Resource,
  scopesOf,
  versionOf,
} from "./rules.ts";

interface Enforcer {
  addPolicies(lines: string[][]): Promise<boolean>;
  addFunction(name: string, body: (...given: never[]) => boolean): Promise<void>;
  enforceSync(...given: unknown[]): boolean;
}
interface Casbin {
  newModelFromString(text: string): unknown;
  newEnforcer(model: unknown): Promise<Enforcer>;
}

const MODEL = `
[request_definition]
r = sub, obj, type, act

[policy_definition]
p = type, scope, act, role, conditions

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.type == p.type && actionIs(r.act, p.act) && hasRole(r.sub, p.role) && inScope(r.obj, p.scope) && allHold(p.conditions, r.sub, r.obj)
`;

export async function casbin(copies: number): Promise<Peer | undefined> {
  const library = await optionalPackage<Casbin>("casbin");
  if (library === undefined) return undefined;
  const enforcer = await library.newEnforcer(library.newModelFromString(MODEL));
  await enforcer.addFunction(
    "actionIs",
    (action: string, pattern: string) => pattern === ANY || pattern === action,
  );
  await enforcer.addFunction("hasRole", (principal: Principal, role: string) =>
    principal.roles.includes(role),
  );
  await enforcer.addFunction("inScope", (resource: Resource, scope: string) =>
    scopesOf(resource.scope ?? "").includes(scope),
  );
  await enforcer.addFunction(
    "allHold",
    (conditions: string, principal: Principal, resource: Resource) =>
      conditions === "" ||
      conditions.split(" ").every((condition) => holds(condition as Condition, principal, resource)),
  );
  const lines = peerRules(copies).flatMap((rule) =>
    rule.actions.map((action) => [
      `${rule.kind}@${rule.version}`,
      rule.scope,
      action,
      rule.role,
      rule.conditions.join(" "),
    ]),
  );
  await enforcer.addPolicies(lines);
  return {
    name: "casbin",
    version: "5.51.1",
    decide: ({ principal, resources }) =>
      resources.flatMap(({ resource, actions }) => {
        const type = `${resource.kind}@${versionOf(resource)}`;
        return actions.map((action) => enforcer.enforceSync(principal, resource, type, action));
      }),
  };
}
