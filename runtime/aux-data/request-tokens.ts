/**
 * The tokens of a request, read from its bytes a second time: the guest has validated them and keeps none. Only requests
 * that carry tokens come here.
 */
import { Unpackr } from "msgpackr";
import { FORMAT_MSGPACK } from "../../assembly/abi.ts";
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

/** The tokens in the request `bytes` in FORMAT_* `format`. Throws `TokenError` when they cannot be read. */
export function readTokens(bytes: Uint8Array, format: number): readonly RequestToken[] {
  let auxData: Fields;
  try {
    const request: unknown =
      format === FORMAT_MSGPACK ? unpackr.unpack(bytes) : JSON.parse(new TextDecoder().decode(bytes));
    auxData = fieldsOf(fieldsOf(request).get("auxData") ?? fieldsOf(request).get("aux_data"));
  } catch (error) {
    throw new TokenError(
      `the request cannot be read again (${error instanceof Error ? error.name : "error"})`,
    );
  }
  const single = auxData.get("jwt") ?? null;
  const named = [...fieldsOf(auxData.get("jwts"))].map(([name, value]) => tokenOf(name, value));
  const tokens = single === null ? named : [tokenOf(null, single)];
  // The guest has seen a token, so a reading without one is a wrong reading.
  if (tokens.length === 0 || tokens.some(({ token }) => token === "")) {
    throw new TokenError("the tokens of the request were not found again");
  }
  return tokens;
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
