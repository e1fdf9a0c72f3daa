/**
 * `X-Request-ID`, which the AuthZEN routes answer with itself. It is the caller's text in a header of ours, so nothing but
 * printable ASCII of a bounded length gets through; any other id is left out, and the request is answered without it.
 */
import type { HttpRequest } from "./uws.ts";

/** Printable, at most 256 bytes, and no space at either end, where a parser would drop it. */
const ECHOED = /^[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?$/;

/** The header line for the answer, starting with CRLF; empty when there is nothing to echo. */
export function requestIdLine(req: HttpRequest): string {
  const id = req.getHeader("x-request-id");
  return id !== "" && ECHOED.test(id) ? `\r\nX-Request-ID: ${id}` : "";
}
