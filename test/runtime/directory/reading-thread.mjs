/** A thread that reads a directory as fast as it can while another one changes it, and says what it has seen that cannot be. */
import { parentPort, workerData } from "node:worker_threads";
import { unpack } from "msgpackr";
import { DirectoryView } from "../../../dist/runtime/directory/directory-view.js";

const { share, ids, words, slot } = workerData;
const view = DirectoryView.of(share);
const type = Buffer.from("record");
const problems = [];
let looks = 0;
let seen = 0;
let walked = 0;

/** Every entity says of itself who it is, and has as many bytes as it says. */
function check(id, bytes) {
  seen++;
  const { self, length, text } = unpack(Uint8Array.from(bytes));
  if (self !== id || text.length !== length)
    problems.push(`${id} says ${self}, ${length} and ${text.length}`);
}

while (Atomics.load(words, 0) === 0 && problems.length === 0) {
  Atomics.store(words, slot, Math.min(looks, seen));
  const id = `r${looks++ % ids}`;
  const bytes = view.properties("resource", type, Buffer.from(id));
  if (bytes !== null) check(id, bytes);
  // r0 is always there, replaced or not.
  else if (id === "r0") problems.push("r0 was not there");
  if (looks % 5000 !== 0) continue;
  const table = view.table("resource", "record");
  for (let position = 0; ;) {
    const run = table.run(position, 4096);
    for (let at = 0; at < run.bytes.byteLength; walked++) {
      const own = table.idAt(run.address + at);
      const properties = table.propertiesAt(run.address + at);
      check(Buffer.from(own).toString(), properties);
      at += 8 + own.byteLength + properties.byteLength;
      if (at > run.bytes.byteLength) problems.push("a record does not end where the run does");
    }
    if (run.isLast) break;
    position = run.next;
  }
}
// Nobody waits for one that has found a problem.
Atomics.store(words, slot, 2 ** 31 - 1);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
parentPort.postMessage({ problems, looks, seen, walked });
