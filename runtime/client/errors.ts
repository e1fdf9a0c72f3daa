/** How a client fails: the request is wrong, or nobody could decide it. */

export type ClientErrorCode =
  /** The PDP refused the request; asking again cannot help. */
  | "EDICT_CLIENT_REQUEST"
  /** No decision was to be had in time. */
  | "EDICT_CLIENT_UNAVAILABLE"
  /** The client was closed. */
  | "EDICT_CLIENT_CLOSED";

export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
