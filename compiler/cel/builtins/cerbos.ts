/**
 * The other functions of Cerbos. `now()` is an input, not a call; `timeSince` gets that input as its second argument,
 * which the row does not show.
 */
import { BOOL, DURATION, DYN, listOf, STRING, TIMESTAMP } from "../types.ts";
import { both, globals, members, type Overload } from "./overload.ts";

export const cerbos: readonly Overload[] = [
  ...members("inIPAddrRange", "inIPAddrRange", [[STRING, STRING], BOOL]),
  ...both("timeSince", "timeSince", [[TIMESTAMP], DURATION]),
  ...globals("id", "identity", [[DYN], DYN]),
  ...globals("basePath", "basePath", [[STRING], STRING]),
  ...globals("dirPath", "dirPath", [[STRING], STRING]),
  ...globals("extPath", "extPath", [[STRING], STRING]),
  ...globals("joinPath", "joinPath", [[listOf(STRING)], STRING]),
  ...globals("relPath", "relPath", [[STRING, STRING], STRING]),
  ...globals("volumeName", "volumeName", [[STRING], STRING]),
  ...both("pathHasPrefix", "pathHasPrefix", [[STRING, STRING], BOOL]),
  ...both("pathMatch", "pathMatch", [[STRING, STRING], BOOL]),
  ...both("pathMatchAnyOf", "pathMatchAnyOf", [[STRING, listOf(STRING)], BOOL]),
];
