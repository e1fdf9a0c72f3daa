/** What the client needs of a connection to a daemon. Transports neither retry nor interpret decisions. */
import type { CheckRequest, CheckResponse } from "../guest/messages.ts";

export type Outcome<Response = CheckResponse> =
  | { readonly kind: "response"; readonly response: Response }
  /** The request is wrong. */
  | { readonly kind: "refused"; readonly message: string }
  /** Worth another try, unless `isFinal`; `retryAfterMs` when the server said when. */
  | {
      readonly kind: "unavailable";
      readonly message: string;
      readonly isFinal: boolean;
      readonly retryAfterMs?: number;
    };

export interface Transport {
  /** Sends requests that were made in the same tick; one outcome each, in their order. Never rejects. */
  send(requests: readonly CheckRequest[], timeoutMs: number): readonly Promise<Outcome>[];
  close(): void;
}

export function unavailable(message: string, retryAfterMs?: number): Outcome<never> {
  const again = { kind: "unavailable", message, isFinal: false } as const;
  return retryAfterMs === undefined ? again : { ...again, retryAfterMs };
}
