/** Text of values as Go prints them: for conversions to string and for error messages. */
import { formatDuration, formatTimestamp } from "../plain-text.ts";
import { typeName, type Value } from "../values.ts";

/** Dotted or, for IPv6, groups in hexadecimal with the first of the longest runs of zeros left out. */
function formatAddress(bits: 32 | 128, address: bigint): string {
  const size = bits === 32 ? 8n : 16n;
  const parts = Array.from({ length: bits / Number(size) }, (_, index) =>
    ((address >> (BigInt(bits) - size * BigInt(index + 1))) & ((1n << size) - 1n)).toString(
      bits === 32 ? 10 : 16,
    ),
  );
  if (bits === 32) return parts.join(".");
  for (let length = 8; length > 1; length -= 1) {
    for (let start = 0; start + length <= 8; start += 1) {
      if (parts.slice(start, start + length).every((part) => part === "0")) {
        return `${parts.slice(0, start).join(":")}::${parts.slice(start + length).join(":")}`;
      }
    }
  }
  return parts.join(":");
}

/** A double with the fewest digits that read back the same, with an exponent below 1e-04 and from 1e+06 on. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** Any value as one line of text. */
export function formatValue(value: Value): string {
  switch (value.kind) {
    case "null":
      return "null";
    case "bool":
    case "int":
    case "uint":
      return String(value.value);
    case "double":
      return formatDouble(value.value);
    case "string":
      return value.value;
    case "bytes":
      return Buffer.from(value.value).toString("utf8");
    case "timestamp":
      return formatTimestamp(value.nanos);
    case "duration":
      return formatDuration(value.nanos);
    case "type":
      return value.name;
    case "list":
      return `[${value.items.map(formatValue).join(", ")}]`;
    case "map":
      return `{${value.entries.map(({ key, value: item }) => `${formatValue(key)}: ${formatValue(item)}`).join(", ")}}`;
    case "hierarchy":
      return value.parts.join(".");
    case "ip":
      return formatAddress(value.bits, value.address);
    case "cidr":
      return `${formatAddress(value.bits, value.address)}/${value.prefix}`;
    case "message":
    case "spiffeID":
    case "spiffeTrustDomain":
    case "spiffeMatcher":
    case "optional":
    case "error":
      return typeName(value);
  }
}
