/** What `npm run fuzz` is told on its command line. */
import { parseArgs } from "node:util";

export const USAGE = `usage: npm run fuzz -- [options]

Sends mutated requests to edict, and holds what comes back against a second opinion (test/fuzz/README.md). A seed names a whole run.

  --requests <n>       requests per transport (default 100000)
  --seed <n>           which run (default: by the clock; it is printed)
  --transport <name>   engine (default), http, stream or all
  --every <n>          which share of what is refused or denied is checked in full: one in n (default 20)
  --every-allow <n>    the same for what allows something (default 1: all of it)
  --findings <dir>     where bodies of findings are written (default fuzz-findings)
  --help               this text

exit codes: 0 nothing was found, 1 something was, or memory grew, 2 wrong options

example: npm run fuzz -- --requests 1000000 --seed 7
`;

export const TRANSPORTS = ["engine", "http", "stream", "all"] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface FuzzRun {
  readonly requests: number;
  readonly seed: number;
  readonly transport: Transport;
  readonly every: number;
  readonly everyAllow: number;
  readonly findings: string;
}

/** The run, "help", or what is wrong with the options. */
export type ParsedRun = FuzzRun | "help" | { readonly wrong: string };

/** Reads the arguments after the script's name; `clock` gives the seed when there is none. */
export function parseRun(args: readonly string[], clock: () => number = Date.now): ParsedRun {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        requests: { type: "string", default: "100000" },
        seed: { type: "string", default: String(clock() % 1_000_000) },
        transport: { type: "string", default: "engine" },
        every: { type: "string", default: "20" },
        "every-allow": { type: "string", default: "1" },
        findings: { type: "string", default: "fuzz-findings" },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return "help";
  for (const name of ["requests", "seed", "every", "every-allow"] as const) {
    const least = name === "seed" ? 0 : 1;
    if (!/^\d{1,12}$/.test(values[name]) || Number(values[name]) < least)
      return { wrong: `\`--${name}\` wants a whole number from ${least} on, not \`${values[name]}\`` };
  }
  const transport = TRANSPORTS.find((name) => name === values.transport);
  if (transport === undefined)
    return {
      wrong: `\`--transport\` wants one of ${TRANSPORTS.join(", ")}, not \`${values.transport}\``,
    };
  return {
    requests: Number(values.requests),
    seed: Number(values.seed),
    transport,
    every: Number(values.every),
    everyAllow: Number(values["every-allow"]),
    findings: values.findings,
  };
}
