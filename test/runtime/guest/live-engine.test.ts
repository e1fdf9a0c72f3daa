/** Engines inside a program whose policies change: one version per decision, and the old one where the new one fails. */
import { beforeAll, describe, expect, it } from "vitest";
import { type CheckRequest, LiveEngine, readBundle } from "../../../runtime/index.ts";
import { compileVersions, type VersionName } from "../admin/support.ts";
import { albumRequest, IS_BUILT } from "../support/daemon.ts";

const view = (live: LiveEngine): string =>
  String(live.engine.check(albumRequest() as CheckRequest).results[0]?.actions["view"]);

describe.skipIf(!IS_BUILT)("a live engine", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;

  beforeAll(async () => {
    bundles = await compileVersions();
  }, 120_000);

  it("decides by the new version from the moment it is committed", async () => {
    const live = await LiveEngine.load(bundles.first);
    expect(view(live)).toBe("EFFECT_ALLOW");
    const prepared = await live.prepare(bundles.second);
    expect(prepared.digest).toBe(readBundle(bundles.second).digest);
    expect(view(live)).toBe("EFFECT_ALLOW");
    prepared.commit();
    expect(view(live)).toBe("EFFECT_DENY");
    await live.swap(bundles.third);
    expect(view(live)).toBe("EFFECT_ALLOW");
  });

  it("keeps the old version when the new one is damaged", async () => {
    const live = await LiveEngine.load(bundles.first);
    const damaged = bundles.second.slice();
    damaged[damaged.length - 100] = (damaged[damaged.length - 100] ?? 0) ^ 0xff;
    await expect(live.swap(damaged)).rejects.toThrow();
    await expect(live.swap(bundles.second.subarray(0, 100))).rejects.toThrow();
    expect(view(live)).toBe("EFFECT_ALLOW");
    expect(live.engine.bundle.digest).toBe(readBundle(bundles.first).digest);
  });
});
