/**
 * The numbers of a JSON schema, exact. Cerbos keeps them as they are written; JavaScript rounds them to doubles. Attributes are doubles, so a bound
 * is replaced by the double that divides them in the same way: `maximum: 9223372036854775807` lets in what is at most the double
 * below 2^63. Where a number has to be met exactly (`const`, `enum`, `multipleOf`), one that is no double is a problem.
 * What a schema means is not looked at here, but for the names of its keywords.
 */
import type { JsonValue } from "../policy/policy-set.ts";

/** A number that cannot be kept as it is meant. */
export interface NumberProblem {
  readonly offset: number;
  readonly text: string;
}

type Path = readonly (string | number)[];
type Bound = "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum";

const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|[[\]{}:,]/gy;
const OTHERS = /[^"\d[\]{}:,-]*/gy;
/** Numbers with more digits than every double has, or with an exponent. */
const SUSPICIOUS = /\d(?:\.?\d){15}|\d[eE]/;
const BOUNDS: ReadonlySet<unknown> = new Set(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"]);
const FIXED: ReadonlySet<unknown> = new Set(["const", "enum", "multipleOf"]);
/** Longest number looked at; beyond that the arithmetic would take long. */
const MAX_NUMBER_LENGTH = 1000;
const MAX_EXPONENT = 5000;

/** Replaces bounds of `schema`, which is the value of the JSON text, and answers the first number that cannot be kept. */
export function keepNumbers(schema: JsonValue, text: string): NumberProblem | undefined {
  if (!SUSPICIOUS.test(text)) return undefined;
  let problem: NumberProblem | undefined;
  visitNumbers(text, (path, number, offset) => {
    problem ??= keep(schema, path, number) ? undefined : { offset, text: number };
  });
  return problem;
}

/** False when the number matters and cannot be kept. */
function keep(schema: JsonValue, path: Path, text: string): boolean {
  const value = Number(text);
  const order = Number.isFinite(value) ? compareDecimal(text, value) : undefined;
  if (order === 0) return true;
  if (order === undefined || path.some((name) => FIXED.has(name))) return false;
  const key = path.at(-1);
  if (!isBound(key)) return true;
  const owner = path.slice(0, -1).reduce<unknown>((outer, name) => memberOf(outer, name), schema);
  if (!isRecord(owner)) return true;
  const bound = divider(boundMeant(owner, key), value, order);
  if (!Number.isFinite(bound)) return false;
  owner[key] = bound;
  return true;
}

function isBound(key: unknown): key is Bound {
  return BOUNDS.has(key);
}

/** Draft 4 has booleans that make the bounds exclusive. */
function boundMeant(owner: Readonly<Record<string, unknown>>, key: Bound): Bound {
  if (key === "minimum" && owner["exclusiveMinimum"] === true) return "exclusiveMinimum";
  if (key === "maximum" && owner["exclusiveMaximum"] === true) return "exclusiveMaximum";
  return key;
}

/** The double that, as such a bound, lets in the same doubles as the number written; `order` is that number's place beside `value`. */
function divider(bound: Bound, value: number, order: number): number {
  const movesUp = bound === "minimum" || bound === "exclusiveMaximum";
  if (movesUp) return order > 0 ? neighbour(value, 1) : value;
  return order < 0 ? neighbour(value, -1) : value;
}

/** The next double above (1) or below (-1). */
function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * Number.MIN_VALUE;
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const outward = value > 0 === direction > 0;
  view.setBigInt64(0, view.getBigInt64(0) + (outward ? 1n : -1n));
  return view.getFloat64(0);
}

/** -1, 0 or 1: the written number is less than, equal to or greater than the shortest decimal of `value`. Undefined when it is too long. */
function compareDecimal(text: string, value: number): number | undefined {
  if (text.length > MAX_NUMBER_LENGTH) return undefined;
  const [digits, exponent] = decimal(text);
  const [other, otherExponent] = decimal(String(value));
  if (digits === 0n || other === 0n) return sign(digits) - sign(other);
  if (Math.abs(exponent) > MAX_EXPONENT) return undefined;
  const least = Math.min(exponent, otherExponent);
  return sign(digits * 10n ** BigInt(exponent - least) - other * 10n ** BigInt(otherExponent - least));
}

/** A number as an integer times a power of ten. */
function decimal(text: string): readonly [digits: bigint, exponent: number] {
  const [mantissa = "0", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  return [BigInt(whole + fraction), Number(exponent) - fraction.length];
}

function sign(number: bigint): number {
  return number < 0n ? -1 : number > 0n ? 1 : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function memberOf(value: unknown, name: string | number): unknown {
  if (Array.isArray(value)) return value[Number(name)];
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Calls `visit` for every number of a well-formed JSON text. No recursion: documents may be deep. */
function visitNumbers(text: string, visit: (path: Path, number: string, offset: number) => void): void {
  const path: (string | number)[] = [];
  let key: string | undefined;
  for (let at = skipOthers(text, 0); at < text.length; at = skipOthers(text, TOKEN.lastIndex)) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(text)?.[0];
    if (token === undefined) return;
    if (token === "{") path.push("");
    else if (token === "[") path.push(0);
    else if (token === "}" || token === "]") path.pop();
    else if (token === ":") path[path.length - 1] = key ?? "";
    else if (token === ",") {
      const index = path.at(-1);
      if (typeof index === "number") path[path.length - 1] = index + 1;
    } else if (token.startsWith('"')) key = readName(token);
    else visit(path, token, at);
  }
}

function skipOthers(text: string, from: number): number {
  OTHERS.lastIndex = from;
  OTHERS.test(text);
  return OTHERS.lastIndex;
}

function readName(token: string): string {
  const name: string = JSON.parse(token);
  return name;
}
