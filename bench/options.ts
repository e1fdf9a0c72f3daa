/**
 * The flags of `npm run bench`. Reads the command line only; what a flag changes is decided where it is used.
 */
import { parseArgs } from "node:util";

/** What one run measures and for how long. */
export interface BenchOptions {
  /** Short rounds and few of them: figures are noisy, everything is exercised. */
  readonly quick: boolean;
  /** Print the results as JSON instead of tables. */
  readonly json: boolean;
  /** Copies of the load-test set that the daemon and Cerbos serve. */
  readonly copies: number;
  /** Copies of the load-test set for the measurements of scale, and of editing. */
  readonly scaleCopies: readonly number[];
  readonly editCopies: readonly number[];
  /** Compare with the other engines, in-process and over gRPC. */
  readonly peers: boolean;
  /** Swaps one after the other whose memory is watched. */
  readonly swaps: number;
  /** Decisions of the memory measurement. */
  readonly soakDecisions: number;
  /** Minutes of the soak at half load; 0 for none. */
  readonly soakMinutes: number;
  /** Only the parts whose names are here; all of them when empty. */
  readonly only: readonly string[];
  /** How long to rest, in all, while others use the machine; milliseconds. */
  readonly patienceMs: number;
  /** Leave the real Cerbos out. */
  readonly cerbos: boolean;
  /** Connections of the load generator, each with one request in flight. */
  readonly connections: number;
  /** Interleaved rounds; the median over them is reported. */
  readonly rounds: number;
  /** Seconds of load per target and round. */
  readonly seconds: number;
  /** Results of an earlier run whose parts stand for those that are not run; "" for none. */
  readonly keep: string;
  /** Write bench/results/<date>.json and bench/RESULTS.md. */
  readonly write: boolean;
}

/** The parts of a run, in their order. */
export const PARTS = [
  "compile",
  "micro",
  "in-process",
  "http",
  "latency",
  "stream",
  "authzen",
  "scale",
  "edit",
  "swap",
  "huge",
  "memory",
  "peers",
] as const;
export type PartName = (typeof PARTS)[number];

export const USAGE = `usage: npm run bench -- [options]

Measures, in one run: compile time of the load-test policies, decisions per second in-process, requests per second and
latency over HTTP beside an echo server and the real Cerbos, the stream, many policies, edits and swaps, and memory.

  --quick            short rounds of all but huge: noisy figures in about two minutes; fails on crashes and wrong answers
                     only, not on what a slow machine sheds or does not get done
  --peers            also cedar-wasm, casbin, CASL, hand-written TypeScript, and Cerbos over gRPC
  --only <parts>     only these parts, with commas between: ${PARTS.join(", ")}
  --soak <minutes>   also latency at half load for so long (default: none)
  --copies <n>       copies of the load-test set served over HTTP (default 100)
  --connections <n>  connections of the load generator, one request in flight on each (default 16)
  --rounds <n>       rounds of which the median is taken (default 5; with --quick 1)
  --seconds <n>      seconds of load per target and round (default 3; with --quick 1)
  --patience <min>   rest up to so many minutes in all, to measure again what a virtual machine disturbed (default 15; with
                     --quick none)
  --no-cerbos        leave the real Cerbos out
  --no-write         do not write bench/results/ and bench/RESULTS.md (implied by --quick and --only)
  --write            write them even so: a report of the parts that ran
  --keep <file>      with --only: take the other parts from the results of an earlier run (bench/results/<date>.json)
  --json             print the results as JSON
  --help             this text
`;

/** The options, or the message that tells what is wrong with them. */
export type ParsedOptions =
  | { readonly kind: "options"; readonly options: BenchOptions }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string };

function wholeNumber(text: string | undefined, fallback: number, most: number): number | undefined {
  if (text === undefined) return fallback;
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= most ? value : undefined;
}

/** Reads the arguments after the script's name. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        quick: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
        peers: { type: "boolean", default: false },
        only: { type: "string" },
        keep: { type: "string", default: "" },
        soak: { type: "string" },
        patience: { type: "string" },
        "no-cerbos": { type: "boolean", default: false },
        "no-write": { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        copies: { type: "string" },
        connections: { type: "string" },
        rounds: { type: "string" },
        seconds: { type: "string" },
      },
    }));
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: "help" };
  const { quick } = values;
  const copies = wholeNumber(values.copies, 100, 5000);
  const connections = wholeNumber(values.connections, 16, 256);
  const rounds = wholeNumber(values.rounds, quick ? 1 : 5, 50);
  const seconds = wholeNumber(values.seconds, quick ? 1 : 3, 60);
  if (copies === undefined)
    return { kind: "wrong", message: "`--copies` wants a whole number from 1 to 5000" };
  if (connections === undefined)
    return { kind: "wrong", message: "`--connections` wants a whole number from 1 to 256" };
  if (rounds === undefined) return { kind: "wrong", message: "`--rounds` wants a whole number from 1 to 50" };
  if (seconds === undefined)
    return { kind: "wrong", message: "`--seconds` wants a whole number from 1 to 60" };
  const soakMinutes = values.soak === undefined ? 0 : wholeNumber(values.soak, 0, 1440);
  if (soakMinutes === undefined)
    return { kind: "wrong", message: "`--soak` wants a whole number of minutes from 1 to 1440" };
  const patience = values.patience === "0" ? 0 : wholeNumber(values.patience, quick ? 0 : 15, 1440);
  if (patience === undefined)
    return { kind: "wrong", message: "`--patience` wants a whole number of minutes from 0 to 1440" };
  const only = values.only === undefined ? [] : values.only.split(",");
  if (values.keep !== "" && only.length === 0)
    return { kind: "wrong", message: "`--keep` goes with `--only`, which says what is measured again" };
  const unknown = only.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined)
    return { kind: "wrong", message: `\`--only\` does not know the part \`${unknown}\`` };
  return {
    kind: "options",
    options: {
      quick,
      json: values.json,
      copies,
      scaleCopies: quick ? [100, 200] : [100, 1000, 5000],
      editCopies: quick ? [100] : [100, 5000],
      peers: values.peers,
      swaps: quick ? 10 : 1000,
      soakDecisions: quick ? 1_000_000 : 100_000_000,
      soakMinutes,
      only,
      patienceMs: patience * 60_000,
      cerbos: !values["no-cerbos"],
      connections,
      rounds,
      seconds,
      keep: values.keep,
      write: values.write || (!quick && only.length === 0 && !values["no-write"]),
    },
  };
}
