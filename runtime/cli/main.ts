/** The `edict` binary: finds the command, runs it, and turns whatever goes wrong into a message and an exit code. */
import { EdictError, PolicyError, RequestError, TokenError, UsageError } from "../errors.ts";
import { readVersion } from "../version.ts";
import { parseArguments, suggest } from "./arguments.ts";
import { checkCommand } from "./check.ts";
import { type Command, EXIT_OK, EXIT_POLICIES, EXIT_SERVE, EXIT_USAGE, type Io } from "./command.ts";
import { compileCommand } from "./compile.ts";
import { diffCommand } from "./diff.ts";
import { commandHelp, overview } from "./help.ts";
import { inspectCommand } from "./inspect.ts";
import { keygenCommand } from "./keygen.ts";
import { lintCommand } from "./lint.ts";
import { promoteCommand } from "./promote.ts";
import { pushCommand } from "./push.ts";
import { rollbackCommand } from "./rollback.ts";
import { serveCommand } from "./serve.ts";
import { signCommand } from "./sign.ts";
import { statusCommand } from "./status.ts";
import { testCommand } from "./test.ts";
import { verifyCommand } from "./verify.ts";

const COMMANDS: readonly Command[] = [
  serveCommand,
  compileCommand,
  checkCommand,
  lintCommand,
  testCommand,
  inspectCommand,
  keygenCommand,
  signCommand,
  verifyCommand,
  pushCommand,
  statusCommand,
  rollbackCommand,
  promoteCommand,
  diffCommand,
];

/** Commands of the agreed command line that are still to come. */
const LATER: Readonly<Record<string, string>> = {
  bench: "measure this machine",
};

/** Runs `edict <given...>` and returns its exit code. Never throws. */
export async function runCommandLine(given: readonly string[], io: Io): Promise<number> {
  try {
    return await dispatch(given, io);
  } catch (error) {
    return report(error, io);
  }
}

async function dispatch(given: readonly string[], io: Io): Promise<number> {
  const [name = "help", ...rest] = given;
  if (name === "version" || name === "--version" || name === "-v") {
    const { version, commit, buildDate } = readVersion();
    io.stdout(`edict ${version} (commit ${commit}, built ${buildDate}, node ${process.version})\n`);
    return EXIT_OK;
  }
  if (name === "help" || name === "--help" || name === "-h") {
    const [topic] = rest;
    io.stdout(topic === undefined ? overview(COMMANDS, LATER) : commandHelp(findCommand(topic)));
    return EXIT_OK;
  }
  const command = findCommand(name);
  if (rest.includes("--help") || rest.includes("-h")) {
    io.stdout(commandHelp(command));
    return EXIT_OK;
  }
  return command.run(parseArguments(command, rest), io);
}

function findCommand(name: string): Command {
  const found = COMMANDS.find((command) => command.name === name);
  if (found !== undefined) return found;
  if (Object.hasOwn(LATER, name)) throw new UsageError(`\`edict ${name}\` is not available yet`);
  const similar = suggest(name, [...COMMANDS.map((command) => command.name), "help", "version"]);
  throw new UsageError(
    `unknown command \`${name}\`${similar === null ? "" : `, did you mean \`${similar}\``}`,
  );
}

function report(error: unknown, io: Io): number {
  if (error instanceof UsageError) {
    io.stderr(`edict: ${error.message}\nsee: edict help${error.command === "" ? "" : ` ${error.command}`}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof PolicyError) {
    io.stderr(`${error.rendered}\nedict: ${error.message}\n`);
    return EXIT_POLICIES;
  }
  if (error instanceof TokenError) {
    io.stderr(`edict: ${error.message}: ${error.reason}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof EdictError) {
    io.stderr(`edict: ${error.message}\n`);
    return error instanceof RequestError ? EXIT_USAGE : EXIT_SERVE;
  }
  io.stderr(
    `edict: unexpected error, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT_SERVE;
}

/** Standard streams of this process. */
export const processIo: Io = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stdin: async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  },
  environment: process.env,
};
