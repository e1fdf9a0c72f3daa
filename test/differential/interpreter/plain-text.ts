/** Texts of instants, durations and doubles, as Cerbos writes them in outputs, `string()` and `%s`. */

/** RFC 3339 in a zone so many minutes east of UTC, the fraction as long as needed. */
export function formatTimestamp(instant: bigint, offset = 0): string {
  const nanos = instant + BigInt(offset) * 60_000_000_000n;
  const fraction = ((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  const seconds = (nanos - fraction) / 1_000_000_000n;
  const date = new Date(Number(seconds) * 1000).toISOString().replace(/\.\d+Z$/u, "");
  // A zone may show the year 10000, which comes as `+010000`.
  const year = date.startsWith("+") ? date.slice(2) : date;
  const digits = fraction === 0n ? "" : `.${String(fraction).padStart(9, "0").replace(/0+$/u, "")}`;
  if (offset === 0) return `${year}${digits}Z`;
  const size = Math.abs(offset);
  return `${year}${digits}${offset < 0 ? "-" : "+"}${twoDigits(size / 60)}:${twoDigits(size % 60)}`;
}

function twoDigits(value: number): string {
  return String(Math.trunc(value)).padStart(2, "0");
}

/** Seconds as the nearest double, without an exponent, and `s`: `3661.5s`. */
export function formatDuration(nanos: bigint): string {
  const seconds = Number(nanos / 1_000_000_000n) + Number(nanos % 1_000_000_000n) / 1e9;
  return `${formatPlain(seconds)}s`;
}

/** A double with the fewest digits that read back the same, never with an exponent. */
export function formatPlain(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  if (Math.abs(value) >= 1e21) {
    const [digits = "", power = "0"] = String(value).replace("-", "").replace(".", "").split("e+");
    return `${value < 0 ? "-" : ""}${digits.padEnd(Number(power) + 1, "0")}`;
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  const [digits = "", exponent] = text.split("e-");
  if (exponent === undefined) return text;
  const sign = digits.startsWith("-") ? "-" : "";
  return `${sign}0.${"0".repeat(Number(exponent) - 1)}${digits.replace("-", "").replace(".", "")}`;
}
