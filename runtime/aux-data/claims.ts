/**
 * The claims of a token in the form in which conditions see them (COMPAT.md 7.5): JSON text for the guest, with `aud` always
 * a list and times as RFC 3339. Also the instants between which the token holds. Signatures are not looked at here.
 */

/** The claims of one token. Instants are whole seconds since 1970. */
export interface Claims {
  /** A JSON object. */
  readonly text: string;
  /** The token holds before this instant; Infinity without `exp`. */
  readonly expires: number;
  /** The token holds from this instant on (`nbf`, `iat`); -Infinity without. */
  readonly begins: number;
  /** The claim that `begins` is from. */
  readonly beginsBy: "nbf" | "iat";
}

/** Deepest nesting inside a claim; the guest allows 64 levels for all of auxData. */
const MAX_DEPTH = 56;

/** Last second that a JavaScript date can show. */
const LAST_SECOND = 8.64e12;

/** Reads a token's payload. Throws an `Error` with the reason when it is none that Cerbos would take. */
export function readClaims(payload: Uint8Array): Claims {
  const parsed = parse(payload);
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Error("the payload is not a JSON object");
  }
  const fields: string[] = [];
  let expires = Number.POSITIVE_INFINITY;
  const begins = { nbf: Number.NEGATIVE_INFINITY, iat: Number.NEGATIVE_INFINITY };
  const add = (name: string, value: string): void => {
    fields.push(`${jsonString(name)}:${value}`);
  };
  for (const [name, value] of Object.entries(parsed)) {
    switch (name) {
      case "aud":
        add(name, audience(value));
        break;
      case "exp":
        expires = seconds(name, value);
        add(name, timeText(name, expires));
        break;
      case "iat":
      case "nbf":
        begins[name] = seconds(name, value);
        add(name, timeText(name, begins[name]));
        break;
      case "iss":
      case "sub":
      case "jti":
        if (value !== null && typeof value !== "string") throw new Error(`\`${name}\` is not a string`);
        add(name, jsonString(value ?? ""));
        break;
      default:
        // Cerbos drops a claim that is null; one inside a claim stays.
        if (value !== null) add(name, jsonText(value, 1));
    }
  }
  const beginsBy = begins.nbf >= begins.iat ? "nbf" : "iat";
  return { text: `{${fields.join(",")}}`, expires, begins: begins[beginsBy], beginsBy };
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
  } catch {
    // The parser's message would quote the token.
    throw new Error("the payload is not JSON in UTF-8");
  }
}

/** Why claims do not hold at `now` (seconds since 1970) with clocks that differ by `skew` seconds; null when they do. */
export function timeProblem(claims: Claims, now: number, skew: number): string | null {
  if (now >= claims.expires + skew) return "the token has expired (exp)";
  if (now >= claims.begins - skew) return null;
  return claims.beginsBy === "nbf"
    ? "the token is not valid yet (nbf)"
    : "the token was issued in the future (iat)";
}

function audience(value: unknown): string {
  const items: unknown = typeof value === "string" ? [value] : value;
  if (!Array.isArray(items) || !items.every((item): item is string => typeof item === "string")) {
    throw new Error("`aud` is neither a string nor a list of strings");
  }
  return `[${items.map(jsonString).join(",")}]`;
}

/** A time claim: a number, the text of one, or RFC 3339. Fractions are cut off. */
function seconds(name: string, value: unknown): number {
  let found = Number.NaN;
  if (typeof value === "number" && value >= 0) found = Math.trunc(value);
  else if (typeof value === "string") {
    found = /^\d+(?:\.\d+)?$/.test(value) ? Math.trunc(Number(value)) : parseTimestamp(value);
  }
  if (Number.isNaN(found) || found > LAST_SECOND) throw new Error(`\`${name}\` is not a time`);
  return found;
}

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/;

/** RFC 3339 as seconds since 1970; NaN when it is none. */
function parseTimestamp(text: string): number {
  const match = TIMESTAMP.exec(text);
  if (match === null) return Number.NaN;
  const part = (index: number): number => Number(match[index] ?? 0);
  const date = new Date(0);
  date.setUTCFullYear(part(1), part(2) - 1, part(3));
  date.setUTCHours(part(4), part(5), part(6));
  const isReal =
    date.getUTCMonth() === part(2) - 1 &&
    date.getUTCDate() === part(3) &&
    part(4) < 24 &&
    part(5) < 60 &&
    part(6) < 60 &&
    part(8) < 24 &&
    part(9) < 60;
  const offset = (part(8) * 60 + part(9)) * 60 * (match[7] === "-" ? -1 : 1);
  return isReal ? date.getTime() / 1000 - offset : Number.NaN;
}

/** RFC 3339 in UTC; years beyond 9999 have more digits, as in Cerbos. */
function timeText(name: string, instant: number): string {
  const date = new Date(instant * 1000);
  if (Number.isNaN(date.getTime()) || date.getUTCFullYear() < 0) throw new Error(`\`${name}\` is not a time`);
  return `"${date
    .toISOString()
    .replace(/^\+0*/, "")
    .replace(/\.\d+Z$/, "Z")}"`;
}

/** JSON text that the guest takes: numbers that fit a double, no lone surrogates, not too deep. */
function jsonText(value: unknown, depth: number): string {
  if (typeof value === "string") return jsonString(value);
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new Error("a number does not fit a double");
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (depth > MAX_DEPTH) throw new Error("the claims are nested too deep");
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item, depth + 1)).join(",")}]`;
  const entries = Object.entries(value);
  return `{${entries.map(([key, item]) => `${jsonString(key)}:${jsonText(item, depth + 1)}`).join(",")}}`;
}

/** A lone surrogate becomes U+FFFD, as in Cerbos. */
function jsonString(text: string): string {
  return JSON.stringify(/[\ud800-\udfff]/.test(text) ? wellFormed(text) : text);
}

function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
