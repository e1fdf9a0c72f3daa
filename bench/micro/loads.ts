/** What a core of the guest is asked when it is compared or profiled: load-test bodies one by one, in batches, and several in one call. */
import { FORMAT_JSON, FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { BodyTable } from "../../runtime/guest/body-table.ts";
import type { Engine } from "../../runtime/index.ts";
import type { Encoding } from "../load/http-requests.ts";
import { loadtestBodies } from "../load/loadtest-set.ts";
import { bodiesOf } from "./decisions.ts";

/** Requests of 10 decisions alone, requests of 1,000 decisions alone, and AT_ONCE requests of 10 decisions in one call. */
export const LOADS = ["single", "batch", "together"] as const;
export type Load = (typeof LOADS)[number];

/** Requests that are decided in one call. */
export const AT_ONCE = 16;

/** Asks an engine everything once; the number of calls that took. Throws when a request is refused. */
export type Round = (engine: Engine) => number;

/** The round of one load over `copies` of the load-test set. */
export function roundOf(load: Load, encoding: Encoding, copies: number): Round {
  const loadtest = loadtestBodies(copies);
  if (load === "together")
    return together(
      loadtest.filter(({ decisions }) => decisions === 10).map((body) => body[encoding]),
      encoding,
    );
  const bodies = bodiesOf(load === "single" ? 10 : 1000, loadtest).map((body) => body[encoding]);
  return (engine) => {
    for (const body of bodies)
      if (engine.checkBytes(body, encoding).status !== 0) throw new Error("a request was refused");
    return bodies.length;
  };
}

function together(bodies: readonly Uint8Array[], encoding: Encoding): Round {
  const format = encoding === "json" ? FORMAT_JSON : FORMAT_MSGPACK;
  const places = new BodyTable();
  const groups: { readonly lengths: readonly number[]; readonly bytes: Buffer }[] = [];
  for (let first = 0; first + AT_ONCE <= bodies.length; first += AT_ONCE) {
    const group = bodies.slice(first, first + AT_ONCE);
    groups.push({ lengths: group.map(({ byteLength }) => byteLength), bytes: Buffer.concat(group) });
  }
  return (engine) => {
    for (const { lengths, bytes } of groups) {
      let at = 0;
      for (const [index, length] of lengths.entries()) {
        places.place(index, at, length, format, format);
        at += length;
      }
      if (!engine.decideBodies(places, bytes, AT_ONCE, 0)) throw new Error("nothing was decided");
    }
    return groups.length;
  };
}
