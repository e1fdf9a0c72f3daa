/**
 * Whether a text is an IP address or a range as `ip()` and `cidr()` read them at run time. Zones and IPv4-mapped IPv6 addresses
 * are not accepted, and `inIPAddrRange`, which accepts more, is not checked here.
 */

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const V4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`, "u");
/** An IPv4 address in place of the last two groups. */
const V4_TAIL = /(?<=:)[\d.]+$/u;
const GROUP = /^[\dA-Fa-f]{1,4}$/u;
const GROUPS = 8;
/** No valid text is longer. */
const MAX_TEXT = 64;

/** Whether `ip()` accepts the text. */
export function isAddress(text: string): boolean {
  return bitsOf(text) !== undefined;
}

/** Whether `cidr()` accepts the text. */
export function isRange(text: string): boolean {
  const slash = text.lastIndexOf("/");
  const length = text.slice(slash + 1);
  const bits = slash < 0 ? undefined : bitsOf(text.slice(0, slash));
  return bits !== undefined && /^(?:0|[1-9]\d{0,2})$/u.test(length) && Number(length) <= bits;
}

/** The size of an address, or undefined when the text is none. */
function bitsOf(text: string): 32 | 128 | undefined {
  if (text.length > MAX_TEXT) return undefined;
  if (V4.test(text)) return 32;
  const tail = text.match(V4_TAIL)?.[0];
  if (tail === undefined || !tail.includes(".")) return isUnmappedV6(text) ? 128 : undefined;
  if (!V4.test(tail)) return undefined;
  // In hexadecimal any two groups will do: mapped addresses are told by the groups before.
  return isUnmappedV6(`${text.slice(0, -tail.length)}1:1`) ? 128 : undefined;
}

/** Whether the text is an IPv6 address in hexadecimal, and not an IPv4-mapped one. */
function isUnmappedV6(text: string): boolean {
  const [head = "", tail, more] = text.split("::");
  if (more !== undefined) return false;
  const before = groupsOf(head);
  const after = groupsOf(tail ?? "");
  if (before === undefined || after === undefined) return false;
  const missing = GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return false;
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after];
  return groups.slice(0, 5).some((group) => group !== 0) || groups[5] !== 0xffff;
}

function groupsOf(text: string): number[] | undefined {
  if (text === "") return [];
  const groups = text.split(":");
  return groups.every((group) => GROUP.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}
