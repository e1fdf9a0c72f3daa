/** The `edict` binary: finds the command, runs it, and turns whatever goes wrong into a message and an exit code. */
import { EdictError, PolicyError, RequestError, TokenError, UsageError } from "../errors.ts";
import { readVersion } from "../version.ts";
import { parseArguments, suggest } from "./arguments.ts";
import { type Command, EXIT_OK, EXIT_POLICIES, EXIT_SERVE, EXIT_USAGE, type Io } from "./command.ts";
import { commandHelp, overview } from "./help.ts";

/** In the order of the overview. Only the command that runs is loaded: all of them together take longer than most runs. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serveCommand,
  compile: async () => (await import("./compile.ts")).compileCommand,
  check: async () => (await import("./check.ts")).checkCommand,
  lint: async () => (await import("./lint.ts")).lintCommand,
  test: async () => (await import("./test.ts")).testCommand,
  inspect: async () => (await import("./inspect.ts")).inspectCommand,
  keygen: async () => (await import("./keygen.ts")).keygenCommand,
  sign: async () => (await import("./sign.ts")).signCommand,
  verify: async () => (await import("./verify.ts")).verifyCommand,
  push: async () => (await import("./push.ts")).pushCommand,
  status: async () => (await import("./status.ts")).statusCommand,
  rollback: async () => (await import("./rollback.ts")).rollbackCommand,
  promote: async () => (await import("./promote.ts")).promoteCommand,
  directory: async () => (await import("./directory.ts")).directoryCommand,
  diff: async () => (await import("./diff.ts")).diffCommand,
};

/** Commands of the agreed command line that are still to come. */
const LATER: Readonly<Record<string, string>> = {
  bench: "measure this machine",
};

/** Runs `edict <given...>` and returns its exit code. Never throws. */
export async function runCommandLine(given: readonly string[], io: Io): Promise<number> {
  if (io === processIo) outliveReaders();
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
    io.stdout(
      topic === undefined
        ? overview(await Promise.all(Object.values(COMMANDS).map(async (load) => load())), LATER)
        : commandHelp(await loadCommand(topic)),
    );
    return EXIT_OK;
  }
  const command = await loadCommand(name);
  if (rest.includes("--help") || rest.includes("-h")) {
    io.stdout(commandHelp(command));
    return EXIT_OK;
  }
  return command.run(parseArguments(command, rest), io);
}

async function loadCommand(name: string): Promise<Command> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load !== undefined) return load();
  if (Object.hasOwn(LATER, name)) throw new UsageError(`\`edict ${name}\` is not available yet`);
  const similar = suggest(name, [...Object.keys(COMMANDS), "help", "version"]);
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

/**
 * Whoever reads the output may go away. What a daemon has to say is lost then, and it goes on deciding: an unheard error would be logged,
 * which fails, which is an error.
 */
function outliveReaders(): void {
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
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
