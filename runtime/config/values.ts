/** Checks configuration values against the type their key asks for, and reads durations and permission bits. */
import { type ConfigNode, toJson } from "./document.ts";
import type { ValueType } from "./keys.ts";

/** The typed value, or what is wrong with it. Durations become seconds, modes numbers. */
export function readValue(
  node: ConfigNode,
  type: ValueType,
): { readonly value: unknown } | { readonly problem: string } {
  const value = toJson(node);
  switch (type) {
    case "any":
      return { value };
    case "text":
      return typeof value === "string" || typeof value === "number"
        ? { value: String(value) }
        : mustBe("text");
    case "boolean":
      return typeof value === "boolean" ? { value } : mustBe("true or false");
    case "integer":
      return Number.isSafeInteger(value) ? { value } : mustBe("a whole number");
    case "texts":
      return Array.isArray(value) && value.every((item) => typeof item === "string")
        ? { value }
        : mustBe("a list of texts");
    case "duration": {
      const seconds = typeof value === "string" ? parseDuration(value) : null;
      return seconds === null ? mustBe("a duration such as `10s` or `1h30m`") : { value: seconds };
    }
    case "mode": {
      const mode = parseMode(value);
      return mode === null ? mustBe("permission bits such as `0o660`") : { value: mode };
    }
  }
}

function mustBe(what: string): { readonly problem: string } {
  return { problem: `must be ${what}` };
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

/** A Go duration in seconds: numbers with units, as in `1h30m` or `1.5s`; null when it is none. */
export function parseDuration(text: string): number | null {
  if (!/^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return text === "0" ? 0 : null;
  let seconds = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    seconds += Number(amount) * (UNITS[unit] ?? 0);
  }
  return seconds;
}

/** Permission bits: a number, or octal text with or without a prefix. */
function parseMode(value: unknown): number | null {
  const digits = typeof value === "string" ? /^0?o?([0-7]{3,4})$/.exec(value)?.[1] : undefined;
  const mode = digits === undefined ? value : Number.parseInt(digits, 8);
  return typeof mode === "number" && Number.isInteger(mode) && mode >= 0 && mode <= 0o777 ? mode : null;
}
