/**
 * Line charts as SVG text: axes (linear or logarithmic), a few series, a legend. Written by hand because it is all the report
 * needs; no bars, no interaction. Colours are readable on light and on dark ground.
 */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Axis {
  readonly title: string;
  readonly logarithmic: boolean;
  /** Positions and texts of the marks. */
  readonly marks: readonly (readonly [value: number, text: string])[];
}

export interface Chart {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 760;
const HEIGHT = 400;
const LEFT = 80;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 90;
const COLOURS = ["#1f77b4", "#d95f02", "#2ca02c", "#b5179e", "#8c6d31", "#7f7f7f"];
const INK = "#777777";

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Maps values of an axis, whose ends are its first and last mark, to pixels. */
function scale(axis: Axis, from: number, to: number): (value: number) => number {
  const on = (value: number): number => (axis.logarithmic ? Math.log10(Math.max(value, 1e-9)) : value);
  const first = on(axis.marks[0]?.[0] ?? 0);
  const last = on(axis.marks.at(-1)?.[0] ?? 1);
  const width = last === first ? 1 : last - first;
  return (value) => from + ((on(value) - first) / width) * (to - from);
}

function text(x: number, y: number, content: string, anchor: string, size = 12): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}" fill="${INK}">${escape(content)}</text>`;
}

function line(x1: number, y1: number, x2: number, y2: number, opacity: number): string {
  return `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${INK}" stroke-opacity="${opacity}"/>`;
}

/** One chart as a whole SVG file. */
export function renderChart(chart: Chart): string {
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const x = scale(chart.x, LEFT, right);
  const y = scale(chart.y, bottom, TOP);
  const parts = [text(WIDTH / 2, 22, chart.title, "middle", 15)];
  for (const [value, label] of chart.x.marks) {
    parts.push(line(x(value), TOP, x(value), bottom, 0.25), text(x(value), bottom + 18, label, "middle"));
  }
  for (const [value, label] of chart.y.marks) {
    parts.push(line(LEFT, y(value), right, y(value), 0.25), text(LEFT - 8, y(value) + 4, label, "end"));
  }
  parts.push(text((LEFT + right) / 2, bottom + 38, chart.x.title, "middle"));
  parts.push(
    `<g transform="rotate(-90)">${text(-(TOP + bottom) / 2, 16, chart.y.title, "middle")}</g>`,
    line(LEFT, bottom, right, bottom, 1),
    line(LEFT, TOP, LEFT, bottom, 1),
  );
  for (const [index, { name, points }] of chart.series.entries()) {
    const colour = COLOURS[index % COLOURS.length] ?? INK;
    const path = points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(" ");
    const legendX = LEFT + (index % 3) * 225;
    const legendY = bottom + 58 + Math.floor(index / 3) * 18;
    parts.push(
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points
        .filter(() => points.length < 20)
        .map(
          ([px, py]) => `<circle cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3" fill="${colour}"/>`,
        ),
      `<rect x="${legendX}" y="${legendY - 9}" width="14" height="4" fill="${colour}"/>`,
      text(legendX + 20, legendY - 3, name, "start"),
    );
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif">\n${parts.join("\n")}\n</svg>\n`;
}

/** Powers of ten that enclose the values, as marks of a logarithmic axis. */
export function decades(
  values: readonly number[],
  format: (value: number) => string,
): readonly (readonly [number, string])[] {
  const positive = values.filter((value) => value > 0);
  const first = Math.floor(Math.log10(Math.min(...positive, 1e9)));
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...positive, 1))));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)).map((value) => [
    value,
    format(value),
  ]);
}

/** Marks from 0 in round steps up to at least the largest value. */
export function steps(
  values: readonly number[],
  format: (value: number) => string,
): readonly (readonly [number, string])[] {
  const largest = Math.max(...values, 1e-9);
  const rough = largest / 5;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * unit).find((one) => one >= rough) ?? rough;
  return Array.from({ length: Math.ceil(largest / step) + 1 }, (_, index) => [
    index * step,
    format(index * step),
  ]);
}
