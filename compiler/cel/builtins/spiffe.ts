/** SPIFFE IDs, trust domains and matchers (Cerbos, "SPIFFE"). */
import { BOOL, STRING, listOf, objectType } from "../types.ts";
import { globals, members, type Overload } from "./overload.ts";

const ID = objectType("cerbos.lib.spiffeID");
const TRUST_DOMAIN = objectType("cerbos.lib.spiffeTrustDomain");
const MATCHER = objectType("cerbos.lib.spiffeMatcher");

export const spiffe: readonly Overload[] = [
  ...globals("spiffeID", "spiffeID", [[STRING], ID]),
  ...globals("spiffeTrustDomain", "spiffeTrustDomain", [[STRING], TRUST_DOMAIN]),
  ...globals("spiffeMatchAny", "spiffeMatchAny", [[], MATCHER]),
  ...globals("spiffeMatchExact", "spiffeMatchExact", [[ID], MATCHER], [[STRING], MATCHER]),
  ...globals("spiffeMatchOneOf", "spiffeMatchOneOf", [[listOf(ID)], MATCHER], [[listOf(STRING)], MATCHER]),
  ...globals(
    "spiffeMatchTrustDomain",
    "spiffeMatchTrustDomain",
    [[TRUST_DOMAIN], MATCHER],
    [[STRING], MATCHER],
  ),
  ...members("isMemberOf", "spiffeIsMemberOf", [[ID, TRUST_DOMAIN], BOOL]),
  ...members("path", "spiffePath", [[ID], STRING]),
  ...members("trustDomain", "spiffeDomainOf", [[ID], TRUST_DOMAIN]),
  // Cerbos declares a string, but answers with the receiver: at run time it finds the global `id`.
  ...members("id", "identity", [[TRUST_DOMAIN], STRING]),
  ...members("name", "spiffeName", [[TRUST_DOMAIN], STRING]),
  ...members("matchesID", "spiffeMatchesID", [[MATCHER, ID], BOOL], [[MATCHER, STRING], BOOL]),
];
