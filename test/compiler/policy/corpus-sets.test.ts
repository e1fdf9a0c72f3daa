/** Whole policy repositories of the corpora: they must resolve, completely and without errors. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSources } from "../../../compiler/directory.ts";
import { load } from "../../../compiler/load/index.ts";
import { resolve } from "../../../compiler/policy/index.ts";
import { CORPUS, hasCorpus } from "./corpus.ts";
import { check } from "./policies.ts";

/** Files of a load test set, each template written `copies` times. */
function loadTest(set: "classic" | "multitenant", copies: number): Record<string, string> {
  const folder = join(CORPUS, "loadtest", set, "policies");
  const files: Record<string, string> = {};
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!/\.(yaml|json)$/.test(path)) {
      continue;
    }
    const text = readFileSync(join(folder, path), "utf8");
    for (let copy = 0; copy < (path.includes("@N@") ? copies : 1); copy++) {
      const number = String(copy).padStart(5, "0");
      files[path.replaceAll("@N@", number)] = text.replaceAll("@N@", number);
    }
  }
  return files;
}

describe.skipIf(!hasCorpus)("whole sets", () => {
  it("resolves the classic load test", () => {
    const { set, diagnostics } = check(loadTest("classic", 3));
    expect(diagnostics).toEqual([]);
    expect(set.schemas.size).toBe(9);
    const keys = set.resourcePolicies.map(({ key }) => key);
    expect(keys).toContain("resource.leave_request_00002.vdefault/acme.hr.uk");
    expect(set.principalPolicies.map(({ key }) => key)).toContain("principal.donald_duck_00000.v20210210");
  });

  it("resolves the multitenant load test, with warnings about versions only", () => {
    const { set, diagnostics } = check(loadTest("multitenant", 2));
    expect(new Set(diagnostics.map(({ code }) => code))).toEqual(new Set(["EDICT2108"]));
    expect(set.rolePolicies.length).toBeGreaterThan(10);
  });

  const steps = hasCorpus ? readdirSync(join(CORPUS, "tutorial"), { withFileTypes: true }) : [];
  it.each(steps.filter((step) => step.isDirectory()).map(({ name }) => name))(
    "resolves tutorial step %s",
    async (step) => {
      const { sources, diagnostics } = await readSources(join(CORPUS, "tutorial", step, "policies"));
      const loaded = load(sources);
      const resolved = resolve(loaded);
      expect(diagnostics).toEqual([]);
      expect([...loaded.diagnostics, ...resolved.diagnostics]).toEqual([]);
      expect(resolved.set.resourcePolicies.length).toBeGreaterThan(2);
    },
  );

  it("resolves the store, without what it says to leave out", async () => {
    const { sources, diagnostics } = await readSources(join(CORPUS, "store", "policies"));
    const loaded = load(sources);
    const { set, diagnostics: problems } = resolve(loaded);
    const errors = [...diagnostics, ...loaded.diagnostics, ...problems].filter(
      ({ severity }) => severity === "error",
    );
    expect(errors).toEqual([]);
    expect([...set.schemas.keys()].sort()).toEqual([
      "principal.json",
      "resources/leave_request.json",
      "resources/purchase_order.json",
      "resources/salary_record.json",
    ]);
    const files = set.resourcePolicies.map(({ place }) => place.file);
    expect(files.filter((file) => /hidden|disabled|_test|testdata/.test(file))).toEqual([]);
    expect(files.length).toBeGreaterThan(25);
  });
});
