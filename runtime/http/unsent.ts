/**
 * Answers to clients that do not read. uWebSockets.js keeps what a socket does not take, without bound, and a client that
 * pipelines requests and never reads could fill memory that way. While memory is scarce, answers are given to it only as far as
 * the socket takes them: small ones that do not fit cost the client its connection, and what is left of large ones counts
 * against the budget that bodies share.
 */
import type { BodyBudget } from "./body.ts";
import type { HttpResponse } from "./uws.ts";

/** One per thread, as the modules are. */
export const unsent = {
  /** Set by the load gate. */
  isScarce: false,
};

/** Ends a response with a small body. Its headers are written. */
export function endSmall(res: HttpResponse, body: string, closeConnection: boolean): void {
  if (!unsent.isScarce || body === "") res.end(body, closeConnection);
  else if (!res.tryEnd(body, Buffer.byteLength(body))[1]) res.close();
}

/** Ends a response while memory is scarce. Its headers are written; `body` is a view that may change afterwards. */
export function endScarce(
  res: HttpResponse,
  body: Uint8Array,
  context: { readonly bodies: BodyBudget; inFlight: number },
): void {
  if (res.tryEnd(body, body.byteLength)[1]) return;
  const start = res.getWriteOffset();
  const rest = body.slice(start);
  if (!context.bodies.take(rest.byteLength)) {
    res.close();
    return;
  }
  context.inFlight++;
  let open = true;
  const settle = (): void => {
    if (!open) return;
    open = false;
    context.inFlight--;
    context.bodies.give(rest.byteLength);
  };
  res.onAborted(settle);
  res.onWritable((offset) => {
    const [taken, isDone] = res.tryEnd(rest.subarray(offset - start), body.byteLength);
    if (isDone) settle();
    return taken;
  });
}
