/** `edict promote`: makes the candidate of a daemon's shadow the version that serves. */
import type { Outcome } from "../admin/control.ts";
import { UsageError } from "../errors.ts";
import { ADMIN_OPTIONS, operate } from "./admin-options.ts";
import type { Arguments, Command, OptionSpec } from "./command.ts";

export const MAX_CHANGES_OPTION: OptionSpec = {
  type: "string",
  value: "<n>",
  help: "refuse with exit code 1 when more decisions than this change",
};

export const promoteCommand: Command = {
  name: "promote",
  summary: "have a daemon serve the candidate of its shadow",
  usage: "[--max-changes <n>] --admin <address>",
  options: { "max-changes": MAX_CHANGES_OPTION, ...ADMIN_OPTIONS },
  examples: ["edict promote --max-changes 0 --admin unix:/run/edict-admin.sock"],
  positionals: [0, 0],
  async run(given, io) {
    const maxChanges = maxChangesFrom(given, "promote");
    return operate(given, io, "promote", maxChanges === null ? {} : { maxChanges }, (value) => {
      const { bundle, previous } = value as Outcome;
      return `bundle ${bundle.slice(0, 12)} serves now, ${previous.slice(0, 12)} did before`;
    });
  },
};

/** Null when it is not given. Throws `UsageError`. */
export function maxChangesFrom(given: Arguments, command: string): number | null {
  const text = given.text("max-changes");
  if (text === undefined) return null;
  if (!/^\d{1,9}$/.test(text)) {
    throw new UsageError(`\`--max-changes\` must be a whole number, not \`${text}\``, command);
  }
  return Number(text);
}
