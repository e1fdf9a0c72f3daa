/** The time zones that bundles carry, unpacked and read as assembly/cel/zones.ts says. */
import { brotliDecompressSync } from "node:zlib";
import { ZONES_PACKED } from "../../compiler/time-zones/database.ts";

export const ZONE_DATABASE: Uint8Array = brotliDecompressSync(Buffer.from(ZONES_PACKED, "base64"));

/** Name and table of every zone, read as assembly/cel/zones.ts says. */
export function readZones(): ReadonlyMap<string, readonly (readonly [second: number, offset: number])[]> {
  const bytes = ZONE_DATABASE;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const zones = new Map<string, (readonly [number, number])[]>();
  for (let index = 0; index < view.getUint32(0, true); index++) {
    const [name = 0, length = 0, table = 0, count = 0] = [0, 4, 8, 12].map((field) =>
      view.getUint32(8 + index * 16 + field, true),
    );
    const words = Array.from({ length: count }, (_, at) => view.getBigInt64(table + at * 8, true));
    zones.set(
      new TextDecoder().decode(bytes.subarray(name, name + length)),
      words.map((word) => [Number(word >> 20n), Number(BigInt.asIntN(20, word))]),
    );
  }
  return zones;
}
