/** Bodies that the guest decides in one call, as the daemon asks for the small requests of a turn of its event loop. */
import { FORMAT_JSON, FORMAT_MSGPACK, STATUS_OK } from "../../assembly/abi.ts";
import { BodyTable } from "../../runtime/guest/body-table.ts";
import type { Engine } from "../../runtime/index.ts";
import type { Encoding } from "../load/http-requests.ts";

/** Asks an engine once. Throws when a request is refused. */
export type Call = (engine: Engine) => void;

/** `bodies` in calls of `atOnce`; those that are left over are left out. */
export function callsOf(bodies: readonly Uint8Array[], encoding: Encoding, atOnce: number): readonly Call[] {
  const format = encoding === "json" ? FORMAT_JSON : FORMAT_MSGPACK;
  const places = new BodyTable();
  const calls: Call[] = [];
  for (let first = 0; first + atOnce <= bodies.length; first += atOnce) {
    const group = bodies.slice(first, first + atOnce);
    const bytes = Buffer.concat(group);
    const lengths = group.map(({ byteLength }) => byteLength);
    calls.push((engine) => {
      let at = 0;
      for (const [index, length] of lengths.entries()) {
        places.place(index, at, length, format, format);
        at += length;
      }
      if (!engine.decideBodies(places, bytes, atOnce, 0)) throw new Error("nothing was decided");
      for (let index = 0; index < atOnce; index++)
        if (places.status(index) !== STATUS_OK) throw new Error("a request was refused");
    });
  }
  return calls;
}
