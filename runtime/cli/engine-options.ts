/** Options shared by the commands that need policies: where they are, and how errors in conditions count. */
import type { PolicySource } from "../config/config.ts";
import { UsageError } from "../errors.ts";
import { type OnError, ON_ERROR_MODES } from "../guest/options.ts";
import { parseLocation } from "../source/location.ts";
import type { Arguments, OptionSpec } from "./command.ts";

export const POLICY_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  policies: { type: "string", value: "<dir>", help: "directory of policies, compiled at start" },
  bundle: { type: "string", value: "<file>", help: "bundle written by `edict compile`" },
};

export const ON_ERROR_OPTION: OptionSpec = {
  type: "string",
  value: "<mode>",
  help: "how an error in a condition counts: fail-closed (default), compatible, strict",
};

export const VERIFY_KEY_OPTION: OptionSpec = {
  type: "string",
  value: "<file>",
  multiple: true,
  help: "public key of which one must have signed the bundle: JWK, JWK set or PEM",
};

/** The policies named by `--policies` or `--bundle`; null when neither is given. */
export function policySourceFrom(given: Arguments, command: string): PolicySource | null {
  const directory = given.text("policies");
  const file = given.text("bundle");
  if (directory !== undefined && file !== undefined) {
    throw new UsageError("give either `--policies` or `--bundle`, not both", command);
  }
  if (file !== undefined) {
    const source = parseLocation(file);
    if (typeof source === "string") throw new UsageError(source, command);
    if (source.kind !== "bundle" && command !== "serve") {
      throw new UsageError("only `edict serve` gets bundles from elsewhere; give a file", command);
    }
    return source;
  }
  return directory === undefined ? null : { kind: "directory", directory, watch: false };
}

/** The mode named by `--on-error`, undefined when it is not given. */
export function onErrorFrom(given: Arguments, command: string): OnError | undefined {
  const name = given.text("on-error");
  if (name === undefined) return undefined;
  const mode = ON_ERROR_MODES.find((known) => known === name);
  if (mode === undefined) {
    throw new UsageError(
      `\`--on-error\` must be one of ${ON_ERROR_MODES.join(", ")}, not \`${name}\``,
      command,
    );
  }
  return mode;
}
