/** The commit of a policy directory: there when the files are the commit's, absent otherwise, and no way to run anything. */
import { existsSync } from "node:fs";
import { chmod, cp, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commitOf } from "../../../runtime/bundle/git-commit.ts";
import { temporaryDirectory, writeFiles } from "../support/daemon.ts";
import { git, HAS_GIT } from "../support/git.ts";

let root: string;
let remove: () => Promise<void>;
let commit: string;

function policies(): string {
  return join(root, "policies");
}

describe.skipIf(!HAS_GIT)(
  HAS_GIT ? "the git commit of policies" : "the git commit of policies (git is not installed)",
  () => {
    beforeEach(async () => {
      const temporary = await temporaryDirectory();
      root = temporary.path;
      remove = () => temporary.remove();
      git(root, "init", "-q", "-b", "main");
      await writeFiles(root, {
        "README.md": "policies\n",
        "policies/album.yaml": "a: 1\n",
        "policies/_schemas/album.json": "{}\n",
        "policies/tests/album_test.yaml": "b: 1\n",
        "policies/tests/testdata/principals.yaml": "c: 1\n",
        "other/x.yaml": "d: 1\n",
      });
      git(root, "add", ".");
      git(root, "commit", "-q", "-m", "first");
      commit = git(root, "rev-parse", "HEAD");
    });
    afterEach(() => remove());

    it("is HEAD when the files are its own", async () => {
      expect(await commitOf(policies())).toBe(commit);
      expect(await commitOf(root)).toBe(commit);
    });

    it("is HEAD of a branch that is packed, of a detached one, of a second work tree and through a link", async () => {
      git(root, "pack-refs", "--all");
      git(root, "gc", "-q");
      expect(await commitOf(policies())).toBe(commit);
      git(root, "checkout", "-q", "--detach");
      expect(await commitOf(policies())).toBe(commit);
      const second = join(root, "second");
      git(root, "worktree", "add", "-q", second, "-b", "side");
      expect(await commitOf(join(second, "policies"))).toBe(commit);
      await symlink(policies(), join(root, "link"));
      expect(await commitOf(join(root, "link"))).toBe(commit);
    });

    it("does not change with files that no bundle is made of", async () => {
      await writeFiles(root, {
        "README.md": "changed\n",
        "policies/notes.txt": "new\n",
        "other/x.yaml": "e: 1\n",
      });
      await writeFiles(policies(), { ".hidden/y.yaml": "f: 1\n" });
      expect(await commitOf(policies())).toBe(commit);
    });

    it.each([
      ["a changed policy", () => writeFile(join(policies(), "album.yaml"), "a: 2\n")],
      [
        "a change that is only staged away",
        async () => {
          await writeFile(join(policies(), "album.yaml"), "a: 2\n");
          git(root, "add", ".");
        },
      ],
      ["a new policy", () => writeFile(join(policies(), "new.yaml"), "a: 1\n")],
      [
        "a new policy that git ignores",
        async () => {
          await writeFile(join(root, ".gitignore"), "*.yaml\n");
          await writeFile(join(policies(), "new.yaml"), "a: 1\n");
        },
      ],
      ["a policy less", () => rm(join(policies(), "album.yaml"))],
      ["a policy that was renamed", () => rename(join(policies(), "album.yaml"), join(policies(), "b.yaml"))],
      ["a changed schema", () => writeFile(join(policies(), "_schemas", "album.json"), "[]\n")],
      ["a changed test suite", () => writeFile(join(policies(), "tests", "album_test.yaml"), "b: 2\n")],
      ["a changed fixture", () => writeFile(join(policies(), "tests", "testdata", "principals.yaml"), "\n")],
      ["a policy that is a link", () => symlink("album.yaml", join(policies(), "link.yaml"))],
      [
        "a change that git was told to overlook",
        async () => {
          git(root, "update-index", "--assume-unchanged", "policies/album.yaml");
          await writeFile(join(policies(), "album.yaml"), "a: 2\n");
        },
      ],
    ])("is not known with %s", async (_name, change) => {
      await change();
      expect(await commitOf(policies())).toBeNull();
    });

    it("is not known outside of a repository, without a commit, and for a directory that is not there", async () => {
      const other = await temporaryDirectory();
      const { path } = other;
      await cp(policies(), join(path, "policies"), { recursive: true });
      expect(await commitOf(join(path, "policies"))).toBeNull();
      git(path, "init", "-q");
      expect(await commitOf(join(path, "policies"))).toBeNull();
      expect(await commitOf(join(path, "nothing"))).toBeNull();
      await other.remove();
    });

    it("is found in two checkouts alike", async () => {
      const other = await temporaryDirectory();
      const { path } = other;
      git(path, "clone", "-q", root, "copy");
      expect(await commitOf(join(path, "copy", "policies"))).toBe(commit);
      await other.remove();
    });

    it("runs nothing that the repository names, and reads none of its configuration", async () => {
      const traces = join(root, "traces");
      await mkdir(traces);
      const script = (name: string): string => `touch ${join(traces, name)}; false`;
      const hooks = join(root, ".git", "hooks");
      await mkdir(hooks, { recursive: true });
      for (const hook of ["post-index-change", "post-checkout", "pre-auto-gc", "fsmonitor-watchman"]) {
        await writeFile(join(hooks, hook), `#!/bin/sh\n${script(hook)}\n`);
        await chmod(join(hooks, hook), 0o755);
      }
      for (const [key, name] of [
        ["core.fsmonitor", "fsmonitor"],
        ["core.sshCommand", "ssh"],
        ["core.pager", "pager"],
        ["core.editor", "editor"],
        ["core.alternateRefsCommand", "alternates"],
        ["filter.evil.clean", "clean"],
        ["filter.evil.process", "process"],
        ["uploadpack.packObjectsHook", "pack"],
        ["diff.external", "diff"],
      ] as const) {
        git(root, "config", key, `sh -c "${script(name)}"`);
      }
      await writeFile(join(root, ".gitattributes"), "*.yaml filter=evil diff=evil\n");
      expect(await commitOf(policies())).toBe(commit);
      // The trap works: git itself, asked plainly, falls into it.
      try {
        git(root, "status");
      } catch {
        // It may fail, because the monitor does.
      }
      const left = ["fsmonitor", "clean", "process"].filter((name) => existsSync(join(traces, name)));
      expect(left.length).toBeGreaterThan(0);
      await rm(traces, { recursive: true });
      await mkdir(traces);
      await writeFile(join(policies(), "album.yaml"), "a: 2\n");
      expect(await commitOf(policies())).toBeNull();
      const trace = ["fsmonitor", "clean", "process", "ssh", "pager", "post-index-change"];
      expect(trace.filter((name) => existsSync(join(traces, name)))).toEqual([]);
    });

    it.each([
      ["a ref outside of the repository", "ref: refs/../../../secret\n"],
      ["a ref that leads to itself", "ref: refs/heads/loop\n"],
      ["an option instead of a commit", "--upload-pack=touch\n"],
      ["nothing", ""],
    ])("is not known when HEAD is %s", async (_name, head) => {
      await writeFile(join(root, ".git", "refs", "heads", "loop"), "ref: refs/heads/loop\n");
      await writeFile(join(root, ".git", "HEAD"), head);
      expect(await commitOf(policies())).toBeNull();
    });

    it("is not known without git", async () => {
      const { PATH } = process.env;
      process.env["PATH"] = root;
      try {
        expect(await commitOf(policies())).toBeNull();
      } finally {
        process.env["PATH"] = PATH;
      }
    });
  },
);
