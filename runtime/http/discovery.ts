/**
 * `GET /.well-known/authzen-configuration`: where the AuthZEN endpoints of this daemon are (Authorization API 1.0, Policy Decision Point Metadata). The
 * answer names the very address that the client used, since a PEP must not use any other one; what of the request may say so
 * is bounded and checked here. Nothing is signed.
 */
import { CODE_INVALID_ARGUMENT, document, errorReply, NOT_FOUND_PLAIN, type Reply } from "./replies.ts";
import type { HttpRequest } from "./uws.ts";

export interface DiscoveryOptions {
  /** The PDP's identifier as PEPs know it, an http or https URL without query, fragment and final slash; null to take it from the request. */
  readonly baseUrl: string | null;
  /**
   * Whether `X-Forwarded-Host`, and any `X-Forwarded-Proto`, are believed: only behind a proxy that sets both. Without, the scheme may
   * still be raised to https by the latter, because a proxy that ends TLS is common and a wrong claim leads nobody to a foreign place.
   */
  readonly trustForwarded: boolean;
}

export const DEFAULT_DISCOVERY: DiscoveryOptions = { baseUrl: null, trustForwarded: false };

export const WELL_KNOWN_PATH = "/.well-known/authzen-configuration";

export const EVALUATION_PATH = "/access/v1/evaluation";
export const EVALUATIONS_PATH = "/access/v1/evaluations";
export const SEARCH_PATHS = {
  subject: "/access/v1/search/subject",
  resource: "/access/v1/search/resource",
  action: "/access/v1/search/action",
} as const;

/** What this PDP does beyond what every one must. None is registered with IANA yet. */
const CAPABILITIES = [
  "urn:x-edict:authzen:msgpack",
  "urn:x-edict:authzen:evaluations-semantics",
  "urn:x-edict:authzen:action-properties",
  "urn:x-edict:authzen:context",
  "urn:x-edict:authzen:entity-directory",
  "urn:x-edict:authzen:search-pagination",
] as const;

/** Seconds for which a client may keep the answer. */
const MAX_AGE = 3600;

/** A name or address of a host as `Host` may have it, with a port. */
const HOST = /^(?:[0-9a-z](?:[0-9a-z._-]{0,251}[0-9a-z])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The path of a tenant: plain segments. */
const TENANT = /^(?:\/[\w.~-]{1,64}){1,8}$/;

const NO_HOST = errorReply(
  "400 Bad Request",
  CODE_INVALID_ARGUMENT,
  "the request does not say by which host it was sent",
);

/** Answers requests for the metadata. `isTls` is whether this daemon itself speaks https. */
export class Discovery {
  readonly #options: DiscoveryOptions;
  readonly #isTls: boolean;

  constructor(options: DiscoveryOptions, isTls: boolean) {
    this.#options = options;
    this.#isTls = isTls;
  }

  answer(req: HttpRequest): Reply {
    const tenant = req.getUrl().slice(WELL_KNOWN_PATH.length).replace(/\/$/, "");
    if (tenant !== "" && !TENANT.test(tenant)) return NOT_FOUND_PLAIN;
    // Dots are segments of a path in some readers and go up in others.
    if (/\/\.{1,2}(?:\/|$)/.test(tenant)) return NOT_FOUND_PLAIN;
    const { baseUrl } = this.#options;
    if (baseUrl === null) {
      const origin = this.#origin(req);
      return origin === null ? NO_HOST : this.#document(origin + tenant, origin, false);
    }
    // The identifier's own path is what stands behind the well-known one.
    const url = new URL(baseUrl);
    const path = url.pathname === "/" ? "" : url.pathname;
    if (tenant === "" || tenant === path) return this.#document(baseUrl, baseUrl, true);
    return path === "" ? this.#document(baseUrl + tenant, baseUrl, true) : NOT_FOUND_PLAIN;
  }

  /** Scheme and host that the client used; null when it does not say. */
  #origin(req: HttpRequest): string | null {
    const { trustForwarded } = this.#options;
    const proto = firstOf(req.getHeader("x-forwarded-proto")).toLowerCase();
    let scheme = this.#isTls || proto === "https" ? "https" : "http";
    let host = req.getHeader("host");
    if (trustForwarded) {
      if (proto === "http") scheme = "http";
      const forwarded = firstOf(req.getHeader("x-forwarded-host"));
      if (forwarded !== "") host = forwarded;
    }
    return HOST.test(host) ? `${scheme}://${host}` : null;
  }

  #document(identifier: string, base: string, isFixed: boolean): Reply {
    const reply = document({
      policy_decision_point: identifier,
      access_evaluation_endpoint: base + EVALUATION_PATH,
      access_evaluations_endpoint: base + EVALUATIONS_PATH,
      search_subject_endpoint: base + SEARCH_PATHS.subject,
      search_resource_endpoint: base + SEARCH_PATHS.resource,
      search_action_endpoint: base + SEARCH_PATHS.action,
      capabilities: CAPABILITIES,
    });
    // What headers of the request have a say in, no shared cache may give to others.
    const caching = isFixed ? "public" : "private";
    return { ...reply, lines: `\r\nCache-Control: ${caching}, max-age=${MAX_AGE}` };
  }
}

/** The first item of a list: what the outermost proxy was asked. */
function firstOf(list: string): string {
  const comma = list.indexOf(",");
  return (comma < 0 ? list : list.slice(0, comma)).trim();
}

/** What is wrong with a configured base URL, as the rest of a sentence; null when nothing is. */
export function baseUrlProblem(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return "is not a URL such as `https://pdp.example.com`";
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return "must begin with `https://`";
  if (url.username !== "" || url.password !== "") return "must not hold credentials";
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(text)) return "must have no query and no fragment";
  const path = url.pathname === "/" ? "" : url.pathname;
  // It has to be, byte for byte, what PEPs know.
  return `${url.protocol}//${url.host}${path}` === text && !text.endsWith("/")
    ? null
    : "must be written as `https://host[:port][/path]`, in lower case, without a final slash";
}
