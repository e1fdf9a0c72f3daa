/** Codes of the bundle stage, EDICT6xxx. A code is never used twice, nor for another meaning. */
import type { CodeTable } from "./code-table.ts";

export const bundleCodes = {} as const satisfies CodeTable;
