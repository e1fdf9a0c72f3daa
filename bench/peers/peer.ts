/** What every engine that is compared in-process does: request bytes in, response bytes out, as a service would. */
import type { CheckRequest } from "./rules.ts";

/** One of the engines, filled with the load-test rules. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  /** Whether each pair of a resource and an action is allowed, in the order of the request. */
  decide(request: CheckRequest): boolean[];
}

/** The whole way of one request through a peer. */
export function answer(peer: Peer, body: Uint8Array): Buffer {
  const request: CheckRequest = JSON.parse(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString(),
  );
  const decisions = peer.decide(request);
  let next = 0;
  const results = request.resources.map(({ resource, actions }) => ({
    resource: {
      id: resource.id,
      kind: resource.kind,
      policyVersion: resource.policyVersion,
      scope: resource.scope,
    },
    actions: Object.fromEntries(
      actions.map((action) => [action, decisions[next++] === true ? "EFFECT_ALLOW" : "EFFECT_DENY"]),
    ),
  }));
  return Buffer.from(JSON.stringify({ requestId: request.requestId, results }));
}

/** A package of bench/peers, or undefined when it is not installed. */
export async function optionalPackage<T>(name: string): Promise<T | undefined> {
  try {
    const loaded: T = await import(name);
    return loaded;
  } catch {
    return undefined;
  }
}

/** The same of a CommonJS package, whose exports are `default` or the module itself, as the loader likes. */
export async function optionalCommonJs<T extends object>(name: string): Promise<T | undefined> {
  const loaded = await optionalPackage<T & { readonly default?: T }>(name);
  return loaded?.default ?? loaded;
}
