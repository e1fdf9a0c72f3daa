/**
 * CASL: an ability is built for the principal of every request, as its guide says, from the rules of the kinds that are asked
 * about. What depends on the principal is settled then; what depends on the resource is a condition of the rule.
 */
import { optionalPackage, type Peer } from "./peer.ts";
import {
  ANY,
  isInOffice,
  peerRules,
  PENDING,
  type Principal,
  type Rule,
  scopesOf,
  versionOf,
} from "./rules.ts";

interface RawRule {
  readonly action: string | string[];
  readonly subject: string;
  readonly conditions?: Record<string, string>;
}
interface Casl {
  createMongoAbility(rules: readonly RawRule[]): { can(action: string, subject: unknown): boolean };
  subject(type: string, object: object): unknown;
}

/** The rule for this principal; undefined when he can never meet it. */
function rawRule(rule: Rule, subject: string, principal: Principal): RawRule | undefined {
  const conditions: Record<string, string> = {};
  for (const condition of rule.conditions) {
    const { geography, managed_geographies: managed, ip_address: address } = principal.attr;
    if (condition === "token") return undefined;
    if (condition === "owns") conditions["owner"] = principal.id;
    else if (condition === "pending") conditions["status"] = PENDING;
    else if (condition === "located") conditions["geography"] = isInOffice(address) ? "GB" : "";
    else {
      if (geography === undefined || geography !== managed) return undefined;
      if ("geography" in conditions && conditions["geography"] !== geography) return undefined;
      conditions["geography"] = geography;
    }
  }
  const action = rule.actions.includes(ANY) ? "manage" : [...rule.actions];
  return Object.keys(conditions).length === 0 ? { action, subject } : { action, subject, conditions };
}

export async function casl(copies: number): Promise<Peer | undefined> {
  const library = await optionalPackage<Casl>("@casl/ability");
  if (library === undefined) return undefined;
  const bySubject = new Map<string, Rule[]>();
  for (const rule of peerRules(copies)) {
    const key = `${rule.kind}@${rule.version}@${rule.scope}`;
    bySubject.set(key, [...(bySubject.get(key) ?? []), rule]);
  }
  return {
    name: "CASL",
    version: "7.0.1",
    decide: ({ principal, resources }) => {
      const rules: RawRule[] = [];
      const subjects = resources.map(
        ({ resource }) => `${resource.kind}@${versionOf(resource)}@${resource.scope ?? ""}`,
      );
      for (const subject of new Set(subjects)) {
        const [kind, version, scope = ""] = subject.split("@");
        for (const above of scopesOf(scope)) {
          for (const rule of bySubject.get(`${kind}@${version}@${above}`) ?? []) {
            const raw = principal.roles.includes(rule.role) ? rawRule(rule, subject, principal) : undefined;
            if (raw !== undefined) rules.push(raw);
          }
        }
      }
      const ability = library.createMongoAbility(rules);
      return resources.flatMap(({ resource, actions }, index) => {
        const subject = library.subject(subjects[index] ?? "", resource.attr);
        return actions.map((action) => ability.can(action, subject));
      });
    },
  };
}
