/**
 * The tokens of a request, read from its bytes a second time: the guest has validated them and keeps none. Only requests
 * that carry tokens come here.
 */
import { Unpackr } from "msgpackr";
import { FLAG_EVALUATION, FLAG_EVALUATIONS, FORMAT_MSGPACK } from "../../assembly/abi.ts";
import { TokenError } from "../errors.ts";

export interface RequestToken {
  /** The name under `jwts`; null for the one of `jwt`. */
  readonly name: string | null;
  readonly token: string;
  /** Empty when the request names no key set. */
  readonly keySetId: string;
}

/** Maps, so that no name can mean something to JavaScript. */
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false });

/** Where an AuthZEN body has what a check has in `auxData`: under this key of a `context`. */
const CONTEXT_KEY = "cerbos.auxData";

/**
 * The tokens in the request `bytes` in FORMAT_* `format`; `flags` tell an AuthZEN body from a check. Throws `TokenError` when they
 * cannot be read.
 */
export function readTokens(bytes: Uint8Array, format: number, flags = 0): readonly RequestToken[] {
  const tokens = findTokens(bytes, format, flags);
  // The guest has seen a token, so a reading without one is a wrong reading.
  if (tokens.length === 0) throw new TokenError("the tokens of the request were not found again");
  return tokens;
}

/** The tokens of each evaluation of an AuthZEN body, its own or those of the defaults; empty for one without. Throws as `readTokens` does. */
export function tokensByEvaluation(bytes: Uint8Array, format: number): readonly (readonly RequestToken[])[] {
  return contextsOf(readAgain(bytes, format), FLAG_EVALUATIONS).map((context) =>
    checked(tokensOf(fieldsOf(context.get(CONTEXT_KEY)))),
  );
}

function findTokens(bytes: Uint8Array, format: number, flags: number): readonly RequestToken[] {
  const request = readAgain(bytes, format);
  if ((flags & (FLAG_EVALUATION | FLAG_EVALUATIONS)) === 0) {
    return checked(tokensOf(fieldsOf(request.get("auxData") ?? request.get("aux_data"))));
  }
  // Of evaluations it is the only context that the guest has found some in.
  const all = contextsOf(request, flags).map((context) => tokensOf(fieldsOf(context.get(CONTEXT_KEY))));
  return checked(all.find((tokens) => tokens.length > 0) ?? []);
}

function readAgain(bytes: Uint8Array, format: number): Fields {
  try {
    const request: unknown =
      format === FORMAT_MSGPACK ? unpackr.unpack(bytes) : JSON.parse(new TextDecoder().decode(bytes));
    return fieldsOf(request);
  } catch (error) {
    throw new TokenError(
      `the request cannot be read again (${error instanceof Error ? error.name : "error"})`,
    );
  }
}

function checked(tokens: readonly RequestToken[]): readonly RequestToken[] {
  if (tokens.every(({ token }) => token !== "")) return tokens;
  throw new TokenError("the tokens of the request were not found again");
}

/** The contexts of an AuthZEN body: one per evaluation, or the only one. */
function contextsOf(request: Fields, flags: number): readonly Fields[] {
  const shared = fieldsOf(request.get("context"));
  const given = (flags & FLAG_EVALUATIONS) === 0 ? [] : request.get("evaluations");
  const items = Array.isArray(given) ? (given as readonly unknown[]) : [];
  return items.length === 0 ? [shared] : items.map((item) => contextOf(fieldsOf(item), shared));
}

/** An evaluation's own context, or the default. */
function contextOf(item: Fields, shared: Fields): Fields {
  const own = item.get("context") ?? null;
  return own === null ? shared : fieldsOf(own);
}

function tokensOf(auxData: Fields): readonly RequestToken[] {
  const single = auxData.get("jwt") ?? null;
  if (single !== null) return [tokenOf(null, single)];
  return [...fieldsOf(auxData.get("jwts"))].map(([name, value]) => tokenOf(name, value));
}

type Fields = ReadonlyMap<string, unknown>;

function fieldsOf(value: unknown): Fields {
  if (value instanceof Map) return value as Fields;
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : new Map();
}

function tokenOf(name: string | null, value: unknown): RequestToken {
  const fields = fieldsOf(value);
  return {
    name,
    token: text(fields.get("token")),
    keySetId: text(fields.get("keySetId") ?? fields.get("key_set_id")),
  };
}

function text(given: unknown): string {
  return typeof given === "string" ? given : "";
}
