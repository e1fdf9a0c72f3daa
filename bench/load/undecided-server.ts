/**
 * The daemon without its guest: what HTTP and edict's own JavaScript take when deciding takes no time. `undecided-server.ts <microseconds> <flags of
 * edict serve>` runs the built daemon, of whose guest three methods are replaced: once the answers in a format are known, the guest is not called any
 * more, and every request gets the same real answer, one of the usual length. Everything else is done as always: bodies are gathered,
 * copied to where the guest would read them, and answers from there to the socket. When `microseconds` is not 0, a loop of
 * arithmetic takes so long per request in the guest's place. A process of its own, and a yardstick only: it is never built into edict.
 */
import { BODY_ENTRY_SIZE, MOST_BODIES, STATUS_OK } from "../../assembly/abi.ts";
import type * as CommandLine from "../../runtime/cli/main.ts";
import type { BodyTable } from "../../runtime/guest/body-table.ts";
import type * as GuestFile from "../../runtime/guest/guest.ts";

/** Real answers of which the one of median length is taken. */
const SEEN = 150;
const WORDS = BODY_ENTRY_SIZE / Uint32Array.BYTES_PER_ELEMENT;
/** Of an entry of the table: its output format before, and status, start and length of the answer after (assembly/decide/bodies.ts). */
const FORMAT = 3;
const START = 1;
const LENGTH = 2;

/** Names computed, so that what is measured is the built daemon, whatever loads this file. */
const built = (file: string): string => new URL(`../../dist/runtime/${file}`, import.meta.url).href;
const { Guest } = (await import(built("guest/guest.js"))) as typeof GuestFile;
const { processIo, runCommandLine } = (await import(built("cli/main.js"))) as typeof CommandLine;

/** Answers of one format: those seen, then as many copies of one as a call can ask for. */
class Answers {
  readonly #seen: Uint8Array[] = [];
  #copies: Uint8Array | null = null;
  length = 0;

  get areKnown(): boolean {
    return this.#copies !== null;
  }

  see(answer: Uint8Array): void {
    this.#seen.push(answer.slice());
    if (this.#seen.length < SEEN) return;
    const sorted = this.#seen.toSorted((left, right) => left.byteLength - right.byteLength);
    const one = sorted[SEEN >> 1] ?? answer;
    this.length = one.byteLength;
    this.#copies = new Uint8Array(MOST_BODIES * this.length);
    for (let index = 0; index < MOST_BODIES; index++) this.#copies.set(one, index * this.length);
  }

  /** The first `count` copies. */
  take(count: number): Uint8Array {
    return (this.#copies ?? new Uint8Array(0)).subarray(0, count * this.length);
  }
}

/** By question (FLAG_*) and format: evaluations are asked on a route of their own. */
const known = new Map<number, Answers>();
function answersTo(flags: number, format: number): Answers {
  const key = flags * 4 + format;
  const found = known.get(key) ?? new Answers();
  known.set(key, found);
  return found;
}
/** Sees the answers `all` to bodies decided together, which lie where the table's `words` say. */
function seeAll(words: Uint32Array, all: Uint8Array, count: number, flags: number): void {
  for (let at = 0; at < count * WORDS; at += WORDS) {
    const answers = answersTo(flags, words[at + FORMAT] ?? 0);
    if (words[at] !== STATUS_OK || answers.areKnown) continue;
    const start = words[at + START] ?? 0;
    answers.see(all.subarray(start, start + (words[at + LENGTH] ?? 0)));
  }
}
let sum = 1;
/** Arithmetic that touches no memory. */
function compute(count: number): void {
  let value = sum;
  for (let step = 0; step < count; step++) value = (Math.imul(value, 1103515245) + 12345) | 0;
  sum = value;
}
/** By the fastest of many tries, behind which the loop is compiled. */
function stepsPerMicrosecond(): number {
  const times = Array.from({ length: 500 }, () => {
    const began = performance.now();
    compute(100_000);
    return performance.now() - began;
  });
  return 100 / Math.min(...times);
}

/** Steps of the loop per request. */
const steps = Math.round(Number(process.argv[2]) * stepsPerMicrosecond());
/** Stands for the guest's input region. */
const input = new Uint8Array(1024 * 1024);
let taken: Uint8Array | null = null;
/** What the daemon asks itself before it serves is not what it is asked under load. */
let serves = false;

type Method<Name extends keyof GuestFile.Guest> = GuestFile.Guest[Name] extends (
  ...given: infer Given
) => infer Result
  ? (this: GuestFile.Guest, ...given: Given) => Result
  : never;
/** The methods as they were. */
const decide: Method<"decide"> = Reflect.get(Guest.prototype, "decide");
const decideBodies: Method<"decideBodies"> = Reflect.get(Guest.prototype, "decideBodies");
const output: Method<"output"> = Reflect.get(Guest.prototype, "output");

Guest.prototype.decide = function decideNothing(...given: Parameters<GuestFile.Guest["decide"]>): number {
  const [bytes, , format, flags] = given;
  taken = null;
  const answers = answersTo(flags, format);
  if (answers.areKnown) {
    input.set(bytes);
    compute(steps);
    taken = answers.take(1);
    return STATUS_OK;
  }
  const status = decide.apply(this, given);
  if (status === STATUS_OK && serves) answers.see(output.call(this));
  return status;
};

Guest.prototype.decideBodies = function decideNothing(
  table: BodyTable,
  bodies: Uint8Array,
  count: number,
  flags: number,
): boolean {
  taken = null;
  const words = new Uint32Array(table.bytes.buffer);
  const answers = answersTo(flags, words[FORMAT] ?? 0);
  if (!answers.areKnown) {
    const isDone = decideBodies.call(this, table, bodies, count, flags);
    if (isDone && serves) seeAll(words, output.call(this), count, flags);
    return isDone;
  }
  input.set(table.bytes);
  input.set(bodies, table.bytes.byteLength);
  for (let index = 0; index < count; index++) {
    words[index * WORDS] = STATUS_OK;
    words[index * WORDS + START] = index * answers.length;
    words[index * WORDS + LENGTH] = answers.length;
  }
  compute(steps * count);
  taken = answers.take(count);
  return true;
};

Guest.prototype.output = function outputOfNothing(): Uint8Array {
  return taken ?? output.call(this);
};

process.exitCode = await runCommandLine(["serve", ...process.argv.slice(3)], {
  ...processIo,
  stdout: (text) => {
    serves ||= text.startsWith("edict ready");
    processIo.stdout(text);
  },
});
