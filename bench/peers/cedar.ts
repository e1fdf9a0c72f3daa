/**
 * Cedar in WebAssembly, with its policy set parsed once. Kinds, versions and scopes are a hierarchy of entities above the
 * resource; roles are above the principal. One call per pair, as its interface has it, and the entities travel with each.
 */
import { optionalPackage, type Peer } from "./peer.ts";
import { ANY, type Condition, peerRules, PENDING, type Rule, scopesOf, versionOf } from "./rules.ts";

interface EntityId {
  readonly type: string;
  readonly id: string;
}
interface Entity {
  readonly uid: EntityId;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly parents: readonly EntityId[];
}
interface Cedar {
  preparsePolicySet(name: string, policies: { staticPolicies: string }): { type: string };
  statefulIsAuthorized(call: object): {
    readonly type: string;
    readonly response?: { readonly decision: string };
    readonly errors?: unknown;
  };
  getCedarVersion(): string;
}

const CONDITIONS: Readonly<Record<Condition, string>> = {
  owns: "resource has owner && resource.owner == principal.id",
  manages:
    "resource has geography && principal has geography && principal has managed_geographies && " +
    "resource.geography == principal.geography && resource.geography == principal.managed_geographies",
  pending: `resource has status && resource.status == "${PENDING}"`,
  located:
    "resource has geography && resource.geography == " +
    '(if principal has ip_address && ip(principal.ip_address).isInRange(ip("10.20.0.0/16")) then "GB" else "")',
  token:
    'context has jwt && context.jwt.aud.contains("cerbos-jwt-tests") && context.jwt.customArray.contains("A")',
};

function place(kind: string, version: string, scope: string): EntityId {
  return { type: "Place", id: `${kind}@${version}@${scope}` };
}

function policy(rule: Rule): string {
  const actions = rule.actions.map((action) => `Action::"${action}"`);
  const action = rule.actions.includes(ANY) ? "action" : `action in [${actions.join(", ")}]`;
  const conditions = rule.conditions.map((condition) => ` when { ${CONDITIONS[condition]} }`);
  const { id } = place(rule.kind, rule.version, rule.scope);
  return `permit(principal in Role::"${rule.role}", ${action}, resource in Place::"${id}")${conditions.join("")};`;
}

export async function cedar(copies: number): Promise<Peer | undefined> {
  const library = await optionalPackage<Cedar>("@cedar-policy/cedar-wasm/nodejs");
  if (library === undefined) return undefined;
  const parsed = library.preparsePolicySet("loadtest", {
    staticPolicies: peerRules(copies).map(policy).join("\n"),
  });
  if (parsed.type !== "success")
    throw new Error(`cedar does not parse the policies: ${JSON.stringify(parsed)}`);
  return {
    name: "cedar-wasm",
    version: library.getCedarVersion(),
    decide: ({ principal, resources }) => {
      const user: Entity = {
        uid: { type: "User", id: principal.id },
        attrs: { ...principal.attr, id: principal.id },
        parents: principal.roles.map((role) => ({ type: "Role", id: role })),
      };
      return resources.flatMap(({ resource, actions }) => {
        const places = scopesOf(resource.scope ?? "").map((scope) =>
          place(resource.kind, versionOf(resource), scope),
        );
        const asked: Entity = {
          uid: { type: "Resource", id: resource.id },
          attrs: resource.attr,
          parents: places,
        };
        return actions.map((action) => {
          const answer = library.statefulIsAuthorized({
            principal: user.uid,
            action: { type: "Action", id: action },
            resource: asked.uid,
            context: {},
            preparsedPolicySetId: "loadtest",
            entities: [user, asked],
          });
          if (answer.response === undefined) throw new Error(`cedar: ${JSON.stringify(answer.errors)}`);
          return answer.response.decision === "allow";
        });
      });
    },
  };
}
