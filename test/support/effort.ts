/**
 * How hard the tests that try many things try: `EDICT_TEST_EFFORT=4 npm test` for four times as many as in a usual run, which has to end in
 * minutes on two slow cores. `npm run differential` and `npm run fuzz` are there for millions.
 */
const EFFORT = Number(process.env["EDICT_TEST_EFFORT"] ?? 1);
if (!(EFFORT > 0)) throw new Error("EDICT_TEST_EFFORT must be a number greater than 0");

/** `count` in a usual run. */
export function timesEffort(count: number): number {
  return Math.ceil(count * EFFORT);
}
