/**
 * Attribute names of every length around those that the decoders recognise at sight, in the order of the request before and in
 * others: each attribute is what the request says it is.
 */
import fc from "fast-check";
import { pack } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK, STATUS_OK } from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import { compilePolicies } from "../support/bundles.ts";

/** Two of each length, which differ in their last byte only. */
const NAMES = [1, 8, 14, 15, 16, 17, 23, 29, 30, 31, 32, 33, 48].flatMap((length) =>
  ["x", "y"].map(
    (last) => `${"abcdefghijklmnopqrstuvwxyz_0123456789_abcdefghijk".slice(0, length - 1)}${last}`,
  ),
);

const rule = (name: string): string => `    - actions: [${name}]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: R.attr["${name}"] == "yes"
`;

let engine: Engine;

beforeAll(async () => {
  engine = await Engine.load(
    await compilePolicies({
      "thing.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: thing
  version: default
  rules:
${NAMES.map(rule).join("")}`,
    }),
  );
});

const attributes = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom(...NAMES, "unread", "also_not_read_and_long"), fc.constantFrom("yes", "no")),
    {
      selector: ([name]) => name,
      maxLength: 12,
    },
  )
  .map((pairs): Record<string, string> => Object.fromEntries(pairs));

describe("names of attributes", () => {
  it("are told apart at every length, whatever the object before had", () => {
    fc.assert(
      fc.property(
        fc.array(attributes, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(FORMAT_JSON, FORMAT_MSGPACK),
        (objects, format) => {
          const request = {
            principal: { id: "p", roles: ["user"] },
            resources: objects.map((attr, index) => ({
              actions: NAMES,
              resource: { kind: "thing", id: `${index}`, attr },
            })),
          };
          const bytes =
            format === FORMAT_JSON ? new TextEncoder().encode(JSON.stringify(request)) : pack(request);
          expect(engine.decide(bytes, format, FORMAT_JSON, 0)).toBe(STATUS_OK);
          const { results } = JSON.parse(new TextDecoder().decode(engine.output())) as {
            readonly results: readonly { readonly actions: Readonly<Record<string, string>> }[];
          };
          for (const [index, attr] of objects.entries()) {
            const allowed = NAMES.filter((name) => results[index]?.actions[name] === "EFFECT_ALLOW");
            expect(allowed).toEqual(NAMES.filter((name) => attr[name] === "yes"));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("of which one stands twice are refused, long ones as well", () => {
    for (const name of NAMES) {
      const attr = `{"${name}":"no","unread":1,"${name}":"yes"}`;
      const body = `{"principal":{"id":"p","roles":["user"]},"resources":[{"actions":["a"],"resource":{"kind":"thing","id":"1","attr":${attr}}}]}`;
      for (let turn = 0; turn < 2; turn++) {
        expect(engine.decide(new TextEncoder().encode(body), FORMAT_JSON, FORMAT_JSON, 0)).not.toBe(
          STATUS_OK,
        );
      }
    }
  });
});
