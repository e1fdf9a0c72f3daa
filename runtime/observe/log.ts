/** What edict tells its operator while it runs: one line per event on standard error, never a request's content. */

/** Writes `edict: message`; line breaks inside are kept, for diagnostics. */
export function log(message: string): void {
  process.stderr.write(`edict: ${message}\n`);
}

/** The same message at most once per `intervalMs`, with the number of repetitions left out since. */
export function throttledLog(intervalMs: number): (message: string) => void {
  let last = Number.NEGATIVE_INFINITY;
  let suppressed = 0;
  return (message) => {
    const now = performance.now();
    if (now - last < intervalMs) {
      suppressed++;
      return;
    }
    log(suppressed === 0 ? message : `${message} (and ${suppressed} more like it)`);
    last = now;
    suppressed = 0;
  };
}
