/**
 * Decoding one request body: the guest's two decoders (without and with validation) beside JSON.parse of the same text.
 * A body is decoded in batches, because a single decode takes about as long as reading the clock. Prints nanoseconds
 * per body; run with `tsx bench/micro/decode.bench.ts` (add `node --no-liftoff --import tsx` to skip the warm-up tier).
 */
import { Bench } from "tinybench";
import { FULL_REQUEST, loadTestRequests, toJson, toMsgpack } from "../../test/assembly/decode/bodies.ts";
import { startDecoder } from "../../test/assembly/decode/decoder-host.ts";

const BATCH = 100;
const NANOSECONDS_PER_MILLISECOND = 1e6;
/** The attributes that the load-test policies read. */
const NAMES = ["department", "geography", "team", "ip_address", "owner", "id", "status"];

const host = await startDecoder("release");
host.project(NAMES, NAMES);
const resetArena = host.guest.function("resetArena");
const validate = host.guest.function("validateRequest");
const decoders = { json: host.guest.function("decodeJson"), msgpack: host.guest.function("decodeMsgpack") };
const bench = new Bench({ time: 400, warmupTime: 200 });

function addDecode(name: string, format: "json" | "msgpack", body: Uint8Array): void {
  const decode = decoders[format];
  bench.add(
    `${name}, ${body.length} bytes`,
    () => {
      for (let left = BATCH; left > 0; left--) {
        resetArena();
        if (decode(address, body.length, 50, 50) !== 0 || validate() !== 0)
          throw new Error(`${name} was refused`);
      }
    },
    { beforeAll: () => void host.write(body) },
  );
}

const address = host.write(new Uint8Array(0));
const loadTest = loadTestRequests();
for (const [index, request] of (loadTest.length === 0 ? [FULL_REQUEST] : loadTest).entries()) {
  const text = JSON.stringify(request);
  addDecode(`request ${index + 1}, JSON`, "json", toJson(request));
  addDecode(`request ${index + 1}, indented JSON`, "json", toJson(request, 2));
  addDecode(`request ${index + 1}, msgpack`, "msgpack", toMsgpack(request));
  bench.add(`request ${index + 1}, JSON.parse`, () => {
    for (let left = BATCH; left > 0; left--) JSON.parse(text);
  });
}

await bench.run();
for (const { name, result } of bench.tasks) {
  if (result.state !== "completed") throw new Error(`${name}: ${result.state}`);
  const best = Math.round((result.latency.min / BATCH) * NANOSECONDS_PER_MILLISECOND);
  const usual = Math.round((result.latency.p50 / BATCH) * NANOSECONDS_PER_MILLISECOND);
  console.log(
    `${name.padEnd(42)} best ${String(best).padStart(6)} ns   median ${String(usual).padStart(6)} ns`,
  );
}
