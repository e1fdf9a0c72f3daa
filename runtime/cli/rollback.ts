/** `edict rollback`: has a running daemon go back to a version that it has served before. */
import type { Outcome } from "../admin/control.ts";
import { UsageError } from "../errors.ts";
import { ADMIN_OPTIONS, operate } from "./admin-options.ts";
import type { Command } from "./command.ts";

export const rollbackCommand: Command = {
  name: "rollback",
  summary: "have a daemon go back to an earlier version",
  usage: "[--to <digest>] --admin <address>",
  options: {
    to: {
      type: "string",
      value: "<digest>",
      help: "12 to 64 digits of the version; the one before this unless given",
    },
    ...ADMIN_OPTIONS,
  },
  examples: [
    "edict rollback --admin unix:/run/edict-admin.sock",
    "edict rollback --to 3f2a9c1b7d04 --admin 127.0.0.1:3593 --token-file admin.token",
  ],
  positionals: [0, 0],
  async run(given, io) {
    const digest = given.text("to");
    if (digest !== undefined && !/^[0-9a-f]{12,64}$/.test(digest)) {
      throw new UsageError(`\`--to\` must be 12 to 64 hexadecimal digits, not \`${digest}\``, "rollback");
    }
    return operate(given, io, "rollback", digest === undefined ? {} : { digest }, (value) => {
      const { bundle, previous } = value as Outcome;
      return `rolled back from bundle ${previous.slice(0, 12)} to ${bundle.slice(0, 12)}`;
    });
  },
};
