/**
 * Which tokens are accepted and by whose keys (`auxData.jwt` of the configuration, COMPAT.md section 13): plain values.
 * What they mean is in docs/configuration.md; reading and checking them is done in runtime/config.
 */

/** Where the keys of a set come from. */
export type KeySource =
  /** A file, read once at the start. */
  | { readonly kind: "file"; readonly file: string; readonly pem: boolean }
  /** The text of the keys themselves. */
  | { readonly kind: "data"; readonly data: string; readonly pem: boolean }
  /** A JWK set over HTTP, fetched again every `refreshSeconds`. */
  | { readonly kind: "remote"; readonly url: string; readonly refreshSeconds: number };

export interface KeySetOptions {
  /** What a request's `keySetId` names. */
  readonly id: string;
  readonly source: KeySource;
  /** Accept keys without `alg`; the token then chooses among the algorithms of the key's type. */
  readonly optionalAlg: boolean;
  /** Accept keys and tokens without `kid`; every key of the set is then tried. */
  readonly optionalKid: boolean;
}

export interface AuxDataOptions {
  readonly keySets: readonly KeySetOptions[];
  /** Take claims from tokens without looking at signatures; times are checked all the same. */
  readonly disableVerification: boolean;
  /** By how many seconds clocks may differ. */
  readonly acceptableTimeSkew: number;
  /** Most verified tokens remembered; 0 remembers none. */
  readonly cacheSize: number;
}

/** Seconds between two fetches of a remote key set, unless told. */
export const DEFAULT_REFRESH_SECONDS = 3600;

/** Without key sets every token is refused, as in Cerbos. */
export const DEFAULT_AUX_DATA: AuxDataOptions = {
  keySets: [],
  disableVerification: false,
  acceptableTimeSkew: 0,
  cacheSize: 10_000,
};

/** Largest text of claims of one request, in bytes; the guest's input region has room for it behind any body. */
export const MAX_CLAIMS_SIZE = 1024 * 1024;
