/** RFC 3339 timestamps of suite options, checked as protobuf's JSON form checks them. */

const LAYOUT = "2006-01-02T15:04:05.999999999Z07:00";
const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since 1970 (finer parts as a fraction), or what is wrong. */
export function parseTimestamp(text: string): number | { readonly problem: string } {
  const match = TIMESTAMP.exec(text);
  const fraction = match?.[7] ?? "";
  const whole = match === null ? Number.NaN : Date.parse(text.replace(fraction, ""));
  // Date.parse lets February 30 pass in no engine we run on, but 24:00 it does.
  if (!Number.isNaN(whole) && match?.[4] !== "24") return whole + Number(`0${fraction}`) * 1000;
  return {
    problem: `invalid timestamp value "${text}": parsing time "${text}" as "${LAYOUT}": ${reason(text)}`,
  };
}

function reason(text: string): string {
  const parts: readonly (readonly [RegExp, string])[] = [
    [/^\d{4}/, "2006"],
    [/^-/, "-"],
    [/^\d\d/, "01"],
    [/^-/, "-"],
    [/^\d\d/, "02"],
    [/^T/, "T"],
    [/^\d\d/, "15"],
    [/^:/, ":"],
    [/^\d\d/, "04"],
    [/^:/, ":"],
    [/^\d\d/, "05"],
    [/^(\.\d+)?(Z|[+-]\d\d:\d\d)/, "Z07:00"],
  ];
  let rest = text;
  for (const [pattern, name] of parts) {
    const found = pattern.exec(rest);
    if (found === null) return `cannot parse "${rest}" as "${name}"`;
    rest = rest.slice(found[0].length);
  }
  return rest === "" ? "value out of range" : `extra text: "${rest}"`;
}
