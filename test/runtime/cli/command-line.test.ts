/** The command line: help, mistakes and exit codes that need neither compiler nor server. */
import { describe, expect, it } from "vitest";
import { suggest } from "../../../runtime/cli/arguments.ts";
import { runCommandLine } from "../../../runtime/cli/main.ts";

async function run(...given: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const code = await runCommandLine(given, {
    stdout: (text) => (out += text),
    stderr: (text) => (err += text),
    stdin: () => Promise.resolve(new Uint8Array(0)),
    environment: {},
  });
  return { code, out, err };
}

describe("edict", () => {
  it("shows all commands without arguments", async () => {
    for (const given of [[], ["help"], ["--help"]]) {
      const { code, out } = await run(...given);
      expect(code).toBe(0);
      for (const name of ["serve", "compile", "check", "inspect", "test", "verify", "bench", "lint"]) {
        expect(out).toMatch(new RegExp(`^  ${name} `, "m"));
      }
    }
  });

  it("shows examples for every command", async () => {
    for (const name of ["serve", "compile", "check", "inspect"]) {
      const { code, out } = await run(name, "--help");
      expect(code).toBe(0);
      expect(out).toMatch(new RegExp(`examples:\n  (?:cat .*)?edict ${name} `));
      expect((await run("help", name)).out).toBe(out);
    }
  });

  it("knows its version", async () => {
    expect((await run("version")).out).toMatch(/^edict \d+\.\d+\.\d+ /);
  });

  it.each([
    [["sreve"], /unknown command `sreve`, did you mean `serve`/],
    [["zzzzzz"], /unknown command `zzzzzz`\n/],
    [["test"], /usage: edict test/],
    [["verify"], /usage: edict verify <bundle>/],
    [["verify", "a.edict"], /give a public key with `--verify-key`/],
    [["sign"], /usage: edict sign <bundle>/],
    [["sign", "a.edict"], /give a private key with `--key`/],
    [["keygen"], /say where to with `-o <prefix>`/],
    [["keygen", "-o", "x", "--alg", "RS256"], /`--alg` must be EdDSA or ES256, not `RS256`/],
    [
      ["keygen", "-o", "x", "--expires", "soon"],
      /`--expires` must be a duration such as 90d or 12h, not `soon`/,
    ],
    [["compile", "examples/policies", "--sequence", "1.5"], /`--sequence` must be a whole number, not `1.5`/],
    [
      ["compile", "examples/policies", "--sequence", "99999999999999999999"],
      /`--sequence` must be a whole number/,
    ],
    [["compile", "examples/policies", "--sign", "x"], /`--sign` needs `--output`/],
    [["check", "--policies", "examples/policies", "--verify-key", "x"], /`--verify-key` needs a bundle/],
    [["bench"], /not available yet/],
    [["lint"], /usage: edict lint/],
    [["serve", "--polices", "x"], /unknown option `--polices`, did you mean `--policies`/],
    [["serve", "-x"], /unknown option `-x`/],
    [["serve", "--policies"], /`--policies` needs a value <dir>/],
    [["serve", "--policies", "--watch"], /`--policies` needs a value <dir>/],
    [["serve", "--watch=yes"], /`--watch` takes no value/],
    [["serve", "--policies", "a", "--policies", "b"], /given twice/],
    [["serve", "--policies", "a", "--bundle", "b"], /either `--policies` or `--bundle`/],
    [["serve", "--threads", "0"], /`--threads` must be from 1 to 256, not `0`/],
    [["serve", "--http", "nowhere"], /`nowhere` is not an address/],
    [["serve", "--on-error", "ignore"], /must be one of fail-closed, compatible, strict/],
    [["serve", "extra"], /unexpected argument `extra`/],
    [["compile"], /usage: edict compile <dir>/],
    [["compile", "policies", "--print", "wat"], /must be ir or as/],
    [["compile", "does-not-exist"], /policy directory `does-not-exist` does not exist/],
    [["check"], /`--policies` or `--bundle`/],
    [["check", "--bundle", "x", "does-not-exist.json"], /cannot read the request/],
    [["inspect"], /usage: edict inspect <bundle>/],
  ])("answers %j with exit code 2", async (given, message) => {
    const { code, out, err } = await run(...given);
    expect(err).toMatch(message);
    expect(err).toMatch(/see: edict help/);
    expect(out).toBe("");
    expect(code).toBe(2);
  });

  it.each([
    [["inspect", "does-not-exist.edict"], /ENOENT/],
    [["inspect", "package.json"], /not an edict bundle/],
    [["serve", "--bundle", "does-not-exist.edict"], /ENOENT/],
    [["serve", "--policies", "does-not-exist"], /policy directory `does-not-exist` does not exist/],
    [["serve", "--policies", "package.json"], /is not a directory/],
    [["serve", "--config", "does-not-exist.yaml"], /does-not-exist\.yaml: ENOENT/],
    [["serve", "--set", "schema.enforcement=maybe"], /must be one of none, warn, reject/],
    [["serve", "--set", "server.foo=1", "--set", "engine.bar=2"], /`server\.foo`\n.*`engine\.bar`/],
  ])("answers %j with exit code 4", async (given, message) => {
    const { code, err } = await run(...given);
    expect(err).toMatch(message);
    expect(code).toBe(4);
  });
});

describe("suggest", () => {
  it("suggests what is near and nothing else", () => {
    expect(suggest("polcies", ["policies", "bundle"])).toBe("policies");
    expect(suggest("WATCH", ["watch"])).toBe("watch");
    expect(suggest("x", ["a", "b"])).toBeNull();
    expect(suggest("completely-different", ["policies"])).toBeNull();
    expect(suggest("y".repeat(100_000), ["policies"])).toBeNull();
  });
});
