/** Stands for the compiler in its worker: answers, and sets a timer for what it would get ready for the next task. */
import { getEnvironmentData } from "node:worker_threads";

const prepared = getEnvironmentData("edict-test-prepared");

// oxlint-disable-next-line import/no-default-export -- Piscina calls the default export of its worker file
export default function compile() {
  setTimeout(() => Atomics.add(prepared, 0, 1), 1).unref();
  return { bundle: null, diagnostics: [], stats: {} };
}
