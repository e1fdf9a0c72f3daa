/** Plain tables: the same text is readable in a terminal and as Markdown. */

/** A Markdown table with padded columns; the first column is left-aligned, the others right-aligned. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (cells[column] ?? "").padEnd(width) : (cells[column] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [line(headings), rule, ...rows.map(line)].join("\n");
}

/** 1234567 as `1,234,567`. */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A fraction as `87%`. */
export function percent(fraction: number): string {
  return `${Math.round(fraction * 100)}%`;
}

/** A ratio as `41.3x`. */
export function times(ratio: number): string {
  return `${ratio.toFixed(1)}x`;
}

/** Bytes as KiB or MiB. */
export function bytes(count: number): string {
  return count < 2 ** 20 ? `${Math.round(count / 1024)} KiB` : `${(count / 2 ** 20).toFixed(1)} MiB`;
}

/** Milliseconds, as seconds from one second on. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`;
}
