/** Flags of `edict serve` for operating it: the admin listener and the shadow. */
import type { AdminOptions } from "../admin/options.ts";
import { parseAddress } from "../config/address.ts";
import type { ShadowOptions } from "../config/config.ts";
import { UsageError } from "../errors.ts";
import { parseShadowSource } from "../shadow/source.ts";
import type { Arguments, OptionSpec } from "./command.ts";

export const OPERATION_FLAGS: Readonly<Record<string, OptionSpec>> = {
  admin: {
    type: "string",
    value: "<address>",
    help: "listen for operators (status, rollback, metrics), host:port or unix:path",
  },
  "admin-token-file": {
    type: "string",
    value: "<file>",
    help: "file with the tokens for it, one per line; a Unix socket may do without",
  },
  shadow: {
    type: "string",
    value: "<bundle|dir>",
    help: "decide live requests by this candidate too, and report what would change",
  },
  "shadow-sample": {
    type: "string",
    value: "<share>",
    help: "share of the requests, above 0 and up to 1; 1 unless told",
  },
  "shadow-report": {
    type: "string",
    value: "<file>",
    help: "append the changes to this file; standard error unless told",
  },
};

/** Flags win over the file. Throws `UsageError`. */
export function adminOptionsFrom(given: Arguments, configured: AdminOptions): AdminOptions {
  const text = given.text("admin");
  const listen = text === undefined ? configured.listen : parseAddress(text);
  if (typeof listen === "string") throw new UsageError(listen, "serve");
  return { listen, tokenFile: given.text("admin-token-file") ?? configured.tokenFile };
}

/** The same for the shadow. */
export function shadowOptionsFrom(given: Arguments, configured: ShadowOptions): ShadowOptions {
  const text = given.text("shadow");
  const source = text === undefined ? configured.source : parseShadowSource(text);
  if (typeof source === "string") throw new UsageError(source, "serve");
  return {
    source,
    sample: sampleFrom(given) ?? configured.sample,
    report: given.text("shadow-report") ?? configured.report,
  };
}

function sampleFrom(given: Arguments): number | undefined {
  const text = given.text("shadow-sample");
  if (text === undefined) return undefined;
  const sample = /^\d*\.?\d+$/.test(text) ? Number(text) : 0;
  if (sample > 0 && sample <= 1) return sample;
  throw new UsageError(`\`--shadow-sample\` must be above 0 and at most 1, not \`${text}\``, "serve");
}
