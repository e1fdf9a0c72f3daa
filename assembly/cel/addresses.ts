/**
 * Cerbos `inIPAddrRange`: whether an IP address lies in a CIDR range, both of them texts, with the spellings that Go's `net`
 * package accepts. Mapped addresses match IPv4 ranges. The `ip()` and `cidr()` types of CEL's network extension are in network.ts.
 */
import { ERROR_BAD_CONVERSION, TAG_STRING } from "../abi";
import { burn } from "../memory/fuel";
import { fail, lengthOf, ofBool, startOf, tagOf } from "../value/value";
import { clearAfter, FORM_INVALID, isMapped, readAddress, readRange, sameAddress } from "./address-text";
import { noFuel, noOverload2 } from "./failure";

const address: usize = memory.data(16);
const network: usize = memory.data(16);

/** CEL `ip.inIPAddrRange(cidr)`; a text that is no address or no range is ERROR_BAD_CONVERSION. */
export function inIPAddrRange(ip: u64, cidr: u64): u64 {
  if (tagOf(ip) != TAG_STRING || tagOf(cidr) != TAG_STRING) return noOverload2(ip, cidr);
  if (!burn(4)) return noFuel();
  if (readAddress(startOf(ip), lengthOf(ip), address) == FORM_INVALID) return fail(ERROR_BAD_CONVERSION, ip);
  const prefix = readRange(startOf(cidr), lengthOf(cidr), network, false);
  if (prefix < 0) return fail(ERROR_BAD_CONVERSION, cidr);
  clearAfter(network, prefix);
  // IPv4 and IPv6 never match each other, not even under ::/0.
  if (isMapped(address) != isMapped(network)) return ofBool(false);
  clearAfter(address, prefix);
  return ofBool(sameAddress(address, network));
}
