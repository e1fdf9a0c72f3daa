/**
 * Requests that are refused whatever their body is. It is still read to its end, because closing a connection with unread data makes
 * clients lose the answer.
 */
import { MAX_DROPPED } from "./body.ts";
import { type Reply, send } from "./replies.ts";
import type { HttpResponse } from "./uws.ts";

/** Answers once the body has come. `lines` are all further header lines. */
export function refuseUnread(
  res: HttpResponse,
  reply: Reply,
  lines: string,
  state: { readonly draining: boolean },
): void {
  let open = true;
  let dropped = 0;
  res.onAborted(() => {
    open = false;
  });
  res.onData((chunk, isLast) => {
    dropped += chunk.byteLength;
    if (!open || (!isLast && dropped <= MAX_DROPPED)) return;
    open = false;
    send(res, reply, lines, state.draining || !isLast);
  });
}
