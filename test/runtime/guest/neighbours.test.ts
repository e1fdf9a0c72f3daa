/**
 * What entries of a batch have in common with the one before is not decoded, looked up or laid out again. Whatever it is,
 * an entry is answered as it is alone, down to the order of its actions.
 */
import fc from "fast-check";
import { pack, Unpackr } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../../runtime/guest/engine.ts";
import { compilePolicies } from "../support/bundles.ts";

const POLICY = (kind: string, version: string, owner: string): string => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${kind}
  version: ${version}
  rules:
    - name: readers
      actions: [view, list]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: R.attr.public == true
    - name: owners
      actions: ["*"]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: R.attr.${owner} == P.id
    - name: frozen
      actions: ["*:delete", delete]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: R.attr.locked == true
`;

const ACTIONS = ["view", "list", "delete", "doc:delete", "unknown"];

/** Lists that neighbours often share wholly, at the beginning, or in another order. */
const actions = fc.oneof(
  fc.integer({ min: 1, max: ACTIONS.length }).map((count) => ACTIONS.slice(0, count)),
  fc.shuffledSubarray(ACTIONS, { minLength: 1 }),
);
const attr = fc.record(
  {
    public: fc.boolean(),
    owner: fc.constantFrom("alice", "bob"),
    keeper: fc.constant("alice"),
    locked: fc.boolean(),
  },
  { requiredKeys: [] },
);
const entry = fc.record({
  actions,
  resource: fc.record(
    {
      kind: fc.constantFrom("doc", "album"),
      id: fc.constantFrom("1", "2"),
      attr,
      policyVersion: fc.constantFrom("default", "2"),
      scope: fc.constantFrom("", "a"),
    },
    { requiredKeys: ["kind", "id"] },
  ),
});

const decoder = new Unpackr({ mapsAsObjects: true });

describe("an entry of a batch", () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await Engine.load(
      await compilePolicies({
        "doc.yaml": POLICY("doc", "default", "owner"),
        "doc-2.yaml": POLICY("doc", '"2"', "keeper"),
        "album.yaml": POLICY("album", "default", "keeper"),
      }),
    );
  }, 120_000);

  const answer = (resources: readonly unknown[], format: "json" | "msgpack"): string[] => {
    const request = { principal: { id: "alice", roles: ["user"] }, resources, includeMeta: true };
    const body = format === "json" ? Buffer.from(JSON.stringify(request)) : pack(request);
    const { status, bytes } = engine.checkBytes(body, format);
    expect(status).toBe(0);
    const copy = Buffer.from(bytes);
    const response = (format === "json" ? JSON.parse(copy.toString()) : decoder.unpack(copy)) as {
      results: readonly unknown[];
    };
    // As text, because the order of actions counts.
    return response.results.map((result) => JSON.stringify(result));
  };

  for (const format of ["json", "msgpack"] as const) {
    it(`is answered as alone, in ${format}`, () => {
      fc.assert(
        fc.property(fc.array(entry, { minLength: 2, maxLength: 8 }), (entries) => {
          expect(answer(entries, format)).toEqual(entries.flatMap((one) => answer([one], format)));
        }),
        { numRuns: 400 },
      );
    });
  }
});
