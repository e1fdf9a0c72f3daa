/** `string.format(list)` of cel-go ext strings: `%s %d %f %e %b %o %x %X %%`. */
import { formatPlain } from "../plain-text.ts";
import { error, string, typeName, type Value } from "../values.ts";
import { formatValue } from "./format-value.ts";

const CLAUSE = /%(?:(%)|(?:\.(\d+))?([sdfeboxX])|(.?))/gsu;

/** Substitutes the clauses of `text` with `args`, in order. */
export function formatText(text: string, args: readonly Value[]): Value {
  let next = 0;
  let failed: string | undefined;
  const formatted = text.replaceAll(
    CLAUSE,
    (_, percent?: string, precision?: string, verb?: string, bad?: string) => {
      if (percent !== undefined) return "%";
      if (verb === undefined) {
        failed ??= `could not parse formatting clause: unrecognized formatting clause "${bad ?? ""}"`;
        return "";
      }
      const argument = args[next];
      next += 1;
      if (argument === undefined) {
        failed ??= `index ${next - 1} out of range`;
        return "";
      }
      const written = clause(verb, precision === undefined ? 6 : Number(precision), argument);
      if (written === undefined)
        failed ??= `error during formatting: %${verb} cannot be used on ${typeName(argument)}`;
      return written ?? "";
    },
  );
  return failed === undefined ? string(formatted) : error(failed);
}

function clause(verb: string, precision: number, value: Value): string | undefined {
  switch (verb) {
    case "s":
      return hasNoText(value) ? undefined : shown(value);
    case "d":
      if (value.kind === "int" || value.kind === "uint") return String(value.value);
      return special(value) ?? (value.kind === "double" ? formatPlain(value.value) : undefined);
    case "f":
    case "e":
      return float(verb, precision, value);
    default:
      return radix(verb, value);
  }
}

/** Whether `%s` refuses a value, items of lists and maps included. */
function hasNoText(value: Value): boolean {
  if (value.kind === "list") return value.items.some(hasNoText);
  if (value.kind === "map")
    return value.entries.some((entry) => hasNoText(entry.key) || hasNoText(entry.value));
  if (value.kind === "spiffeID" || value.kind === "spiffeTrustDomain" || value.kind === "spiffeMatcher")
    return true;
  return ["hierarchy", "ip", "cidr", "optional", "message", "error"].includes(value.kind);
}

/** `%s`: doubles without an exponent, maps by key. */
function shown(value: Value): string {
  if (value.kind === "double") return special(value) ?? formatPlain(value.value);
  if (value.kind === "list") return `[${value.items.map(shown).join(", ")}]`;
  if (value.kind !== "map") return formatValue(value);
  const entries = value.entries.map(({ key, value: item }) => `${shown(key)}: ${shown(item)}`);
  return `{${entries.sort().join(", ")}}`;
}

/** Decimal places rounded exactly, ties to the even digit, as in Go; toFixed rounds ties up. */
function fixed(value: number, precision: number): string {
  let numerator = Math.abs(value);
  let denominator = 1n;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    denominator *= 2n;
  }
  const scaled = BigInt(numerator) * 10n ** BigInt(precision);
  const twice = (scaled % denominator) * 2n;
  let digits = scaled / denominator;
  if (twice > denominator || (twice === denominator && digits % 2n === 1n)) digits += 1n;
  const text = String(digits).padStart(precision + 1, "0");
  const whole = text.slice(0, text.length - precision);
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  return precision === 0 ? sign + whole : `${sign}${whole}.${text.slice(-precision)}`;
}

function special(value: Value): string | undefined {
  if (value.kind !== "double" || Number.isFinite(value.value)) return undefined;
  return Number.isNaN(value.value) ? "NaN" : value.value > 0 ? "Infinity" : "-Infinity";
}

function float(verb: string, precision: number, value: Value): string | undefined {
  if (value.kind !== "double" && value.kind !== "int" && value.kind !== "uint") return undefined;
  const number = Number(value.value);
  if (!Number.isFinite(number)) return special({ kind: "double", value: number });
  if (verb === "f") return fixed(number, precision);
  return scientific(number, precision);
}

/** One digit before the point, rounded like `fixed`: the digits of the exact decimal expansion. */
function scientific(value: number, precision: number): string {
  // No double needs more than 1074 places.
  const [whole = "", part = ""] = fixed(Math.abs(value), 1074).split(".");
  const digits = (whole + part).replace(/^0+(?=.)/u, "");
  let power = value === 0 ? 0 : digits.length - 1075;
  const kept = digits.slice(0, precision + 1).padEnd(precision + 1, "0");
  const cut = digits.slice(precision + 1);
  const isUp = /^5(?=.*[1-9])|^[6-9]/u.test(cut) || (cut.startsWith("5") && Number(kept.at(-1)) % 2 === 1);
  let rounded = String(BigInt(kept) + (isUp ? 1n : 0n)).padStart(precision + 1, "0");
  if (rounded.length > precision + 1) {
    rounded = rounded.slice(0, -1);
    power += 1;
  }
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const fraction = precision === 0 ? "" : `.${rounded.slice(1)}`;
  return `${sign}${rounded.slice(0, 1)}${fraction}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

function radix(verb: string, value: Value): string | undefined {
  if (verb === "b" && value.kind === "bool") return value.value ? "1" : "0";
  if (value.kind === "int" || value.kind === "uint") {
    const digits = value.value.toString(verb === "b" ? 2 : verb === "o" ? 8 : 16);
    return verb === "X" ? digits.toUpperCase() : digits;
  }
  if ((verb === "x" || verb === "X") && (value.kind === "string" || value.kind === "bytes")) {
    const digits = Buffer.from(value.kind === "string" ? Buffer.from(value.value) : value.value).toString(
      "hex",
    );
    return verb === "X" ? digits.toUpperCase() : digits;
  }
  return undefined;
}
