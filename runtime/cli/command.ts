/** What a command of the `edict` binary is: its options as data, from which parsing and help are derived. */

/** Where a command reads and writes. */
export interface Io {
  stdout(text: string): void;
  stderr(text: string): void;
  /** All of standard input, as bytes. */
  stdin(): Promise<Uint8Array>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** What help shows for the value, as in `<dir>`. */
  readonly value?: string;
  readonly short?: string;
  readonly multiple?: boolean;
  readonly help: string;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows `edict <name>`. */
  readonly usage: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  readonly examples: readonly string[];
  /** How many positional arguments are allowed. */
  readonly positionals: readonly [least: number, most: number];
  /** Returns the exit code. */
  run(given: Arguments, io: Io): Promise<number>;
}

/** Parsed arguments of one command. */
export interface Arguments {
  readonly positionals: readonly string[];
  /** Whether a boolean option was given. */
  flag(name: string): boolean;
  /** The last value of an option. */
  text(name: string): string | undefined;
  /** Every value of a repeatable option. */
  texts(name: string): readonly string[];
}

/** Exit codes (DESIGN.md 4.1). */
export const EXIT_OK = 0;
/** The answer is no. */
export const EXIT_NO = 1;
export const EXIT_USAGE = 2;
export const EXIT_POLICIES = 3;
export const EXIT_SERVE = 4;
/** `edict test`: tests failed or could not run, as in `cerbos compile`. */
export const EXIT_TESTS = 4;
