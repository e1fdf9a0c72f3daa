/**
 * The PDP under test, over HTTP or HTTPS: sends one request as it is told and gives back what came. Judges nothing. Plain `node:http`, because
 * the scenario needs requests that `fetch` does not send, such as one without a content type.
 */
import { type IncomingHttpHeaders, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

/** A PDP that has said nothing for this long is taken for dead. */
const DEADLINE_MS = 50_000;

export interface PdpOptions {
  /** Sent as `Authorization: Bearer`. */
  readonly token?: string;
  /** Certificates of authorities to trust instead of the known ones (PEM). */
  readonly authorities?: string;
  /** Accepts any certificate. */
  readonly insecure?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export class Pdp {
  readonly #options: PdpOptions;

  constructor(options: PdpOptions) {
    this.#options = options;
  }

  /** Sends one request. Rejects when there is no answer, or none in time. */
  send(
    method: "GET" | "POST",
    url: URL,
    headers: Readonly<Record<string, string>>,
    body = "",
  ): Promise<Answer> {
    const { token, authorities, insecure } = this.#options;
    const all: Record<string, string> = { accept: "application/json", ...headers };
    if (token !== undefined) all["authorization"] = `Bearer ${token}`;
    if (method === "POST") all["content-length"] = String(Buffer.byteLength(body));
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const trust = {
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(insecure === true ? { rejectUnauthorized: false } : {}),
    };
    return new Promise((resolve, reject) => {
      const call = send(url, { method, headers: all, timeout: DEADLINE_MS, ...trust }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      });
      call.on("timeout", () => call.destroy(new Error(`no answer within ${DEADLINE_MS} ms`)));
      call.on("error", reject);
      call.end(body);
    });
  }
}
