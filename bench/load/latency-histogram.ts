/** Latencies in microseconds in an HDR histogram (3 digits), and the form in which a process reports them. */
import { build, type Histogram } from "hdr-histogram-js";

/** What one run of load says about latency, in microseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  /** Latency at each of `CURVE_PERCENTILES`, for charts. */
  readonly curve: readonly number[];
}

/** From the fastest request to one in 100,000, evenly in the number of nines. */
export const CURVE_PERCENTILES: readonly number[] = Array.from(
  { length: 26 },
  (_, index) => 100 - 100 * 10 ** (-index / 5),
);

/** One minute; anything slower counts as that. */
const HIGHEST = 60_000_000;

export function newHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    autoResize: false,
    useWebAssembly: false,
  });
}

/** Records `milliseconds`. */
export function record(histogram: Histogram, milliseconds: number): void {
  histogram.recordValue(Math.min(HIGHEST, Math.max(1, Math.round(milliseconds * 1000))));
}

export function summarise(histogram: Histogram): LatencySummary {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile);
  return {
    count: histogram.totalCount,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue,
    curve: CURVE_PERCENTILES.map(at),
  };
}
