/** Codes of stage 4: what cannot be turned into a decision program. */
import type { CodeTable } from "./code-table.ts";

export const irCodes = {
  EDICT4001: {
    message: "`{pattern}` is not a valid glob",
    help: "close every `[` and `{`, write ranges low to high, and keep alternatives to {limit} or fewer",
  },
} as const satisfies CodeTable;
