/** `edict keygen`, `compile --sign`, `sign`, `inspect`, `verify` and `check --verify-key` as a user runs them. */
import { cp, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import {
  albumRequest,
  IS_BUILT,
  POLICIES,
  type Run,
  runEdict,
  temporaryDirectory,
  writeFiles,
} from "../support/daemon.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/policies", import.meta.url));

/** Asks for the sample decision by a bundle. */
function ask(...given: string[]): Promise<Run> {
  return runEdict(["check", "--bundle", ...given, "-"], JSON.stringify(albumRequest()));
}

describe.skipIf(!IS_BUILT)(IS_BUILT ? "signing" : "signing (run `npm run build`)", () => {
  let directory: string;
  let remove: () => Promise<void>;
  const path = (name: string): string => join(directory, name);

  beforeAll(async () => {
    const temporary = await temporaryDirectory();
    directory = temporary.path;
    remove = () => temporary.remove();
    await writeFiles(path("policies"), POLICIES);
    for (const [name, ...rest] of [["one"], ["two", "--alg", "ES256", "--expires", "90d"]]) {
      const { code, err } = await runEdict(["keygen", "-o", path(name ?? ""), ...rest]);
      expect(code, err).toBe(0);
    }
    const given = ["compile", path("policies"), "-o", path("a.edict"), "--sequence", "42"];
    const { code, err } = await runEdict([...given, "--sign", path("one.private.jwk")]);
    expect(code, err).toBe(0);
  }, 240_000);
  afterAll(() => remove());

  it("makes keys of which only the public one may be read by others, and never replaces one", async () => {
    expect((await stat(path("one.private.jwk"))).mode & 0o777).toBe(0o600);
    const open = JSON.parse(await readFile(path("two.public.jwk"), "utf8")) as Record<string, unknown>;
    expect(Object.keys(open).toSorted()).toEqual(["alg", "crv", "exp", "kid", "kty", "use", "x", "y"]);
    const days = (Number(open["exp"]) - Date.now() / 1000) / 86_400;
    expect(days).toBeGreaterThan(89);
    expect(days).toBeLessThan(90.01);
    const before = await readFile(path("one.private.jwk"), "utf8");
    const again = await runEdict(["keygen", "-o", path("one")]);
    expect(again.code).toBe(2);
    expect(again.err).toMatch(/cannot write .*one\.private\.jwk`: EEXIST/);
    expect(await readFile(path("one.private.jwk"), "utf8")).toBe(before);
    expect(`${again.out}${again.err}`).not.toContain((JSON.parse(before) as { d: string }).d);
  });

  it("leaves no private key behind when the public one cannot be written", async () => {
    await writeFile(path("half.public.jwk"), "taken");
    expect((await runEdict(["keygen", "-o", path("half")])).code).toBe(2);
    await expect(stat(path("half.private.jwk"))).rejects.toThrow(/ENOENT/);
    expect(await readFile(path("half.public.jwk"), "utf8")).toBe("taken");
  });

  it("shows sequence, commit, signatures and what they are worth", async () => {
    const unasked = await runEdict(["inspect", path("a.edict")]);
    expect(unasked.out).toMatch(/^sequence {4}42$/m);
    expect(unasked.out).toMatch(/^git commit {2}not known$/m);
    expect(unasked.out).toMatch(/^signed by {3}\S+ \(EdDSA, on \S+Z\): not verified/m);
    const good = await runEdict(["inspect", path("a.edict"), "--verify-key", path("one.public.jwk")]);
    expect(good.code).toBe(0);
    expect(good.out).toMatch(/: verified$/m);
    const json = await runEdict([
      "inspect",
      path("a.edict"),
      "--json",
      "--verify-key",
      path("one.public.jwk"),
    ]);
    expect(JSON.parse(json.out)).toMatchObject({
      sequence: 42,
      gitCommit: null,
      signatures: [{ alg: "EdDSA", exp: null, state: "valid" }],
    });
    const other = await runEdict(["inspect", path("a.edict"), "--verify-key", path("two.public.jwk")]);
    expect(other.code).toBe(4);
    expect(other.out).toMatch(/: the key is none of the verify keys$/m);
    expect(other.err).toMatch(
      /^edict: the bundle is signed with key `\S+`, which is none of the verify keys$/m,
    );
  });

  it("adds a signature to a bundle, which then verifies by either key, and keeps its digest", async () => {
    const signed = await runEdict([
      "sign",
      path("a.edict"),
      "--key",
      path("two.private.jwk"),
      "-o",
      path("b.edict"),
    ]);
    expect(signed.code, signed.err).toBe(0);
    for (const name of ["one", "two"]) {
      const verified = await runEdict([
        "verify",
        path("b.edict"),
        "--verify-key",
        path(`${name}.public.jwk`),
      ]);
      expect(verified.code, verified.err).toBe(0);
    }
    const [before, after] = await Promise.all(["a", "b"].map((name) => readFile(path(`${name}.edict`))));
    expect(readBundle(after ?? new Uint8Array(0)).digest).toBe(
      readBundle(before ?? new Uint8Array(0)).digest,
    );
  });

  it("refuses to decide by a bundle that is not signed by the key", async () => {
    const good = await ask(path("a.edict"), "--verify-key", path("one.public.jwk"));
    expect(good.code, good.err).toBe(0);
    const bad = await ask(path("a.edict"), "--verify-key", path("two.public.jwk"));
    expect(bad).toMatchObject({ code: 4, out: "" });
    const listed = await ask(path("a.edict"), "--verify-key", path("one.private.jwk"));
    expect(listed.err).toMatch(/holds a private key/);
    expect(listed.code).toBe(4);
  });

  it("compiles the same sources in another place to the same bytes", { timeout: 240_000 }, async () => {
    await cp(EXAMPLES, path("copy"), { recursive: true });
    const files: Buffer[] = [];
    for (const [index, source] of [EXAMPLES, path("copy")].entries()) {
      const target = path(`same-${index}.edict`);
      const { code, err } = await runEdict(["compile", source, "-o", target, "--no-git", "--sequence", "1"]);
      expect(code, err).toBe(0);
      files.push(await readFile(target));
    }
    expect(files[0]?.equals(files[1] ?? Buffer.alloc(0))).toBe(true);
    expect(readBundle(files[0] ?? new Uint8Array(0)).selfTest).not.toBeNull();
  });
});
