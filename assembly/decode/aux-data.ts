/**
 * What the decoders note about `auxData`. The guest verifies no token and keeps none: the host reads them from the
 * request bytes when `hasAuxData` says that there are some. Kept here is only what validate.ts has to judge.
 */
import { setHasAuxData } from "./request";

let single: bool = false;
let several: bool = false;
let tokenMissing: bool = false;

/** Forgets the last request's. */
export function clearAuxData(): void {
  single = false;
  several = false;
  tokenMissing = false;
}

/** Notes one token message: that of `jwt`, or one of `jwts`. */
export function noteToken(named: bool, hasToken: bool): void {
  if (named) several = true;
  else single = true;
  if (hasToken) setHasAuxData(true);
  else tokenMissing = true;
}

/** Whether both `jwt` and `jwts` are given. */
export function hasBothKinds(): bool {
  return single && several;
}

/** Whether a token message has no token. */
export function lacksToken(): bool {
  return tokenMissing;
}
