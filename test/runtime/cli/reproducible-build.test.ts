/**
 * What docs/bundles.md promises: two people who check out one commit in different places build the same bytes, a daemon shows which, and
 * whoever compares needs neither the first build nor its key.
 */
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { Daemon, IS_BUILT, runEdict, temporaryDirectory } from "../support/daemon.ts";
import { git, HAS_GIT } from "../support/git.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/policies", import.meta.url));

const MISSING = HAS_GIT ? "run `npm run build`" : "git is not installed";

function rank(file: string): string {
  return createHash("sha256").update(`shuffled ${file}`).digest("hex");
}

/** Copies files one by one, in an order that has nothing to do with their names. */
async function copyShuffled(from: string, to: string): Promise<void> {
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.toSorted((left, right) => (rank(left) < rank(right) ? -1 : 1))) {
    const target = join(to, file.slice(from.length));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await readFile(file));
  }
}

describe.skipIf(!IS_BUILT || !HAS_GIT)(
  IS_BUILT && HAS_GIT ? "a build of a commit" : `a build of a commit (${MISSING})`,
  () => {
    let directory: string;
    let remove: () => Promise<void>;
    let commit: string;

    beforeAll(async () => {
      const temporary = await temporaryDirectory();
      directory = temporary.path;
      remove = () => temporary.remove();
      const origin = join(directory, "origin");
      await cp(EXAMPLES, join(origin, "policies"), { recursive: true });
      git(origin, "init", "-q", "-b", "main");
      git(origin, "add", ".");
      git(origin, "commit", "-q", "-m", "policies");
      commit = git(origin, "rev-parse", "HEAD");
    });
    afterAll(() => remove());

    /** Compiles the policies of a checkout; the bytes. */
    async function build(checkout: string, ...given: string[]): Promise<Buffer> {
      const target = join(directory, `${checkout}.edict`);
      const source = join(directory, checkout, "policies");
      const { code, err } = await runEdict(["compile", source, "-o", target, "--sequence", "42", ...given]);
      expect(code, err).toBe(0);
      return readFile(target);
    }

    it(
      "has the same bytes in every checkout, whatever the order of its files",
      { timeout: 240_000 },
      async () => {
        git(directory, "clone", "-q", "origin", "clone");
        await copyShuffled(join(directory, "origin"), join(directory, "shuffled"));
        const [first, ...others] = [await build("origin"), await build("clone"), await build("shuffled")];
        for (const other of others) expect(other.equals(first)).toBe(true);
        expect(readBundle(first).manifest).toMatchObject({ gitCommit: commit, sequence: 42 });
        expect(readBundle(first).selfTest).not.toBeNull();
      },
    );

    it("is what a daemon shows that serves it", { timeout: 240_000 }, async () => {
      const bundle = readBundle(await build("origin"));
      const daemon = await Daemon.start("--bundle", join(directory, "origin.edict"));
      try {
        expect(await daemon.json("/healthz")).toMatchObject({
          bundle: bundle.digest,
          gitCommit: commit,
          sequence: 42,
        });
      } finally {
        await daemon.stop();
      }
    });

    it("has another digest and no commit once a policy was changed", { timeout: 240_000 }, async () => {
      await rm(join(directory, "dirty"), { recursive: true, force: true });
      git(directory, "clone", "-q", "origin", "dirty");
      const file = join(directory, "dirty", "policies", "expenses", "expense.yaml");
      await writeFile(file, `${await readFile(file, "utf8")}\n`);
      const dirty = readBundle(await build("dirty"));
      expect(dirty.manifest.gitCommit).toBeNull();
      expect(dirty.digest).not.toBe(readBundle(await build("origin")).digest);
    });
  },
);
