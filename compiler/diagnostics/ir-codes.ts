/** Codes of stage 4: what cannot be turned into a decision program. */
import type { CodeTable } from "./code-table.ts";

export const irCodes = {
  EDICT4001: {
    message: "`{pattern}` is not a valid glob",
    help: "close every `[` and `{`, write ranges low to high, and keep alternatives to {limit} or fewer",
  },
  EDICT4002: {
    message: "`{name}` is not supported yet",
    help: "rewrite the expression without `{name}`; the next releases add the rest of the language",
  },
} as const satisfies CodeTable;
