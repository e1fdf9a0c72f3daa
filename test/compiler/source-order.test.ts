/** The order of the files never shows in what they compile to: 100 shuffles, one digest of image and AssemblyScript. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readSources } from "../../compiler/directory.ts";
import { compile, plan, type SourceFile } from "../../compiler/index.ts";
import { compilableSubset } from "../support/programs.ts";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";

const TITLE = CORPUS === undefined ? `order of sources (${NO_CORPUS})` : "order of sources";

/** A permutation that depends on the seed alone: the files sorted by a digest of seed and path. */
function shuffled(sources: readonly SourceFile[], seed: number): SourceFile[] {
  const rank = ({ path }: SourceFile): string => createHash("sha256").update(`${seed} ${path}`).digest("hex");
  return [...sources].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

function digest(sources: readonly SourceFile[]): string {
  const { emitted, diagnostics } = plan(sources);
  if (emitted === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return createHash("sha256").update(emitted.image).update(emitted.module.policy).digest("hex");
}

/** Every third policy of the store, less those that then miss an ancestor or import: enough kinds, quickly planned. */
async function someOfTheStore(): Promise<readonly SourceFile[]> {
  const { sources } = await readSources(corpusPath("store", "policies"));
  return compilableSubset(sources.filter((_, index) => index % 3 === 0)).sources;
}

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  it("does not change the digest", { timeout: 300_000 }, async () => {
    const usable = await someOfTheStore();
    expect(usable.length).toBeGreaterThan(10);
    const digests = new Set(Array.from({ length: 100 }, (_, seed) => digest(shuffled(usable, seed))));
    expect(digests.size).toBe(1);
  });

  it("does not change the bundle", { timeout: 300_000 }, async () => {
    const usable = await someOfTheStore();
    const digests = new Set<string>();
    for (const seed of [1, 2]) {
      const { bundle } = await compile(shuffled(usable, seed));
      if (bundle === undefined) throw new Error("there is no bundle");
      digests.add(createHash("sha256").update(bundle).digest("hex"));
    }
    expect(digests.size).toBe(1);
  });

  it("does not change the diagnostics", async () => {
    const { sources } = await readSources(corpusPath("store", "policies"));
    const alone = sources.filter((_, index) => index % 2 === 0);
    const texts = Array.from({ length: 10 }, (_, seed) =>
      JSON.stringify(plan(shuffled(alone, seed)).diagnostics),
    );
    expect(new Set(texts).size).toBe(1);
  });
});
