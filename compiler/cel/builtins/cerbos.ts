/**
 * The other functions of Cerbos. `now()` is an input, not a call; `timeSince` gets that input as its second argument,
 * which the row does not show.
 */
import { BOOL, DURATION, DYN, STRING, TIMESTAMP } from "../types.ts";
import { both, globals, members, type Overload } from "./overload.ts";

export const cerbos: readonly Overload[] = [
  ...members("inIPAddrRange", "inIPAddrRange", [[STRING, STRING], BOOL]),
  ...both("timeSince", "timeSince", [[TIMESTAMP], DURATION]),
  ...globals("id", "identity", [[DYN], DYN]),
  ...globals("basePath", "basePath", [[STRING], STRING]),
  ...globals("extPath", "extPath", [[STRING], STRING]),
  ...globals("volumeName", "volumeName", [[STRING], STRING]),
];
