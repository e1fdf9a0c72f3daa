/** A batch worker that decides, and keeps its results back as long as the test says. */
import { getEnvironmentData } from "node:worker_threads";
import decidePart from "../../../dist/runtime/batch/batch-worker.js";

/** [0]: results there are; [1]: how many of them may go. */
const results = getEnvironmentData("edict-test-results");

// oxlint-disable-next-line import/no-default-export -- Piscina calls the default export of its worker file
export default function decideAndHold(task) {
  const result = decidePart(task);
  const index = Atomics.add(results, 0, 1);
  for (let free = 0; (free = Atomics.load(results, 1)) <= index;) Atomics.wait(results, 1, free);
  return result;
}
