/**
 * The command of the certification suite. Exit codes: 0 all sub-levels asked for are certified, 1 they are not, 2 wrong use or no answer from
 * the PDP.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { JSONWebKeySet } from "jose";
import { certify, type CertificationOptions } from "./certification.ts";
import { jsonReport, textReport } from "./report.ts";
import { SUB_LEVELS } from "./scenario.ts";

const HELP = `Runs the AuthZEN 1.0 certification scenario against a PDP that has loaded its fixture (section c-1 of the scenario).

  npx tsx test/conformance/authzen/run.ts --url http://127.0.0.1:3592 [options]

  --url <url>          base URL of the PDP
  --level <name>       sub-level to certify, repeatable; those that it requires are run too. All unless told:
                       ${SUB_LEVELS.map(({ name }) => name).join(", ")}
  --public-url <url>   public HTTPS base URL of a PDP that is asked over plain HTTP. Sent as Host,
                       X-Forwarded-Host and X-Forwarded-Proto when asking for metadata; the host of --url unless told
  --token <token>      sent as bearer token
  --jwks <file>        keys that verify signed metadata
  --ca <file>          certificates of the authorities that the PDP's own is to be signed by (PEM)
  --insecure           accept any TLS certificate
  --json               report as JSON
  --help               this text

Exit code 0: certified. 1: not certified. 2: wrong use, or the PDP does not answer.
`;

/** Options from the command line, or undefined for `--help`. Throws with a message for wrong use. */
function readArguments(
  given: readonly string[],
): { readonly options: CertificationOptions; readonly json: boolean } | undefined {
  const { values } = parseArgs({
    args: [...given],
    options: {
      url: { type: "string" },
      level: { type: "string", multiple: true },
      "public-url": { type: "string" },
      token: { type: "string" },
      jwks: { type: "string" },
      ca: { type: "string" },
      insecure: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const { url, level: levels, "public-url": publicUrl, token, jwks, ca, insecure, json } = values;
  const authorities = ca === undefined ? undefined : readFileSync(ca, "utf8");
  if (url === undefined) throw new Error("`--url` is missing");
  for (const one of [url, publicUrl]) {
    if (one !== undefined && !/^https?:\/\//u.test(one)) throw new Error(`\`${one}\` is no HTTP URL`);
  }
  const unknown = levels?.find((level) => !SUB_LEVELS.some(({ name }) => name === level));
  if (unknown !== undefined) throw new Error(`there is no sub-level \`${unknown}\``);
  return {
    options: { url, insecure, ...optional({ levels, publicUrl, token, authorities }), ...readKeys(jwks) },
    json,
  };
}

type Optional = Pick<CertificationOptions, "levels" | "publicUrl" | "token" | "authorities">;

/** The members that are there. */
function optional(given: { readonly [Key in keyof Optional]: Optional[Key] | undefined }): Optional {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function readKeys(file: string | undefined): { readonly keys?: JSONWebKeySet } {
  if (file === undefined) return {};
  const keys: JSONWebKeySet = JSON.parse(readFileSync(file, "utf8"));
  return { keys };
}

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2));
  if (given === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const levels = await certify(given.options);
  process.stdout.write((given.json ? jsonReport : textReport)(given.options.url, levels));
  return levels.every(({ certified }) => certified) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
