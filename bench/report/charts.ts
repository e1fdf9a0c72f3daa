/** Which charts the report has, and from which figures. File names are below bench/charts/. */
import { CURVE_PERCENTILES } from "../load/latency-histogram.ts";
import type { BenchResults } from "./results.ts";
import { type Chart, decades, renderChart, type Series, steps } from "./svg.ts";
import { thousands } from "./table.ts";

export interface ChartFile {
  readonly name: string;
  readonly title: string;
  readonly svg: string;
}

function microseconds(value: number): string {
  return value < 1000 ? `${value} µs` : value < 1e6 ? `${value / 1000} ms` : `${value / 1e6} s`;
}

function millions(value: number): string {
  return value >= 1e6 ? `${Number((value / 1e6).toFixed(1))} M` : thousands(value);
}

function values(series: readonly Series[], axis: 0 | 1): number[] {
  return series.flatMap(({ points }) => points.map((point) => point[axis]));
}

/** Latency over percentiles, one chart per load; x is 1 / (1 - percentile), so that every nine is as wide as the others. */
function latencyCharts({ latency }: BenchResults): ChartFile[] {
  const loads = [...new Set(latency?.rows.map(({ load }) => load) ?? [])];
  return loads.map((load) => {
    const rows = latency?.rows.filter((row) => row.load === load) ?? [];
    const series = rows.map((row): Series => ({
      name: row.server,
      points: row.latency.curve.map((value, index) => [100 / (100 - (CURVE_PERCENTILES[index] ?? 0)), value]),
    }));
    const percent = Math.round(load * 100);
    const title = `Latency at ${percent} % of capacity, ${thousands(rows[0]?.intendedRate ?? 0)} requests/s, open loop`;
    return file(`latency-${percent}`, {
      title,
      x: {
        title: "percentile",
        logarithmic: true,
        marks: [
          [1, "0"],
          [2, "50"],
          [10, "90"],
          [100, "99"],
          [1000, "99.9"],
          [10_000, "99.99"],
          [100_000, "99.999"],
        ],
      },
      y: { title: "latency", logarithmic: true, marks: decades(values(series, 1), microseconds) },
      series,
    });
  });
}

function scaleChart({ scale = [] }: BenchResults): ChartFile[] {
  if (scale.length < 2) return [];
  const series: Series[] = [
    { name: "edict", points: scale.map((row) => [row.policies, row.requestsPerSecond]) },
    { name: "echo, same bodies", points: scale.map((row) => [row.policies, row.echoRequestsPerSecond]) },
  ];
  return [
    file("scale", {
      title: "Requests per second by number of policies",
      x: {
        title: "policies",
        logarithmic: true,
        marks: scale.map((row) => [row.policies, thousands(row.policies)]),
      },
      y: { title: "requests/s", logarithmic: false, marks: steps(values(series, 1), thousands) },
      series,
    }),
  ];
}

function batchChart({ inProcess = [] }: BenchResults): ChartFile[] {
  if (inProcess.length === 0) return [];
  const series = (["json", "msgpack"] as const).map((encoding): Series => ({
    name: encoding,
    points: inProcess
      .filter((row) => row.encoding === encoding)
      .map((row) => [row.decisionsPerCall, row.decisionsPerSecond]),
  }));
  return [
    file("batches", {
      title: "Decisions per second in-process, one thread, by decisions per call",
      x: { title: "decisions per call", logarithmic: true, marks: decades(values(series, 0), thousands) },
      y: { title: "decisions/s", logarithmic: false, marks: steps(values(series, 1), millions) },
      series,
    }),
  ];
}

function swapChart({ swap }: BenchResults): ChartFile[] {
  if (swap === undefined) return [];
  const all = swap.seconds.map(({ p99 }, second): readonly [number, number] => [second, p99]);
  const series: Series[] = [
    { name: "p99 of the second", points: all },
    {
      name: "seconds with a swap: 0 or their p99",
      points: swap.seconds.map((one, second) => [second, one.swap ? one.p99 : 0]),
    },
  ];
  return [
    file("swap", {
      title: "Swaps under full load: p99 of every second",
      x: { title: "second", logarithmic: false, marks: steps(values(series, 0), String) },
      y: { title: "latency", logarithmic: false, marks: steps(values(series, 1), microseconds) },
      series,
    }),
  ];
}

function file(name: string, chart: Chart): ChartFile {
  return { name: `${name}.svg`, title: chart.title, svg: renderChart(chart) };
}

/** All charts that the run has figures for. */
export function chartsOf(results: BenchResults): ChartFile[] {
  return [...batchChart(results), ...latencyCharts(results), ...scaleChart(results), ...swapChart(results)];
}
