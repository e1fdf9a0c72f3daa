/** `edict check`: one request decided without a daemon, and explained. */
import { readFile } from "node:fs/promises";
import { TokenVerifier } from "../aux-data/token-verifier.ts";
import { loadPolicies } from "../bundle/policy-source.ts";
import { VerifyKeys } from "../bundle/signature.ts";
import type { Config, PolicySource } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { UsageError } from "../errors.ts";
import { Engine } from "../guest/engine.ts";
import type { CheckRequest, CheckResponse } from "../guest/messages.ts";
import { oneLine } from "../guest/modules.ts";
import { CompilePool } from "../pool/compile-pool.ts";
import { type Command, EXIT_NO, EXIT_OK, type Io } from "./command.ts";
import { actionLines, explanationLines } from "./decision-text.ts";
import {
  ON_ERROR_OPTION,
  onErrorFrom,
  POLICY_OPTIONS,
  policySourceFrom,
  VERIFY_KEY_OPTION,
} from "./engine-options.ts";

/** Limits of a check from the command line: as high as they may be set. */
const LIMIT = 500;

export const checkCommand: Command = {
  name: "check",
  summary: "decide one request and say why",
  usage: "[--policies <dir> | --bundle <file>] [request.json | -]",
  options: {
    ...POLICY_OPTIONS,
    "verify-key": VERIFY_KEY_OPTION,
    config: {
      type: "string",
      value: "<file>",
      help: "configuration of the daemon: engine settings and key sets",
    },
    explain: { type: "boolean", help: "show rules, derived roles and conditions behind every decision" },
    json: { type: "boolean", help: "print the answer, or with --explain the explanation, as JSON" },
    "exit-code": { type: "boolean", help: "exit with 1 when any action is denied" },
    "on-error": ON_ERROR_OPTION,
  },
  examples: [
    "edict check --policies policies request.json",
    "edict check --policies policies --explain request.json",
    "cat request.json | edict check --bundle policies.edict --exit-code -",
  ],
  positionals: [0, 1],
  async run(given, io) {
    const file = given.text("config") ?? null;
    const { config } = await loadConfig(file, [], io.environment);
    const source = policySourceFrom(given, "check") ?? (file === null ? null : config.policies);
    if (source === null) throw new UsageError("give the policies with `--policies` or `--bundle`", "check");
    const verifyKeys = await verifyKeysFrom(given.texts("verify-key"), config, source);
    const onError = onErrorFrom(given, "check") ?? config.engine.onError;
    const request = await readRequest(given.positionals[0] ?? "-", io);
    const tokens = await TokenVerifier.start(config.auxData);

    const compiler = new CompilePool();
    const { bundle, warnings } = await loadPolicies(source, compiler).finally(() => compiler.close());
    if (warnings !== "") io.stderr(`${warnings}\n`);
    const engine = await Engine.load(bundle, {
      ...config.engine,
      verifyKeys,
      onError,
      maxActionsPerResource: LIMIT,
      maxResourcesPerRequest: LIMIT,
      tokens,
    });
    const response = await engine.checkAsync({ ...request, includeMeta: true }).finally(() => tokens.close());
    if (given.flag("explain")) {
      const explanation = await engine.explainAsync(request);
      io.stdout(given.flag("json") ? json(explanation) : `${explanationLines(explanation).join("\n")}\n`);
    } else {
      io.stdout(given.flag("json") ? json(response) : `${actionLines(response, request).join("\n")}\n`);
    }
    return given.flag("exit-code") && deniesAny(response) ? EXIT_NO : EXIT_OK;
  },
};

/** The keys of the flags, or of the configuration; null for none. What is compiled here has no signature. */
async function verifyKeysFrom(
  given: readonly string[],
  config: Config,
  source: PolicySource,
): Promise<VerifyKeys | null> {
  if (source.kind === "directory") {
    if (given.length > 0)
      throw new UsageError("`--verify-key` needs a bundle; a directory is not signed", "check");
    return null;
  }
  const files = given.length > 0 ? given : config.bundle.verifyKeys;
  return files.length === 0 ? null : VerifyKeys.load(files);
}

async function readRequest(name: string, io: Io): Promise<CheckRequest> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(
      name === "-" ? await io.stdin() : await readFile(name),
    );
  } catch (error) {
    throw new UsageError(`cannot read the request: ${oneLine(error)}`, "check");
  }
  try {
    // Only the guest judges what is in it; this form is needed to ask about each resource alone.
    return JSON.parse(text) as CheckRequest;
  } catch (error) {
    throw new UsageError(`the request is not JSON: ${oneLine(error)}`, "check");
  }
}

function deniesAny(response: CheckResponse): boolean {
  return response.results.some((result) => Object.values(result.actions).includes("EFFECT_DENY"));
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
