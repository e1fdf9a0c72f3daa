/** `inIPAddrRange(cidr)`: IPv4 and IPv6 (COMPAT.md section 7.4); a mapped IPv4 address counts as IPv4. */
import { bool, error, noSuchOverload } from "../values.ts";
import type { Family } from "./family.ts";

export interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/u.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseGroups(text: string): bigint[] | undefined {
  if (text === "") return [];
  const groups: bigint[] = [];
  const parts = text.split(":");
  for (const [at, part] of parts.entries()) {
    const v4 = at === parts.length - 1 && part.includes(".") ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(v4 >> 16n, v4 & 0xffffn);
    else if (/^[\da-f]{1,4}$/iu.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "");
  const tail = parseGroups(halves[1] ?? "");
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const zeros = Array.from({ length: missing }, () => 0n);
  return [...head, ...zeros, ...tail].reduce((value, group) => (value << 16n) | group, 0n);
}

/** An address without a zone; IPv4-mapped ones are IPv6. */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { bits: 32, value: v4 };
  const v6 = text.includes(":") ? parseV6(text) : undefined;
  return v6 === undefined ? undefined : { bits: 128, value: v6 };
}

/** A mapped address as the IPv4 one that it stands for. */
export function unmap(address: Address): Address {
  return address.bits === 128 && address.value >> 32n === 0xffffn
    ? { bits: 32, value: address.value & 0xffffffffn }
    : address;
}

function parseRange(text: string): (Address & { readonly prefix: number }) | undefined {
  const [base = "", length = "", extra] = text.split("/");
  const address = parseAddress(base);
  // Unlike the fields of an address, the length may have leading zeros.
  if (address === undefined || extra !== undefined || !/^\d+$/u.test(length)) return undefined;
  const prefix = Number(length);
  if (prefix > address.bits) return undefined;
  // `::ffff:0:0/96` and narrower are ranges of IPv4 addresses.
  const mapped = address.bits === 128 && prefix >= 96 ? unmap(address) : address;
  return mapped.bits === address.bits ? { ...address, prefix } : { ...mapped, prefix: prefix - 96 };
}

export const ADDRESSES: Family<"inIPAddrRange"> = {
  inIPAddrRange: (text, cidr) => {
    if (text.kind !== "string" || cidr.kind !== "string") return noSuchOverload();
    const parsed = parseAddress(text.value);
    const range = parseRange(cidr.value);
    if (range === undefined) return error(`invalid CIDR address: ${cidr.value}`);
    if (parsed === undefined) return error(`invalid IP address: ${text.value}`);
    const address = unmap(parsed);
    if (address.bits !== range.bits) return bool(false);
    const shift = BigInt(range.bits - range.prefix);
    return bool(address.value >> shift === range.value >> shift);
  },
};
