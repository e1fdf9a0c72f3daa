/** `ip()`, `cidr()` and their members (cel-go's network extension); no zones and no IPv4-mapped IPv6 addresses. */
import { bool, error, int, noSuchOverload, type Value } from "../values.ts";
import { type Address, parseAddress, unmap } from "./addresses.ts";
import type { Family, Implementation } from "./family.ts";
import { formatValue } from "./format-value.ts";

type IP = Value & { readonly kind: "ip" };
type CIDR = Value & { readonly kind: "cidr" };

function readIP(text: string): IP | undefined {
  const parsed = parseAddress(text);
  if (parsed === undefined || unmap(parsed) !== parsed) return undefined;
  return { kind: "ip", bits: parsed.bits, address: parsed.value };
}

function readCIDR(text: string): CIDR | undefined {
  const [base = "", length = "", extra] = text.split("/");
  const parsed = readIP(base);
  // The length as a number would be printed: no sign, no leading zeros.
  if (parsed === undefined || extra !== undefined || String(Number(length)) !== length) return undefined;
  const prefix = Number(length);
  if (!Number.isInteger(prefix) || prefix < 0 || prefix > parsed.bits) return undefined;
  return { kind: "cidr", bits: parsed.bits, address: parsed.address, prefix };
}

function toIP(value: Value): Value {
  if (value.kind !== "string") return noSuchOverload();
  return readIP(value.value) ?? error(`IP Address ${JSON.stringify(value.value)} parse error`);
}

function toCIDR(value: Value): Value {
  if (value.kind !== "string") return noSuchOverload();
  return readCIDR(value.value) ?? error(`CIDR ${JSON.stringify(value.value)} parse error`);
}

function masked(cidr: CIDR): CIDR {
  const rest = BigInt(cidr.bits - cidr.prefix);
  return { ...cidr, address: (cidr.address >> rest) << rest };
}

function contains(cidr: CIDR, bits: Address["bits"], address: bigint): boolean {
  const rest = BigInt(cidr.bits - cidr.prefix);
  return bits === cidr.bits && address >> rest === cidr.address >> rest;
}

/** Whether an address lies in a range written as text. */
function within(range: string): (ip: IP) => boolean {
  const cidr = readCIDR(range);
  if (cidr === undefined) throw new Error(`${range} is no range`);
  return (ip) => contains(cidr, ip.bits, ip.address);
}

function withinAny(...ranges: readonly string[]): (ip: IP) => boolean {
  const tests = ranges.map(within);
  return (ip) => tests.some((test) => test(ip));
}

const isUnspecified = withinAny("0.0.0.0/32", "::/128");
const isLoopback = withinAny("127.0.0.0/8", "::1/128");
const isMulticast = withinAny("224.0.0.0/4", "ff00::/8");
const isLinkLocalUnicast = withinAny("169.254.0.0/16", "fe80::/10");
const isBroadcast = withinAny("255.255.255.255/32");
/** ff02::/16 with any flags. */
const isLinkLocalMulticast = withinAny(
  "224.0.0.0/24",
  ...Array.from({ length: 16 }, (_, flags) => `ff${flags.toString(16)}2::/16`),
);

function isGlobalUnicast(ip: IP): boolean {
  return ![isUnspecified, isLoopback, isMulticast, isLinkLocalUnicast, isBroadcast].some((test) => test(ip));
}

function ofIP(apply: (ip: IP) => Value): Implementation {
  return (value) => (value.kind === "ip" ? apply(value) : noSuchOverload());
}

function ofCIDR(apply: (cidr: CIDR) => Value): Implementation {
  return (value) => (value.kind === "cidr" ? apply(value) : noSuchOverload());
}

export const NETWORK: Family<
  | "ipOfText"
  | "isIP"
  | "ipIsCanonical"
  | "ipFamily"
  | "ipIsUnspecified"
  | "ipIsLoopback"
  | "ipIsGlobalUnicast"
  | "ipIsLinkLocalUnicast"
  | "ipIsLinkLocalMulticast"
  | "cidrOfText"
  | "isCIDR"
  | "cidrIP"
  | "cidrMasked"
  | "cidrPrefixLength"
  | "cidrIsMask"
  | "cidrContainsIP"
  | "cidrContainsCIDR"
> = {
  ipOfText: toIP,
  isIP: (text) => (text.kind === "string" ? bool(readIP(text.value) !== undefined) : noSuchOverload()),
  ipIsCanonical: (text) => {
    const ip = toIP(text);
    return ip.kind === "ip" && text.kind === "string" ? bool(formatValue(ip) === text.value) : ip;
  },
  ipFamily: ofIP(({ bits }) => int(bits === 32 ? 4n : 6n)),
  ipIsUnspecified: ofIP((ip) => bool(isUnspecified(ip))),
  ipIsLoopback: ofIP((ip) => bool(isLoopback(ip))),
  ipIsGlobalUnicast: ofIP((ip) => bool(isGlobalUnicast(ip))),
  ipIsLinkLocalUnicast: ofIP((ip) => bool(isLinkLocalUnicast(ip))),
  ipIsLinkLocalMulticast: ofIP((ip) => bool(isLinkLocalMulticast(ip))),
  cidrOfText: toCIDR,
  isCIDR: (text) => (text.kind === "string" ? bool(readCIDR(text.value) !== undefined) : noSuchOverload()),
  cidrIP: ofCIDR(({ bits, address }) => ({ kind: "ip", bits, address })),
  cidrMasked: ofCIDR(masked),
  cidrPrefixLength: ofCIDR(({ prefix }) => int(BigInt(prefix))),
  cidrIsMask: ofCIDR((cidr) => bool(masked(cidr).address === cidr.address)),
  cidrContainsIP: (cidr, other) => {
    if (cidr.kind !== "cidr") return noSuchOverload();
    const ip = other.kind === "ip" ? other : toIP(other);
    return ip.kind === "ip" ? bool(contains(cidr, ip.bits, ip.address)) : ip;
  },
  cidrContainsCIDR: (cidr, other) => {
    if (cidr.kind !== "cidr") return noSuchOverload();
    const range = other.kind === "cidr" ? other : toCIDR(other);
    if (range.kind !== "cidr") return range;
    return bool(range.prefix >= cidr.prefix && contains(cidr, range.bits, range.address));
  },
};
