/**
 * Functions that Cerbos has and edict does not have yet: using one is an error that says so by name. A function listed
 * here is refused even if the overload table has rows for it; remove its line to let it in.
 */
import type { CallStyle } from "./overload.ts";

export const UNSUPPORTED_YET: ReadonlyMap<string, readonly CallStyle[]> = new Map<
  string,
  readonly CallStyle[]
>([
  // regular expressions
  ["matches", ["global", "member"]],
  ["regex.extract", ["global"]],
  ["regex.extractAll", ["global"]],
  ["regex.replace", ["global"]],
  // SPIFFE
  ["spiffeID", ["global"]],
  ["spiffeTrustDomain", ["global"]],
  ["spiffeMatchAny", ["global"]],
  ["spiffeMatchExact", ["global"]],
  ["spiffeMatchOneOf", ["global"]],
  ["spiffeMatchTrustDomain", ["global"]],
  ["id", ["member"]],
  ["isMemberOf", ["member"]],
  ["matchesID", ["member"]],
  ["name", ["member"]],
  ["path", ["member"]],
  ["trustDomain", ["member"]],
  // paths
  ["dirPath", ["global"]],
  ["joinPath", ["global"]],
  ["pathHasPrefix", ["global", "member"]],
  ["pathMatch", ["global", "member"]],
  ["pathMatchAnyOf", ["global", "member"]],
  ["relPath", ["global"]],
  // IP addresses and ranges
  ["cidr", ["global"]],
  ["containsCIDR", ["member"]],
  ["containsIP", ["member"]],
  ["family", ["member"]],
  ["ip", ["global", "member"]],
  ["ip.isCanonical", ["global"]],
  ["isCIDR", ["global"]],
  ["isGlobalUnicast", ["member"]],
  ["isIP", ["global"]],
  ["isLinkLocalMulticast", ["member"]],
  ["isLinkLocalUnicast", ["member"]],
  ["isLoopback", ["member"]],
  ["isMask", ["member"]],
  ["isUnspecified", ["member"]],
  ["masked", ["member"]],
  ["prefixLength", ["member"]],
]);
