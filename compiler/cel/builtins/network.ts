/** IP addresses and ranges (cel-go's network extension). `string` is with the conversions, `inIPAddrRange` in cerbos.ts. */
import { BOOL, INT, STRING, objectType } from "../types.ts";
import { globals, members, type Overload } from "./overload.ts";

export const IP = objectType("net.IP");
export const CIDR = objectType("net.CIDR");

export const network: readonly Overload[] = [
  ...globals("ip", "ipOfText", [[STRING], IP]),
  ...globals("isIP", "isIP", [[STRING], BOOL]),
  ...globals("ip.isCanonical", "ipIsCanonical", [[STRING], BOOL]),
  ...globals("cidr", "cidrOfText", [[STRING], CIDR]),
  ...globals("isCIDR", "isCIDR", [[STRING], BOOL]),
  ...members("family", "ipFamily", [[IP], INT]),
  ...members("isUnspecified", "ipIsUnspecified", [[IP], BOOL]),
  ...members("isLoopback", "ipIsLoopback", [[IP], BOOL]),
  ...members("isGlobalUnicast", "ipIsGlobalUnicast", [[IP], BOOL]),
  ...members("isLinkLocalUnicast", "ipIsLinkLocalUnicast", [[IP], BOOL]),
  ...members("isLinkLocalMulticast", "ipIsLinkLocalMulticast", [[IP], BOOL]),
  ...members("ip", "cidrIP", [[CIDR], IP]),
  ...members("masked", "cidrMasked", [[CIDR], CIDR]),
  ...members("prefixLength", "cidrPrefixLength", [[CIDR], INT]),
  ...members("isMask", "cidrIsMask", [[CIDR], BOOL]),
  ...members("containsIP", "cidrContainsIP", [[CIDR, IP], BOOL], [[CIDR, STRING], BOOL]),
  ...members("containsCIDR", "cidrContainsCIDR", [[CIDR, CIDR], BOOL], [[CIDR, STRING], BOOL]),
];
