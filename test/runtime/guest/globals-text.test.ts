/** runtime/guest/globals-text.ts, and what conditions make of it on release WASM. */
import { describe, expect, it } from "vitest";
import { globalsText, type WholeGlobals } from "../../../runtime/guest/globals-text.ts";
import { ask, BUILD_CORE, CORE_IS_BUILT, engineOf } from "../../support/engines.ts";

const VALUES = { a: 5, b: [1, 2.5, -0], c: { d: 2n ** 63n, e: null }, f: "5", g: 1e300, h: 1e20 };

describe("globals", () => {
  it("are JSON, whole numbers being ints", () => {
    expect(globalsText(VALUES, "int")).toBe(
      '{"a":5,"b":[1,2.5,0],"c":{"d":9223372036854775808,"e":null},"f":"5","g":1e+300,"h":100000000000000000000}',
    );
  });

  it("have a point in whole numbers that are doubles", () => {
    expect(globalsText({ a: 5, b: [-1, 2.5], d: 2n ** 63n, h: 1e21 }, "double")).toBe(
      '{"a":5.0,"b":[-1.0,2.5],"d":9223372036854776000.0,"h":1e+21}',
    );
  });

  it("leave out what JSON does not have", () => {
    expect(globalsText({ a: undefined, b: [undefined, Number.NaN], 'q"': () => 1 }, "int")).toBe(
      '{"b":[null,null]}',
    );
  });
});

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "conditions" : BUILD_CORE, () => {
  const rules = [
    "type(G.n) == int",
    "type(G.n) == double",
    "type(G.big) == uint",
    "G.n / 2 == 2",
    "G.l == [1, 2.5]",
  ].map((expr, index) => ({
    actions: [`a${index}`],
    roles: ["user"],
    effect: "EFFECT_ALLOW",
    condition: { match: { expr } },
  }));
  const text = JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: { resource: "doc", version: "default", rules },
  });

  it.each([
    ["int", [true, false, true, true, true]],
    ["double", [false, true, false, false, true]],
  ] as const satisfies readonly (readonly [WholeGlobals, readonly boolean[]])[])(
    "read them as %s",
    async (wholeGlobals, want) => {
      const engine = await engineOf([{ path: "doc.json", text }], {
        globals: { n: 5, big: 2n ** 63n, l: [1, 2.5] },
        wholeGlobals,
      });
      const actions = rules.map((_, index) => `a${index}`);
      const answer = ask(
        engine,
        {
          principal: { id: "p", roles: ["user"] },
          resources: [{ actions, resource: { kind: "doc", id: "d" } }],
        },
        "json",
      );
      if (!("response" in answer)) throw new Error(answer.failure);
      const effects = answer.response.results[0]?.actions ?? {};
      expect(actions.map((action) => effects[action] === "EFFECT_ALLOW")).toEqual(want);
    },
  );
});
