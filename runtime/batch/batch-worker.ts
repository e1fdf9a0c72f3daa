/** The entry of a batch worker: takes tasks from Piscina and moves the answers back. Deciding is part-decider.ts's business. */
import { threadId, workerData } from "node:worker_threads";
import { move, transferableSymbol, valueSymbol } from "piscina";
import type { BatchWorkerData, Prepared, PrepareTask, PartTask } from "./messages.ts";
import { PartDecider } from "./part-decider.ts";

const decider = new PartDecider((workerData as BatchWorkerData).engine);

/** Decides one part, or makes a version ready. */
// oxlint-disable-next-line import/no-default-export -- Piscina calls the default export of its worker file
export default function decidePart(task: PartTask | PrepareTask): unknown {
  if ("prepare" in task) {
    decider.prepare(task.prepare, task.serving);
    return { kind: "prepared", thread: threadId } satisfies Prepared;
  }
  const result = decider.decide(task);
  if (result.kind !== "decided" || result.bytes.buffer instanceof SharedArrayBuffer) return result;
  // What did not fit into shared memory is moved to the serving thread, not copied.
  return move({ [transferableSymbol]: result.bytes.buffer, [valueSymbol]: result });
}
