/** The hand-written floor decides the load-test requests as edict does, or its speed would be of no interest. */
import { describe, expect, it } from "vitest";

import { hasCorpus, loadtestBodies, loadtestPolicies } from "../../../bench/load/loadtest-set.ts";
import { answer } from "../../../bench/peers/peer.ts";
import { plainTypeScript } from "../../../bench/peers/plain-typescript.ts";
import { compile } from "../../../compiler/index.ts";
import { Engine } from "../../../runtime/index.ts";

interface Response {
  readonly results: readonly { readonly actions: Readonly<Record<string, string>> }[];
}

const effects = (bytes: Uint8Array): unknown => {
  const response: Response = JSON.parse(Buffer.from(bytes).toString());
  return response.results.map(({ actions }) => actions);
};

describe.skipIf(!hasCorpus())("hand-written TypeScript", () => {
  it("gives edict's decisions, allows among them", async () => {
    const { bundle } = await compile(loadtestPolicies(2));
    if (bundle === undefined) throw new Error("the load-test set does not compile");
    const engine = await Engine.load(bundle);
    const floor = plainTypeScript(2);
    const bodies = loadtestBodies(2);
    const given = bodies.map(({ json }) => effects(answer(floor, json)));
    expect(given).toEqual(bodies.map(({ json }) => effects(engine.checkBytes(json, "json").bytes)));
    expect(JSON.stringify(given)).toContain("EFFECT_ALLOW");
    expect(JSON.stringify(given)).toContain("EFFECT_DENY");
  });
});
