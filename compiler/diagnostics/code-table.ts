/** The shape of a table of diagnostic codes. The tables themselves are one file per stage, merged in codes.ts. */
import type { Severity } from "./diagnostic.ts";

export interface CodeEntry {
  /** One line; `{name}` marks the place of a parameter, put between backticks where it is user text. */
  readonly message: string;
  /** How to mend it, one line; may hold parameters too. */
  readonly help: string;
  /** `error` unless said otherwise. */
  readonly severity?: Severity;
}

/** Code to entry. A code is `EDICT` and four digits, the first of which is the stage; it is never used twice. */
export type CodeTable = Readonly<Record<`EDICT${number}`, CodeEntry>>;
