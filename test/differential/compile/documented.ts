/** Disagreements about policy sets that docs/differences.md explains, each with how it is told. */
import type { Verdict } from "./cerbos-verdict.ts";
import type { Files } from "./sets.ts";

interface Known {
  /** The line of docs/differences.md in short. */
  readonly reason: string;
  applies(files: Files, cerbos: Verdict, edict: Verdict): boolean;
}

const KNOWN: readonly Known[] = [
  {
    reason: "the binary ends in a crash",
    applies: (_, { findings }) => findings.some(({ text }) => /goroutine|panic:|stack overflow/u.test(text)),
  },
  {
    reason: "the effect in a block scalar is its text",
    applies: (_, { findings }) => findings.some(({ text }) => text === "invalid enum value"),
  },
  {
    reason: "`<<` takes lists of maps",
    applies: (_, { findings }) => findings.some(({ text }) => text === "not an alias"),
  },
  {
    reason: "a tab inside a plain text is part of it",
    applies: (_, __, { findings }) => findings.some(({ text }) => text.includes("\\u0009")),
  },
  {
    reason: "an anchor without a value at the end of a file names null",
    applies: (_, { findings }) => findings.some(({ text }) => text === "undefined anchor value"),
  },
  {
    reason: "a tag that is not one of YAML's own is refused",
    applies: (_, __, { findings }) => findings.some(({ text }) => text.startsWith("EDICT1115")),
  },
  {
    reason: "a value cannot contain itself",
    applies: (_, __, { findings }) => findings.some(({ text }) => text.startsWith("EDICT1114")),
  },
];

/** Why two verdicts differ on purpose; undefined when they should not. */
export function documented(files: Files, cerbos: Verdict, edict: Verdict): string | undefined {
  return KNOWN.find((known) => known.applies(files, cerbos, edict))?.reason;
}
