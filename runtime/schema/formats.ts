/**
 * The formats of JSON Schema, each by the rules of the Go library that Cerbos validates with, which are not always those of the
 * standards. They hold for strings only. A format that is not listed here is ignored, as there. Every test takes time in
 * proportion to the text.
 */
import { RE2JS } from "@bufbuild/re2";
import { isIPv6Address, parseUrl } from "./go-url.ts";

export type FormatTest = (text: string) => boolean;

/** By name. */
export const FORMATS: ReadonlyMap<string, FormatTest> = new Map<string, FormatTest>([
  ["date-time", isDateTime],
  ["date", isDate],
  ["time", isTime],
  ["duration", isDuration],
  ["period", isPeriod],
  ["hostname", isHostname],
  ["email", isEmail],
  ["ip-address", isIPv4Address],
  ["ipv4", isIPv4Address],
  ["ipv6", isIPv6Address],
  ["uri", isUri],
  ["iri", isUri],
  ["uri-reference", isUriReference],
  ["uriref", isUriReference],
  ["iri-reference", isUriReference],
  ["uri-template", isUriTemplate],
  ["regex", isRegex],
  ["json-pointer", isJsonPointer],
  ["relative-json-pointer", isRelativeJsonPointer],
  ["uuid", isUuid],
]);

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  if (year === undefined || text.endsWith("\n")) return false;
  const leaps = Number(year) % 4 === 0 && (Number(year) % 100 !== 0 || Number(year) % 400 === 0);
  const last = (MONTH_DAYS[Number(month) - 1] ?? 0) + (leaps && month === "02" ? 1 : 0);
  return Number(day) >= 1 && Number(day) <= last;
}

/** Two characters as a number; Go's reader takes a sign, too. Minus one when they are none. */
function pair(text: string | undefined): number {
  return text !== undefined && /^(?:[+-]\d|\d\d)$/.test(text) ? Number(text) + 0 : -1;
}

const TIME = /^(..):(..):(..)(?:\.\d+)?(?:[zZ]|([+-])(..):(..))$/;

function isTime(text: string): boolean {
  const match = TIME.exec(text);
  if (match === null) return false;
  const [, hours, minutes, seconds, sign, zoneHours, zoneMinutes] = match;
  const [h, m, s] = [pair(hours), pair(minutes), pair(seconds)];
  if (h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60) return false;
  let clock = h * 60 + m;
  if (sign !== undefined) {
    const [zh, zm] = [pair(zoneHours), pair(zoneMinutes)];
    if (zh < 0 || zh > 23 || zm < 0 || zm > 59) return false;
    clock += (sign === "+" ? -1 : 1) * (zh * 60 + zm);
    if (clock < 0) clock += 24 * 60;
  }
  // A leap second is the last of a day of universal time.
  return s < 60 || clock === 23 * 60 + 59;
}

function isDateTime(text: string): boolean {
  return /^.{10}[Tt]/.test(text) && isDate(text.slice(0, 10)) && isTime(text.slice(11));
}

const DURATION =
  /^P(?:\d+W|(?=\d|T)(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)?(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?)$/;

function isDuration(text: string): boolean {
  return DURATION.test(text);
}

function isPeriod(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return false;
  const [start, end] = [text.slice(0, slash), text.slice(slash + 1)];
  return isDateTime(start) ? isDateTime(end) || isDuration(end) : isDuration(start) && isDateTime(end);
}

function isHostname(text: string): boolean {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  // Only the first label must not begin with a hyphen.
  if (name.length > 253 || name.startsWith("-")) return false;
  return name.split(".").every((label) => /^[A-Za-z0-9-]{0,62}[A-Za-z0-9]$/.test(label));
}

/** Local part without quotes: no dot at either end, none twice. */
const ATOM = /^[^\x00-\x20\x7f()<>[\]:;@\\,".]+(?:\.[^\x00-\x20\x7f()<>[\]:;@\\,".]+)*$/; // oxlint-disable-line no-control-regex
const QUOTED = /^"(?:[^\x00-\x08\x0a-\x1f\x7f"\\]|\\[^\x00-\x08\x0a-\x1f\x7f])+"$/; // oxlint-disable-line no-control-regex

function isEmail(text: string): boolean {
  if (Buffer.byteLength(text) > 254) return false;
  const at = text.lastIndexOf("@");
  if (at < 0) return false;
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (Buffer.byteLength(local) > 64) return false;
  if (domain.length >= 2 && domain.startsWith("[") && domain.endsWith("]")) {
    const address = domain.slice(1, -1);
    return address.startsWith("IPv6:") ? isIPv6Address(address.slice(5)) : isIPv4Address(address);
  }
  if (!isHostname(domain) || domain.endsWith(".")) return false;
  const name = local.replace(/^[ \t]+/, "");
  return ATOM.test(name) || QUOTED.test(name);
}

function isIPv4Address(text: string): boolean {
  const groups = text.split(".", 5);
  return groups.length === 4 && groups.every(isOctet);
}

function isOctet(group: string): boolean {
  if (!/^[+-]?\d+$/.test(group)) return false;
  const number = Number(group);
  return number >= 0 && number <= 255 && (number === 0 || !group.startsWith("0"));
}

function isUri(text: string): boolean {
  return (parseUrl(text)?.scheme ?? "") !== "";
}

function isUriReference(text: string): boolean {
  return !text.includes("\\") && parseUrl(text) !== null;
}

/** Braces in pairs within each segment of the path; what stands inside is not looked at. */
function isUriTemplate(text: string): boolean {
  const path = parseUrl(text)?.path;
  return path !== undefined && path.split("/").every((segment) => /^(?:[^{}]|\{[^{}]*\})*$/.test(segment));
}

function isRegex(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    return false;
  }
}

function isJsonPointer(text: string): boolean {
  return (text === "" || text.startsWith("/")) && !/~(?![01])/.test(text);
}

function isRelativeJsonPointer(text: string): boolean {
  const steps = /^(?:0|[1-9]\d*)/.exec(text)?.[0];
  if (steps === undefined) return false;
  const rest = text.slice(steps.length);
  return rest === "#" || isJsonPointer(rest);
}

function isUuid(text: string): boolean {
  return /^[\dA-Fa-f]{8}-(?:[\dA-Fa-f]{4}-){3}[\dA-Fa-f]{12}$/.test(text);
}
