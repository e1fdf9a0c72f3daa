/** How long the event loop of this thread keeps others waiting: measured by Node, and put among the shared counters now and then. */
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import type { ThreadCounters } from "./counters.ts";

/** Milliseconds between two looks of Node at its loop; smaller ones would cost more than they tell. */
const RESOLUTION = 20;

/** Milliseconds over which one set of figures is taken. */
const INTERVAL = 5_000;

const NANOSECONDS = 1e9;

// What was measured is the time between two looks; the delay is what it has beyond the resolution.
const seconds = (nanoseconds: number): number =>
  Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION / 1000) : 0;

/** Measures until the thread ends. */
export function measureLoopDelay(counters: ThreadCounters): void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  histogram.enable();
  setInterval(() => publish(histogram, counters), INTERVAL).unref();
}

function publish(histogram: IntervalHistogram, counters: ThreadCounters): void {
  counters.set("loopDelayMean", seconds(histogram.mean));
  counters.set("loopDelayP99", seconds(histogram.percentile(99)));
  counters.set("loopDelayMax", seconds(histogram.max));
  histogram.reset();
}
