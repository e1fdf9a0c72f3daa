/** What a serving thread is sent of a version decides as the version does and lists no sources. */
import { describe, expect, it } from "vitest";
import { Engine } from "../../../runtime/index.ts";
import { bundleForThreads } from "../../../runtime/threads/thread-bundle.ts";
import { buildBundle } from "../support/built-bundles.ts";
import { IS_BUILT, POLICIES } from "../support/daemon.ts";

describe.skipIf(!IS_BUILT)("the version that serving threads are sent", () => {
  it("has everything but its sources", async () => {
    const { compiled } = await Engine.load(await buildBundle(POLICIES, 1));
    const { bundle } = compiled;
    const sent = structuredClone(bundleForThreads(compiled).bundle);
    expect(bundle.manifest.sources.length).toBeGreaterThan(0);
    expect(sent.manifest.sources).toEqual([]);
    const { attributes, counts, memory, sequence } = bundle.manifest;
    expect(sent.manifest).toMatchObject({ attributes, counts, memory, sequence });
    expect(Object.keys(sent.manifest).sort()).toEqual(
      [...new Set([...Object.keys(bundle.manifest), "sources"])].sort(),
    );
    expect(sent.digest).toBe(bundle.digest);
    expect(Buffer.compare(sent.rules, bundle.rules)).toBe(0);
    expect(Engine.start(bundleForThreads(compiled)).bundle.digest).toBe(bundle.digest);
  });
});
