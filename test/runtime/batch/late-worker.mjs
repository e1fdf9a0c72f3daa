/** A batch worker that takes a while to start when its thread's number is odd: of two that are started together, one is late. */
import { setTimeout as sleep } from "node:timers/promises";
import { threadId } from "node:worker_threads";
import decidePart from "../../../dist/runtime/batch/batch-worker.js";

if (threadId % 2 === 1) await sleep(1_000);

// oxlint-disable-next-line import/no-default-export -- Piscina calls the default export of its worker file
export default decidePart;
