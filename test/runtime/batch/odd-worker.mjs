/** A batch worker that ends, or throws, when the request that it gets says so, or the version that it is to make ready. */
import decidePart from "../../../dist/runtime/batch/batch-worker.js";

// oxlint-disable-next-line import/no-default-export -- Piscina calls the default export of its worker file
export default function decideOrNot(task) {
  if ("prepare" in task) {
    if (task.prepare.bundle.manifest.compiler === "refuse") throw new Error("told to refuse");
    return decidePart(task);
  }
  const text = Buffer.from(task.request.slice(task.piece?.from ?? 0, task.piece?.to)).toString("latin1");
  if (text.includes("worker: exit")) process.exit(1);
  if (text.includes("worker: throw")) throw new Error("no");
  return decidePart(task);
}
