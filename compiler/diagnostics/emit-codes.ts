/** Codes of the emit stage, EDICT5xxx. A code is never used twice, nor for another meaning. */
import type { CodeTable } from "./code-table.ts";

export const emitCodes = {} as const satisfies CodeTable;
