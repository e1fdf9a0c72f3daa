/** What two versions decide differently about a request, and the rules that it comes from. */
import { pack } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/index.ts";
import { compareDecisions, explainDifferences } from "../../../runtime/shadow/compare.ts";
import { albumRequest, IS_BUILT } from "../support/daemon.ts";
import { compileVersions } from "../admin/support.ts";

const NOTHING = new Uint8Array(0);

const json = (value: unknown) => ({
  bytes: new TextEncoder().encode(JSON.stringify(value)),
  format: FORMAT_JSON,
  claims: NOTHING,
});

const entry = (id: string, owner: string) => ({
  actions: ["view", "delete"],
  resource: { kind: "album", id, attr: { public: true, flagged: false, locked: false, owner } },
});

describe.skipIf(!IS_BUILT)("comparing two versions", () => {
  let first: Engine;
  let second: Engine;
  /** Decides as the first one, by another bundle. */
  let third: Engine;

  beforeAll(async () => {
    const bundles = await compileVersions();
    [first, second, third] = (await Promise.all(
      [bundles.first, bundles.second, bundles.third].map((bundle) => Engine.load(bundle)),
    )) as [Engine, Engine, Engine];
  }, 120_000);

  it("finds nothing where the decisions are the same", () => {
    expect(compareDecisions(first, third, json(albumRequest()))).toEqual({
      decisions: 2,
      differences: [],
      oldError: null,
      newError: null,
    });
  });

  for (const format of ["json", "msgpack"] as const) {
    it(`names the decision that changes, and the rules of both versions (${format})`, () => {
      const request =
        format === "json"
          ? json(albumRequest())
          : { bytes: new Uint8Array(pack(albumRequest())), format: FORMAT_MSGPACK, claims: NOTHING };
      const comparison = compareDecisions(first, second, request);
      expect(comparison).toMatchObject({ decisions: 2, oldError: null, newError: null });
      const changes = explainDifferences(first, second, request, comparison);
      expect(changes).toHaveLength(1);
      expect(changes[0]).toMatchObject({
        kind: "album",
        id: "1",
        action: "view",
        old: {
          effect: "EFFECT_ALLOW",
          policy: "resource.album.vdefault",
          rule: "anyone-reads-public",
          place: "album.yaml:7",
          error: null,
        },
        new: { effect: "EFFECT_DENY", rule: null, place: null, error: null },
      });
      expect(changes[0]?.request).toMatch(/^[0-9a-f]{64}$/);
      // And the other way round.
      const back = explainDifferences(second, first, request, compareDecisions(second, first, request));
      expect(back[0]).toMatchObject({ old: { effect: "EFFECT_DENY" }, new: { place: "album.yaml:7" } });
    });
  }

  it("finds the changed resource among others", () => {
    const request = json({
      principal: { id: "alice", roles: ["user"] },
      resources: [entry("1", "alice"), entry("2", "bob"), entry("3", "alice"), entry("4", "bob")],
    });
    const comparison = compareDecisions(first, second, request);
    expect(comparison.decisions).toBe(8);
    expect(
      explainDifferences(first, second, request, comparison).map(({ id, action }) => [id, action]),
    ).toEqual([
      ["2", "view"],
      ["4", "view"],
    ]);
  });

  it("compares nothing where both refuse the request", () => {
    const comparison = compareDecisions(first, second, json({ principal: { id: "alice", roles: ["user"] } }));
    expect(comparison).toMatchObject({ decisions: 0, differences: [] });
    expect(comparison.oldError).not.toBeNull();
  });

  it("takes a version that does not decide for one that denies", async () => {
    const { compiled } = second;
    const narrow = Engine.start(compiled, { maxActionsPerResource: 1 });
    const request = json(albumRequest());
    const comparison = compareDecisions(first, narrow, request);
    const [change] = explainDifferences(first, narrow, request, comparison);
    expect(change).toMatchObject({ action: "view", new: { effect: "EFFECT_DENY", place: null } });
    expect(change?.new.error).toMatch(/actions/);
  });

  it("tells nobody about the decisions it makes", () => {
    let told = 0;
    first.observer = {
      samples: false,
      decided: () => told++,
      decidedMany: () => told++,
      failed: () => told++,
    };
    const comparison = compareDecisions(first, second, json(albumRequest()));
    explainDifferences(first, second, json(albumRequest()), comparison);
    compareDecisions(first, second, json({}));
    expect(told).toBe(0);
    expect(first.observer).not.toBeNull();
    first.observer = null;
  });
});
