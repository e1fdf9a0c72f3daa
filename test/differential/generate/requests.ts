/** Random CheckResources requests about a world: known and unknown names, missing and mistyped attributes, odd scopes. */
import type { CheckRequest } from "../interpreter/request.ts";
import type { Random } from "../random.ts";
import { randomAttributes, randomClaims } from "./attributes.ts";
import { ACTIONS, few, KINDS, PRINCIPALS, ROLES, some, TOKENS, type World } from "./world.ts";

const MAX_RESOURCES = 5;

export function randomRequest(world: World, random: Random): CheckRequest {
  return {
    requestId: String(random.below(1_000_000)),
    includeMeta: true,
    principal: {
      id: random.pick([...PRINCIPALS, "nobody", "bob_x.org"], "ann"),
      roles: few([...ROLES, ...ROLES, "unknown", "us*"], random, 3),
      attr: randomAttributes(random),
      ...target(world, random),
    },
    resources: Array.from({ length: 1 + random.below(MAX_RESOURCES) }, (_, index) => ({
      actions: few([...ACTIONS, ...ACTIONS, "unknown", "view:", "*"], random, 4),
      resource: {
        kind: random.pick([...world.kinds, ...world.kinds, ...KINDS, "album_object", "nothing"], "doc"),
        id: `r${index}`,
        attr: randomAttributes(random),
        ...target(world, random),
      },
    })),
    ...auxData(random),
  };
}

/** Tokens now and then: the one, or some with names. */
function auxData(random: Random): Pick<CheckRequest, "auxData"> {
  if (random.chance(0.75)) return {};
  const names = some(TOKENS, random, 0.5);
  return random.chance(0.5)
    ? { auxData: { jwt: randomClaims(random) } }
    : {
        auxData: {
          jwts: Object.fromEntries(names.map((name) => [name, { claims: randomClaims(random) }])),
        },
      };
}

function target(world: World, random: Random): { readonly scope?: string; readonly policyVersion?: string } {
  const scopes = [
    ...world.scopes,
    ...world.scopes,
    ...world.scopes,
    ...world.scopes,
    ".",
    "acme.hr.uk.london",
    "gamma",
  ];
  return {
    ...(random.chance(0.6) ? { scope: random.pick(scopes, "") } : {}),
    ...(random.chance(0.2)
      ? { policyVersion: random.pick([...world.versions, ...world.versions, "v9"], "default") }
      : {}),
  };
}
