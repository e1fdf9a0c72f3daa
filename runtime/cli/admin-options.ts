/** Options of the commands that ask a running daemon: where its admin listener is, and the token for it. */
import { type AdminAnswer, type AdminTarget, askAdmin } from "../admin/admin-client.ts";
import { parseAddress } from "../config/address.ts";
import { UsageError } from "../errors.ts";
import { type Arguments, EXIT_NO, EXIT_SERVE, type Io, type OptionSpec } from "./command.ts";

export const ADMIN_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  admin: {
    type: "string",
    value: "<address>",
    help: "admin listener of the daemon, host:port or unix:path; EDICT_ADMIN unless given",
  },
  "token-file": {
    type: "string",
    value: "<file>",
    help: "file with its token; EDICT_ADMIN_TOKEN_FILE unless given",
  },
  json: { type: "boolean", help: "print the answer as JSON" },
};

/** HTTP statuses that mean that the daemon could be asked and said no. */
const REFUSED = new Set([404, 409]);

/** The daemon that flags or environment name. Throws `UsageError` when neither does. */
export function adminTarget(given: Arguments, io: Io, command: string): AdminTarget {
  const text = given.text("admin") ?? io.environment["EDICT_ADMIN"] ?? "";
  if (text === "") {
    throw new UsageError("give the admin listener with `--admin` or EDICT_ADMIN", command);
  }
  const address = parseAddress(text.replace(/^http:\/\//, ""));
  if (typeof address === "string") throw new UsageError(address, command);
  const tokenFile = given.text("token-file") ?? io.environment["EDICT_ADMIN_TOKEN_FILE"];
  return { address, tokenFile: tokenFile === undefined || tokenFile === "" ? null : tokenFile };
}

/** Has the daemon do something and shows what came of it: exit code 1 when it refused, 4 when it could not be asked. */
export async function operate(
  given: Arguments,
  io: Io,
  command: string,
  body: object,
  describe: (value: unknown) => string,
): Promise<number> {
  const answer = await askAdmin(adminTarget(given, io, command), `/v1/${command}`, body);
  if (!answer.ok) return refused(answer, given, io);
  io.stdout(
    given.flag("json") ? `${JSON.stringify(answer.value, null, 2)}\n` : `${describe(answer.value)}\n`,
  );
  return 0;
}

/** Shows a refusal. */
export function refused(answer: AdminAnswer & { readonly ok: false }, given: Arguments, io: Io): number {
  const { status, refusal } = answer;
  if (given.flag("json")) io.stdout(`${JSON.stringify({ error: refusal }, null, 2)}\n`);
  io.stderr(`edict: ${refusal.message} (${refusal.code})\n`);
  return REFUSED.has(status) ? EXIT_NO : EXIT_SERVE;
}
