/**
 * Addresses as Go's `net/url` reads them: which texts it accepts (the formats `uri`, `uri-reference`, `uri-template`), and how a
 * reference is resolved against the address of a schema. Every test is one pass over the text.
 */
import { isIPv4, isIPv6 } from "node:net";

/** What the format tests need of a parsed address. */
export interface ParsedUrl {
  readonly scheme: string;
  /** Still percent-encoded; empty when the address is opaque (`urn:a`). */
  readonly path: string;
}

const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;
const USER_INFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
/** Characters below 0x80 of a host. */
const HOST = /^[A-Za-z0-9\-_.~!$&'()*+,;=:[\]<>"%\u0080-\u{10ffff}]*$/u;
/** Escapes of a host stand for bytes from 0x80 on, except `%25`. */
const HOST_ESCAPE = /%(?!25)[0-7]/;
const PORT = /^(?::[0-9]*)?$/;

/** Parses as `url.Parse` does, with the library's check of IPv6 hosts; null when it is refused. */
export function parseUrl(text: string): ParsedUrl | null {
  const hash = text.indexOf("#");
  const address = hash < 0 ? text : text.slice(0, hash);
  if (hash >= 0 && BAD_ESCAPE.test(text.slice(hash + 1))) return null;
  if (hasControl(address)) return null;
  if (address === "*") return { scheme: "", path: "*" };
  if (address.startsWith(":")) return null;
  const scheme = SCHEME.exec(address)?.[1] ?? "";
  let rest = scheme === "" ? address : address.slice(scheme.length + 1);
  const query = rest.indexOf("?");
  if (query >= 0) rest = rest.slice(0, query);
  if (!rest.startsWith("/")) {
    if (scheme !== "") return { scheme, path: "" };
    if ((rest.split("/", 1)[0] ?? "").includes(":")) return null;
  }
  if (rest.startsWith("//") && (scheme !== "" || !rest.startsWith("///"))) {
    const slash = rest.indexOf("/", 2);
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash);
    if (!isAuthority(authority)) return null;
    rest = slash < 0 ? "" : rest.slice(slash);
  }
  return BAD_ESCAPE.test(rest) ? null : { scheme, path: rest };
}

function hasControl(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u001f\u007f]/.test(text);
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf("@");
  if (at < 0) return isHost(authority);
  const user = authority.slice(0, at);
  return isHost(authority.slice(at + 1)) && USER_INFO.test(user) && !BAD_ESCAPE.test(user);
}

function isHost(host: string): boolean {
  const open = host.lastIndexOf("[");
  if (open > 0) return false;
  if (open === 0) {
    const close = host.lastIndexOf("]");
    return close > 0 && PORT.test(host.slice(close + 1)) && isBracketed(host.slice(1, close));
  }
  const colon = host.lastIndexOf(":");
  if (colon >= 0 && !PORT.test(host.slice(colon))) return false;
  if (!HOST.test(host) || BAD_ESCAPE.test(host) || HOST_ESCAPE.test(host)) return false;
  // What is left of the port must not look like an address of version 6 without its brackets.
  return !(colon >= 0 ? host.slice(0, colon) : host).includes(":");
}

/** The inside of brackets: an IPv6 address. One with a zone passes `url.Parse`, but not the library. */
function isBracketed(inner: string): boolean {
  return isIPv6Address(inner) && !isIPv4(inner);
}

/** An address of version 6 without a zone. */
export function isIPv6Address(text: string): boolean {
  return !text.includes("%") && isIPv6(text);
}

const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$/s;

/** Resolves a reference of a schema against the address it stands in; null when either cannot be read. */
export function resolveUrl(base: string, reference: string): string | null {
  if (reference === "") return base;
  if (reference.startsWith("urn:")) return reference;
  const parsed = parseUrl(reference);
  if (parsed === null) return null;
  if (parsed.scheme !== "") return reference;
  if (base.startsWith("urn:")) return splitUrl(base)[0] + reference;
  const from = PARTS.exec(base);
  const to = PARTS.exec(reference);
  if (from === null || to === null) return null;
  const [, scheme = "", host, path = "", query = ""] = from;
  const [, , ownHost, ownPath = "", ownQuery = "", fragment = ""] = to;
  const start = scheme === "" ? "" : `${scheme}:`;
  if (ownHost !== undefined) return `${start}//${ownHost}${withoutDots(ownPath)}${ownQuery}${fragment}`;
  const place = `${start}${host === undefined ? "" : `//${host}`}`;
  if (ownPath === "") return `${place}${path}${ownQuery === "" ? query : ownQuery}${fragment}`;
  const merged = ownPath.startsWith("/") ? ownPath : path.slice(0, path.lastIndexOf("/") + 1) + ownPath;
  return `${place}${withoutDots(merged)}${ownQuery}${fragment}`;
}

function withoutDots(path: string): string {
  const out: string[] = [];
  const segments = path.split("/");
  for (const [index, segment] of segments.entries()) {
    const isLast = index === segments.length - 1;
    if (segment === "..") {
      if (out.length > 1 || (out.length === 1 && out[0] !== "")) out.pop();
    } else if (segment !== ".") out.push(segment);
    if (isLast && (segment === "." || segment === "..")) out.push("");
  }
  return out.join("/");
}

/** An address without its fragment, and the fragment with its `#`; `#` alone when there is none. */
export function splitUrl(url: string): readonly [string, string] {
  const hash = url.indexOf("#");
  if (hash < 0) return [url, "#"];
  const fragment = url.slice(hash);
  return [url.slice(0, hash), fragment === "#/" ? "#" : fragment];
}
