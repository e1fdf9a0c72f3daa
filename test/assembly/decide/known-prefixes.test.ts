/**
 * What is known of the beginnings of entries (assembly/decode/known-prefixes.ts, decide/known-resources.ts) changes no answer. JSON with
 * white space is never recognised: an engine that is asked so is compared with one that is asked compact JSON and msgpack, for random
 * requests with more prefixes than there are slots, some of which come again all the time.
 */
import { describe, expect, it } from "vitest";

import type { Engine, EngineOptions } from "../../../runtime/index.ts";
import { STATUS_MEMORY, STATUS_OK } from "../../../assembly/abi.ts";
import { Random } from "../../differential/random.ts";
import { timesEffort } from "../../support/effort.ts";
import { ask, engineOf } from "../../support/engines.ts";

const KINDS = Array.from({ length: 60 }, (_, index) => `kind_${index}`);
const POLICY_KINDS = KINDS.slice(0, 30);
const VERSIONS = [undefined, "default", "v2"] as const;
const SCOPES = [undefined, "acme", "acme.hr", "acme.unheard", "."] as const;
const LISTS = [
  ["view"],
  ["view", "edit"],
  ["edit", "view"],
  ["share", "view", "approve", "edit"],
  ["unheard"],
  ["z", "y", "x", "view", "b", "a"],
] as const;
const ODD_RESOURCES = [
  { kind: "kind_1", id: "" },
  { kind: "", id: "1" },
  { kind: "kind_1", policyVersion: "v-2", id: "1" },
  { kind: "kind_1", scope: "acme..hr", id: "1" },
  { kind: "kind/1 of them", id: "1" },
  { kind: "kind@1", id: "1" },
  { kind: 'kind"1', id: "1" },
] as const;

function policies(withRolePolicy: boolean): { path: string; text: string }[] {
  const resources = POLICY_KINDS.flatMap((resource, index) =>
    ["", "acme"].map((scope) => ({
      resourcePolicy: {
        resource: index === 7 ? "kind_1" : resource,
        version: index % 3 === 0 || index === 7 ? "v2" : "default",
        ...(scope !== "" && { scope }),
        rules: [
          { actions: ["view"], effect: "EFFECT_ALLOW", roles: ["user"] },
          {
            actions: ["edit", "approve"],
            effect: "EFFECT_ALLOW",
            roles: ["user", "admin"],
            condition: { match: { expr: index % 2 === 0 ? "R.attr.owner == P.id" : "R.attr.level > 2.0" } },
          },
          { actions: ["share"], effect: scope === "" ? "EFFECT_ALLOW" : "EFFECT_DENY", roles: ["*"] },
        ],
      },
    })),
  );
  const others = [
    {
      principalPolicy: {
        principal: "bob",
        version: "default",
        rules: [{ resource: "kind_*", actions: [{ action: "view", effect: "EFFECT_DENY" }] }],
      },
    },
    ...(withRolePolicy
      ? [
          {
            rolePolicy: {
              role: "user",
              scope: "acme",
              rules: [{ resource: "kind_*", allowActions: ["view"] }],
            },
          },
        ]
      : []),
  ];
  const seen = new Set<string>();
  return [...resources, ...others].flatMap((policy, index) => {
    const name = JSON.stringify(policy).replace(/"rules".*/u, "");
    if (seen.has(name)) return [];
    seen.add(name);
    return [{ path: `p${index}.json`, text: JSON.stringify({ apiVersion: "api.cerbos.dev/v1", ...policy }) }];
  });
}

function entry(random: Random): unknown {
  const actions = random.pick(LISTS, LISTS[0]);
  if (random.chance(0.01)) return { actions, resource: random.pick(ODD_RESOURCES, ODD_RESOURCES[0]) };
  if (random.chance(0.01))
    return { actions: ["view", random.pick(["view", ""], "")], resource: { kind: "kind_1", id: "1" } };
  // Half of them are of few kinds.
  const kind = random.chance(0.5) ? `kind_${random.below(5)}` : random.pick(KINDS, "kind_0");
  const version = random.pick(VERSIONS, undefined);
  const scope = random.pick(SCOPES, undefined);
  const scopeFirst = random.chance(0.8);
  const resource = {
    kind,
    ...(version !== undefined && { policyVersion: version }),
    ...(scopeFirst && scope !== undefined && { scope }),
    id: `${random.below(9)}`,
    ...(random.chance(0.9) && {
      attr: { owner: random.pick(["alice", "bob"], "bob"), level: random.below(5) },
    }),
    ...(!scopeFirst && scope !== undefined && { scope }),
  };
  return random.chance(0.9) ? { actions, resource } : { resource, actions };
}

function request(random: Random): Record<string, unknown> {
  const entries = Array.from({ length: 1 + random.below(8) }, () => entry(random));
  return {
    requestId: "request",
    ...(random.chance(0.1) && { includeMeta: true }),
    principal: {
      id: random.pick(["alice", "carol", "bob"], "bob"),
      roles: random.chance(0.5) ? ["user"] : ["user", random.pick(["admin", "guest"], "guest")],
    },
    resources: entries.flatMap((one) => (random.chance(0.3) ? [one, one] : [one])),
  };
}

/** The same answer in words: effects and metadata, or why there is none. */
function told(engine: Engine, bytes: Uint8Array): unknown {
  const { status, bytes: answer } = engine.checkBytes(bytes, "json");
  const { fuelUsed, conditionErrors } = engine.partFacts();
  if (status !== STATUS_OK) return { status };
  const { cerbosCallId: _, ...response } = JSON.parse(Buffer.from(answer).toString()) as Record<
    string,
    unknown
  >;
  return { response, fuelUsed, conditionErrors };
}

const CASES: readonly (readonly [string, EngineOptions, boolean])[] = [
  ["compatible", {}, false],
  ["with role policies", {}, true],
  [
    "strict, lenient scopes, other defaults",
    { onError: "strict", lenientScopeSearch: true, defaultPolicyVersion: "v2", defaultScope: "acme" },
    false,
  ],
  ["few actions", { maxActionsPerResource: 3 }, false],
];

describe.each(CASES)("known prefixes, %s", (_, options, withRolePolicy) => {
  it("change no answer", async () => {
    const random = new Random(11);
    const sources = policies(withRolePolicy);
    const [known, plain] = [await engineOf(sources, options), await engineOf(sources, options)];
    const kinds = new Set<string>();
    for (let round = 0; round < timesEffort(2000); round++) {
      const body = request(random);
      const wanted = told(plain, Buffer.from(JSON.stringify(body, undefined, 1)));
      expect(told(known, Buffer.from(JSON.stringify(body)))).toEqual(wanted);
      const packed = ask(known, body, "msgpack");
      if ("failure" in packed)
        expect(wanted).toEqual({ status: Number(packed.failure.replace("status ", "")) });
      else {
        const { cerbosCallId: __, ...response } = packed.response as unknown as Record<string, unknown>;
        expect({ response }).toEqual({ response: (wanted as { response: unknown }).response });
      }
      kinds.add(
        JSON.stringify(wanted).includes("EFFECT_ALLOW")
          ? "allows"
          : "response" in (wanted as object)
            ? "denies"
            : "refuses",
      );
    }
    expect(kinds.size).toBe(3);
  });
});

describe("a request that runs out of memory", () => {
  it("leaves nothing behind", async () => {
    // The kind of the policy is the sanitised one of the request: a copy, for which there is no room behind a very long request id.
    const [kind, sanitised] = ["album:object-", "album_object_"].map((name) => name + "x".repeat(60));
    const allow = { actions: ["view"], effect: "EFFECT_ALLOW", roles: ["user"] };
    const policy = { resourcePolicy: { resource: sanitised, version: "default", rules: [allow] } };
    const text = JSON.stringify({ apiVersion: "api.cerbos.dev/v1", ...policy });
    const maxBodyBytes = 64 * 1024 * 1024;
    const engine = await engineOf([{ path: "p.json", text }], { maxBodyBytes });
    const rest = {
      principal: { id: "p", roles: ["user"] },
      resources: [{ actions: ["view"], resource: { kind, id: "1" } }],
    };
    const bytes = Buffer.alloc(maxBodyBytes, "a");
    // The escape is what takes a copy of the id.
    const head = Buffer.from('{"requestId":"\\n');
    const tail = Buffer.from(`",${JSON.stringify(rest).slice(1)}`);
    bytes.set(head);
    const statusOf = (length: number): number => {
      bytes.set(tail, head.length + length);
      const { status } = engine.checkBytes(bytes.subarray(0, head.length + length + tail.length), "json");
      bytes.fill("a", head.length + length, head.length + length + tail.length);
      return status;
    };
    let tooLong = maxBodyBytes - head.length - tail.length;
    let fits = tooLong - 4 * 1024 * 1024;
    expect([statusOf(fits), statusOf(tooLong)]).toEqual([STATUS_OK, STATUS_MEMORY]);
    // The copy is longer than that.
    while (tooLong - fits > 32) {
      const middle = Math.floor((fits + tooLong) / 2);
      if (statusOf(middle) === STATUS_OK) fits = middle;
      else tooLong = middle;
    }
    const answer = ask(engine, rest, "json");
    expect(answer).toMatchObject({ response: { results: [{ actions: { view: "EFFECT_ALLOW" } }] } });
    expect(statusOf(tooLong)).toBe(STATUS_MEMORY);
  }, 300_000);
});
