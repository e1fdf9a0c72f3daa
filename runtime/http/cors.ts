/**
 * Cross-origin rules (COMPAT.md 10.3): any origin unless told otherwise, preflights answered 204. Browsers enforce
 * them; they protect nothing by themselves.
 */
import type { HttpRequest, HttpResponse } from "./uws.ts";

export interface CorsOptions {
  readonly disabled: boolean;
  /** Origins, `*`, or patterns with one `*`, as in `https://*.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Lower-case header names, or `*`. */
  readonly allowedHeaders: readonly string[];
  /** Seconds a browser may remember a preflight; 0 leaves it to the browser. */
  readonly maxAgeSeconds: number;
}

export const DEFAULT_CORS: CorsOptions = {
  disabled: false,
  allowedOrigins: ["*"],
  allowedHeaders: ["accept", "content-type", "user-agent", "x-requested-with"],
  maxAgeSeconds: 0,
};

const METHODS: ReadonlySet<string> = new Set(["HEAD", "GET", "POST", "PUT", "PATCH", "DELETE"]);

/** The cross-origin rules of one server. */
export class Cors {
  /** Whether answers depend on the request's origin, so that routes must read it. */
  readonly readsOrigin: boolean;
  /** Header lines of every answer, whatever its origin; each starts with CRLF. */
  readonly fixedHeaders: string;
  readonly #options: CorsOptions;
  readonly #anyOrigin: boolean;

  constructor(options: CorsOptions) {
    this.#options = options;
    this.#anyOrigin = options.allowedOrigins.includes("*");
    this.readsOrigin = !options.disabled && !this.#anyOrigin;
    this.fixedHeaders = options.disabled ? "" : "\r\nVary: Origin";
    if (!options.disabled && this.#anyOrigin) this.fixedHeaders += "\r\nAccess-Control-Allow-Origin: *";
  }

  /** Header lines for one answer, each starting with CRLF. `origin` is the request's Origin header. */
  headers(origin: string): string {
    return this.fixedHeaders + this.originHeader(origin);
  }

  /** Whether a WebSocket from this origin may be opened: by all that are no browsers, and by the origins that may read answers. */
  admits(origin: string): boolean {
    if (origin === "") return true;
    return !this.#options.disabled && (this.#anyOrigin || this.#allows(origin));
  }

  /** What comes on top of `fixedHeaders` for one origin. */
  originHeader(origin: string): string {
    return this.readsOrigin && this.#allows(origin) ? `\r\nAccess-Control-Allow-Origin: ${origin}` : "";
  }

  /** Answers a preflight. False when the request is none, so that the route answers it. */
  preflight(res: HttpResponse, req: HttpRequest): boolean {
    if (this.#options.disabled || req.getMethod() !== "options") return false;
    const method = req.getHeader("access-control-request-method").toUpperCase();
    if (method === "") return false;
    const origin = req.getHeader("origin");
    const headers = req.getHeader("access-control-request-headers").toLowerCase();
    res.writeStatus("204 No Content");
    res.writeHeader("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    if (this.#allows(origin) && METHODS.has(method) && this.#allowsHeaders(headers)) {
      res.writeHeader("Access-Control-Allow-Origin", this.#anyOrigin ? "*" : origin);
      res.writeHeader("Access-Control-Allow-Methods", method);
      if (headers !== "") res.writeHeader("Access-Control-Allow-Headers", headers);
      const { maxAgeSeconds } = this.#options;
      if (maxAgeSeconds > 0) res.writeHeader("Access-Control-Max-Age", `${maxAgeSeconds}`);
    }
    res.endWithoutBody();
    return true;
  }

  #allows(origin: string): boolean {
    // An origin is echoed into a header, so it must be one printable token.
    if (!/^[\x21-\x7e]+$/.test(origin)) return false;
    return this.#options.allowedOrigins.some((allowed) => matchesOrigin(allowed, origin.toLowerCase()));
  }

  #allowsHeaders(headers: string): boolean {
    const allowed = this.#options.allowedHeaders;
    if (!/^[\x20-\x7e]*$/.test(headers)) return false;
    if (headers === "" || allowed.includes("*")) return true;
    return headers.split(",").every((name) => allowed.includes(name.trim()));
  }
}

function matchesOrigin(allowed: string, origin: string): boolean {
  if (allowed === "*") return true;
  const star = allowed.indexOf("*");
  if (star < 0) return allowed === origin;
  const prefix = allowed.slice(0, star);
  const suffix = allowed.slice(star + 1);
  return (
    origin.length >= prefix.length + suffix.length && origin.startsWith(prefix) && origin.endsWith(suffix)
  );
}
