/**
 * Golden cases: each directory under cases/ holds policies and what they become, either the program and the generated
 * AssemblyScript, or the rendered errors. Rewritten only by `npm run golden`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { render } from "../../compiler/diagnostics/render.ts";
import { readSources } from "../../compiler/directory.ts";
import { plan } from "../../compiler/index.ts";
import { printProgram } from "../../compiler/ir/print.ts";

const root = join(import.meta.dirname, "cases");

describe.each(readdirSync(root))("golden case %s", (name) => {
  test("policies become what the golden files say", async () => {
    const { sources } = await readSources(join(root, name, "policies"));
    const { program, emitted, diagnostics } = plan(sources);
    await expect(render(diagnostics, sources)).toMatchFileSnapshot(join(root, name, "errors.golden"));
    if (program === undefined || emitted === undefined) return;
    await expect(printProgram(program)).toMatchFileSnapshot(join(root, name, "ir.golden"));
    await expect(emitted.module.policy).toMatchFileSnapshot(join(root, name, "module.as.golden"));
  });

  test("the order of files does not matter", async () => {
    const { sources } = await readSources(join(root, name, "policies"));
    const forward = plan(sources);
    const backward = plan(sources.toReversed());
    expect(backward.diagnostics).toEqual(forward.diagnostics);
    expect(backward.emitted).toEqual(forward.emitted);
  });
});
