/** `edict lint`: what a careful reviewer would say of policies that compile. The findings are compiler/lint's. */
import { resolve } from "node:path";
import { renderDiagnostics, requireDirectory } from "../bundle/policy-source.ts";
import { PolicyError, ServeError, UsageError } from "../errors.ts";
import { CompilePool } from "../pool/compile-pool.ts";
import { type Command, EXIT_OK, EXIT_POLICIES } from "./command.ts";

export const lintCommand: Command = {
  name: "lint",
  summary: "review policies: rules that never decide, unused names, risky conditions",
  usage: "<dir> [--strict] [--json]",
  options: {
    strict: { type: "boolean", help: "exit with 3 when there is a finding, for CI" },
    json: { type: "boolean", help: "print the findings as JSON" },
  },
  examples: [
    "edict lint policies",
    "edict lint policies --strict",
    "edict lint policies --json | jq .findings",
  ],
  positionals: [1, 1],
  async run(given, io) {
    const [directory = ""] = given.positionals;
    await requireDirectory(directory).catch((error: unknown) => {
      throw error instanceof ServeError ? new UsageError(error.message, "lint") : error;
    });
    const pool = new CompilePool();
    const { diagnostics, rendered } = await pool
      .compile({ directory: resolve(directory), lint: true })
      .finally(() => pool.close());
    const failed = diagnostics.some(({ severity }) => severity === "error");
    const refused = failed || (given.flag("strict") && diagnostics.length > 0);

    if (given.flag("json")) {
      io.stdout(`${JSON.stringify({ ok: !refused, findings: diagnostics }, null, 2)}\n`);
      return refused ? EXIT_POLICIES : EXIT_OK;
    }
    const text = renderDiagnostics(diagnostics, rendered);
    if (failed) throw new PolicyError(diagnostics, text);
    io.stdout(text === "" ? "no findings\n" : `${text}\n`);
    return refused ? EXIT_POLICIES : EXIT_OK;
  },
};
