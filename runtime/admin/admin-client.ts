/** Asks a running daemon over its admin listener, for the commands of `edict`. Waits no longer than a swap may take. */
import { request } from "node:http";
import { readToken } from "../source/token-file.ts";
import type { ListenAddress } from "../config/address.ts";
import { AdminError } from "../errors.ts";
import { oneLine } from "../guest/modules.ts";

/** Milliseconds until an answer must be there. */
const TIMEOUT = 120_000;

/** Largest answer in bytes. */
const MAX_ANSWER = 16 * 1024 * 1024;

export interface AdminTarget {
  readonly address: ListenAddress;
  /** File with the token; null for a Unix socket that needs none. */
  readonly tokenFile: string | null;
}

/** Something was refused; `code` is the daemon's. */
export interface AdminRefusal {
  readonly code: string;
  readonly message: string;
}

export type AdminAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: number; readonly refusal: AdminRefusal };

/** Asks `path`; with a body it is a POST. Rejects with `AdminError` when there is no answer. */
export function askAdmin(target: AdminTarget, path: string, body?: object): Promise<AdminAnswer> {
  return body === undefined
    ? sendAdmin(target, "GET", path)
    : sendAdmin(target, "POST", path, JSON.stringify(body));
}

/** The same with any method and body. */
export async function sendAdmin(
  target: AdminTarget,
  method: string,
  path: string,
  body?: string | Uint8Array,
): Promise<AdminAnswer> {
  const token = target.tokenFile === null ? null : await readToken(target.tokenFile);
  const { status, text } = await exchange(target.address, method, path, token, body);
  let value: unknown;
  try {
    value = JSON.parse(text) as unknown;
  } catch {
    throw new AdminError("EDICT_ADMIN_UNREACHABLE", "what answers there is not the admin listener of edict");
  }
  if (status === 200) return { ok: true, value };
  const { code, message } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return { ok: false, status, refusal: { code: String(code), message: String(message) } };
}

function exchange(
  address: ListenAddress,
  method: string,
  path: string,
  token: string | null,
  body: string | Uint8Array | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const where =
    address.kind === "unix"
      ? { socketPath: address.path }
      : { host: address.host === "" ? "127.0.0.1" : address.host, port: address.port };
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(
        new AdminError("EDICT_ADMIN_UNREACHABLE", `the daemon cannot be asked: ${oneLine(error)}`, {
          cause: error,
        }),
      );
    };
    const call = request(
      {
        ...where,
        path,
        method,
        headers: {
          "content-type": "application/json",
          // Without it Node would send the body of a DELETE as if it were the next request.
          ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        timeout: TIMEOUT,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on("data", (chunk: Buffer) => {
          length += chunk.byteLength;
          if (length > MAX_ANSWER) response.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        response.on("error", fail);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    call.on("timeout", () => call.destroy(new Error("it does not answer")));
    call.on("error", fail);
    call.end(body);
  });
}
