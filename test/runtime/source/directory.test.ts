/** A watched directory: every fetch gives what a clean compilation of the same files gives, whatever the watcher has told. */
import { EventEmitter, once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { compileDirectory } from "../../../runtime/bundle/policy-source.ts";
import { CompilePool } from "../../../runtime/pool/compile-pool.ts";
import { DirectorySource } from "../../../runtime/source/directory-source.ts";
import { BUILD_DAEMON, DAEMON_IS_BUILT } from "../../support/daemon.ts";

function policy(kind: string, role: string): string {
  return `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${kind}
  version: default
  rules:
    - actions: [read]
      effect: EFFECT_ALLOW
      roles: [${role}]
      condition:
        match:
          expr: R.attr.owner == P.id
`;
}

let home = "";
let root = "";
let pool = new CompilePool();
let source: DirectorySource;
let stop = (): void => undefined;
/** Says `changed` for each time that the source has. */
let told = new EventEmitter();
let change: Promise<unknown> = Promise.resolve();

/** Resolves when the source has said that it changed since the last call. */
async function changed(): Promise<void> {
  await change;
  change = once(told, "changed");
}

async function fetchBytes(): Promise<Buffer | "unchanged"> {
  const fetched = await source.fetch();
  return fetched === "unchanged" ? fetched : Buffer.from(fetched.bytes);
}

/**
 * What the fetch gives that is told of `file`, null for one that looks at everything. Others can come before it: for what an earlier
 * edit is told late, and for a look at all files that is due meanwhile.
 */
async function fetchTold(file: string | null): Promise<Buffer | "unchanged"> {
  const compile = vi.spyOn(pool, "compile");
  try {
    for (;;) {
      await changed();
      const bytes = await fetchBytes();
      const task = compile.mock.lastCall?.[0];
      const looksAtAll = task?.changedFiles === undefined && task?.onlyIfChanged !== true;
      if (looksAtAll || (file !== null && task?.changedFiles?.includes(file) === true)) return bytes;
    }
  } finally {
    compile.mockRestore();
  }
}

/** Of a compiler that has never run before. */
async function cleanBytes(): Promise<Buffer> {
  const clean = new CompilePool();
  try {
    const compiled = await compileDirectory(
      { kind: "directory", directory: root, watch: false },
      clean,
      true,
    );
    if (compiled === "unchanged") throw new Error("nothing was compiled");
    return Buffer.from(compiled.bundle);
  } finally {
    await clean.close();
  }
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "edict-directory-"));
  root = join(home, "policies");
  mkdirSync(root);
  writeFileSync(join(root, "a.yaml"), policy("a", "user"));
  writeFileSync(join(home, "elsewhere.yaml"), policy("b", "user"));
  symlinkSync(join(home, "elsewhere.yaml"), join(root, "b.yaml"));
  pool = new CompilePool();
  source = new DirectorySource({ kind: "directory", directory: root, watch: true }, pool);
  told = new EventEmitter();
  change = once(told, "changed");
});

afterEach(async () => {
  stop();
  await pool.close();
  rmSync(home, { recursive: true, force: true });
});

function watch(): void {
  stop = source.watch(() => told.emit("changed"));
}

describe.skipIf(!DAEMON_IS_BUILT)(DAEMON_IS_BUILT ? "a directory" : `a directory (${BUILD_DAEMON})`, () => {
  it("gives the bundle of its files after every edit", { timeout: 180_000 }, async () => {
    const first = await fetchBytes();
    expect(first).toEqual(await cleanBytes());
    watch();
    // The watch begins a moment later; edits go on until it has seen one.
    const poke = setInterval(() => writeFileSync(join(root, "a.yaml"), policy("a", "admin")), 100);
    await changed();
    clearInterval(poke);
    const edited = await fetchBytes();
    expect(edited).not.toEqual(first);
    expect(edited).toEqual(await cleanBytes());
    const edits: readonly (readonly [file: string | null, edit: () => void])[] = [
      ["c.yaml", () => writeFileSync(join(root, "c.yaml"), policy("c", "user"))],
      ["c.yaml", () => rmSync(join(root, "c.yaml"))],
      [null, () => mkdirSync(join(root, "more"))],
    ];
    for (const [file, edit] of edits) {
      edit();
      expect(await fetchTold(file)).toEqual(await cleanBytes());
    }
  });

  it("finds what no event told of by itself, soon after an edit", { timeout: 180_000 }, async () => {
    await source.fetch();
    watch();
    const poke = setInterval(() => writeFileSync(join(root, "a.yaml"), policy("a", "admin")), 100);
    await changed();
    clearInterval(poke);
    // No event tells of a file that only a link in the directory leads to.
    writeFileSync(join(home, "elsewhere.yaml"), policy("b", "admin"));
    const clean = await cleanBytes();
    let bytes = await fetchBytes();
    while (bytes === "unchanged" || !bytes.equals(clean)) {
      await changed();
      bytes = await fetchBytes();
    }
    // The next look finds everything as it is.
    writeFileSync(join(root, "a.yaml"), policy("a", "admin"));
    while (bytes !== "unchanged") {
      await changed();
      bytes = await fetchBytes();
    }
    expect(bytes).toBe("unchanged");
  });

  it("compiles again after an error, though nothing has changed since", { timeout: 180_000 }, async () => {
    await source.fetch();
    writeFileSync(join(root, "a.yaml"), "resourcePolicy: [");
    source.forget();
    await expect(source.fetch()).rejects.toThrow();
    await expect(source.fetch()).rejects.toThrow();
    writeFileSync(join(root, "a.yaml"), policy("a", "user"));
    expect(await fetchBytes()).toEqual(await cleanBytes());
  });
});
