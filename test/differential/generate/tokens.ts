/**
 * Generated requests as they are sent: the interpreter reads claims, everybody else gets them in tokens. Nobody verifies the
 * tokens (`auxData.jwt.disableVerification`); signatures have tests of their own.
 */
import { DEFAULT_AUX_DATA, type AuxDataOptions } from "../../../runtime/aux-data/options.ts";
import { rawToken } from "../../support/tokens.ts";
import type { CheckRequest } from "../interpreter/request.ts";

/** What Cerbos and the daemon are configured with. */
export const UNVERIFIED = { jwt: { disableVerification: true } } as const;

/** The same for an embedded engine. */
export const UNVERIFIED_OPTIONS: AuxDataOptions = { ...DEFAULT_AUX_DATA, disableVerification: true };

const HEADER = { alg: "HS256", typ: "JWT" };
const SIGNATURE = "AAAA";

/** The request with its claims turned into tokens. */
export function onTheWire(request: CheckRequest): object {
  const { auxData, ...rest } = request;
  if (auxData === undefined) return request;
  const tokens = Object.entries(auxData.jwts ?? {}).map(([name, { claims }]) => [name, tokenOf(claims)]);
  return {
    ...rest,
    auxData: {
      ...(auxData.jwt === undefined ? {} : { jwt: tokenOf(auxData.jwt) }),
      ...(tokens.length === 0 ? {} : { jwts: Object.fromEntries(tokens) }),
    },
  };
}

function tokenOf(claims: object = {}): { readonly token: string } {
  return { token: rawToken(HEADER, claims, SIGNATURE) };
}
