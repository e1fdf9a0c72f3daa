/**
 * Functions that Cerbos has and edict does not have yet: using one is an error that says so by name. A function listed
 * here is refused even if the overload table has rows for it; remove its line to let it in.
 */
import type { CallStyle } from "./overload.ts";

export const UNSUPPORTED_YET: ReadonlyMap<string, readonly CallStyle[]> = new Map<
  string,
  readonly CallStyle[]
>([
  // paths
  ["dirPath", ["global"]],
  ["joinPath", ["global"]],
  ["pathHasPrefix", ["global", "member"]],
  ["pathMatch", ["global", "member"]],
  ["pathMatchAnyOf", ["global", "member"]],
  ["relPath", ["global"]],
]);
