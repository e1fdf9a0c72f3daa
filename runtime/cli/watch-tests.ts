/** `edict test --watch`: runs again whenever something below the watched directories changes, until it is told to stop. */
import { watchDirectory } from "../bundle/watch-directory.ts";

export interface WatchedRun {
  /** Directories of policies and suites. */
  readonly directories: readonly string[];
  /** Ends the watch; a run under way is finished first. */
  readonly stop: AbortSignal;
  /** One run; what it finds wrong is its own to report. */
  readonly run: () => Promise<void>;
  /** Called when a run has ended and the wait for changes begins. */
  readonly idle: () => void;
}

/** Runs once, and once more after every group of changes. Changes during a run lead to one more run. */
export async function watchTests({ directories, stop, run, idle }: WatchedRun): Promise<void> {
  let changed = false;
  let wake = nothing;
  const onChange = (): void => {
    changed = true;
    wake();
  };
  const onStop = (): void => wake();
  stop.addEventListener("abort", onStop);
  const unique = [...new Set(directories)];
  const watches = await Promise.all(unique.map((directory) => watchDirectory(directory, onChange)));
  // Watchers alone do not keep the process running.
  const alive = setInterval(() => undefined, 60_000);
  try {
    while (!stop.aborted) {
      changed = false;
      await run();
      if (stop.aborted) break;
      idle();
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (changed || stop.aborted) resolve();
      });
      wake = nothing;
    }
  } finally {
    clearInterval(alive);
    stop.removeEventListener("abort", onStop);
    for (const watch of watches) watch.close();
  }
}

function nothing(): void {
  // Nobody waits.
}
