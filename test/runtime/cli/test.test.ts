/** `edict test` on small directories: exit codes, formats and coverage. Needs `npm run build`, as every command that compiles. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommandLine } from "../../../runtime/cli/main.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      output:
        when: { conditionNotMet: '"not yours"' }
      condition:
        match:
          expr: R.attr.owner == P.id
`;

const suite = (effect: string): string => `name: Docs
principals: { ann: { id: ann, roles: [user] } }
resources: { own: { id: own, kind: doc, attr: { owner: ann } } }
tests:
  - name: owners
    input: { principals: [ann], resources: [own], actions: [view] }
    expected: [{ principal: ann, resource: own, actions: { view: ${effect} } }]
`;

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "edict-test-"));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

async function run(
  files: Readonly<Record<string, string>>,
  ...options: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const target = await mkdtemp(join(directory, "set-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(target, name), text);
  let [stdout, stderr] = ["", ""];
  const code = await runCommandLine(["test", target, ...options], {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    stdin: async () => new Uint8Array(0),
    environment: {},
  });
  return { code, stdout, stderr };
}

const PASSING = { "doc.yaml": POLICY, "doc_test.yaml": suite("EFFECT_ALLOW") };
const FAILING = { "doc.yaml": POLICY, "doc_test.yaml": suite("EFFECT_DENY") };

describe("edict test", () => {
  it("passes with 0 and fails with 4, naming the cell", async () => {
    expect((await run(PASSING)).code).toBe(0);
    const { code, stdout } = await run(FAILING, "--output", "list");
    expect(code).toBe(4);
    expect(stdout).toContain("view [FAILED]");
    expect(stdout).toContain("OUTCOME: expected: EFFECT_DENY, actual: EFFECT_ALLOW");
    expect(stdout).toContain("1 tests executed [1 FAILED]");
  });

  it("reports policies that do not compile with 3, and runs nothing", async () => {
    const { code, stdout, stderr } = await run({ ...PASSING, "bad.yaml": "bogus: 1\n" });
    expect(code).toBe(3);
    expect(stdout).toBe("");
    expect(stderr).toContain("bad.yaml:1:1");
  });

  it("prints what is wrong with policies as one JSON document when JSON is asked for", async () => {
    const { code, stdout } = await run({ ...PASSING, "bad.yaml": "bogus: 1\n" }, "--output", "json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      lintErrors: { load_failures: [{ file: "bad.yaml", error: "unknown field `bogus`" }] },
    });
  });

  it("says why a test failed when it is verbose", async () => {
    const { stdout } = await run(FAILING, "--verbose");
    expect(stdout).toContain("TRACES\nDocs - ann.own.view\n");
    expect(stdout).toMatch(/decided by .*\n.*at doc\.yaml:6:/u);
    expect(stdout).toContain("true  R.attr.owner == P.id");
    expect((await run(FAILING)).stdout).not.toContain("TRACES");
  });

  it("takes a file without contents for no suite", async () => {
    expect((await run({ ...PASSING, "empty_test.yaml": "# to do\n---\n" })).code).toBe(0);
  });

  it("reports a broken suite with its place and 4", async () => {
    const { code, stdout } = await run({ "doc.yaml": POLICY, "doc_test.yaml": "name: x\nbogus: 1\n" });
    expect(code).toBe(4);
    expect(stdout).toContain('2:1 unknown field "bogus"');
  });

  it("prints one JSON or XML document, whatever else is asked for", async () => {
    const json = await run(FAILING, "--output", "json", "--coverage");
    expect(JSON.parse(json.stdout)).toMatchObject({
      summary: { overallResult: "RESULT_FAILED", testsCount: 1 },
    });
    const junit = await run(FAILING, "-o", "junit", "--coverage");
    expect(junit.stdout).toMatch(
      /^<testsuites errors="0" failures="1" skipped="0" tests="1">[^]*<\/testsuites>\n$/u,
    );
  });

  it("runs what the filters name and refuses filters it does not know", async () => {
    expect((await run(FAILING, "--test-filter", "principal=bob")).code).toBe(0);
    expect((await run(FAILING, "--run", "^nothing$")).code).toBe(0);
    expect((await run(FAILING, "--test-filter", "test=own*;action=view")).code).toBe(4);
    const { code, stderr } = await run(FAILING, "--test-filter", "bogus=1");
    expect(code).toBe(2);
    expect(stderr).toContain('unknown filter dimension "bogus"');
  });

  it("says what no test reached, and fails with 1 below the asked coverage", async () => {
    const { code, stdout } = await run(PASSING, "--min-coverage", "100");
    expect(code).toBe(1);
    expect(stdout).toContain("Coverage 50% (2 of 4)");
    expect(stdout).toContain("condition never false: R.attr.owner == P.id");
    expect(stdout).toContain("output for `conditionNotMet` never given");
    expect((await run(PASSING, "--min-coverage", "50")).code).toBe(0);
  });

  it("writes coverage as LCOV and JSON", async () => {
    const file = join(directory, "coverage");
    await run(PASSING, "--coverage-format", "lcov", "--coverage-output", file);
    expect(await readFile(file, "utf8")).toMatch(
      /^TN:\nSF:doc\.yaml\n[^]*BRF:2\nBRH:1\n[^]*end_of_record\n$/u,
    );
    await run(PASSING, "--coverage-format", "json", "--coverage-output", file);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({ percent: 50, covered: 2, total: 4 });
  });
});
