/** The library: `import { Engine } from "edict"`. Everything not exported here is internal and may change. */
export { Engine, type Format, type LoadOptions, STATUS_TOO_LARGE, STATUS_TRAP } from "./guest/engine.ts";
export { LiveEngine, type PreparedVersion } from "./guest/live-engine.ts";
export type { EngineOptions, OnError } from "./guest/options.ts";
export type { CheckRequest, CheckResponse, CheckResult, Effect } from "./guest/messages.ts";
export type {
  AuthzenAction,
  AuthzenEntity,
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsRequest,
  EvaluationsResponse,
} from "./guest/authzen-messages.ts";
export type { AuthzenOptions, Reasons } from "./guest/authzen-options.ts";
export type {
  ActionExplanation,
  ConditionTrace,
  DerivedRoleTrial,
  Explanation,
  ResourceExplanation,
  RuleTrial,
} from "./guest/explain.ts";
export type { Bundle } from "./bundle/bundle-file.ts";
export { readBundle } from "./bundle/bundle-file.ts";
export { type Signer, type SignatureReport, type SignatureState, VerifyKeys } from "./bundle/signature.ts";
export type { BundleManifest } from "./bundle/manifest.ts";
export { TokenVerifier } from "./aux-data/token-verifier.ts";
export {
  type AuxDataOptions,
  DEFAULT_AUX_DATA,
  type KeySetOptions,
  type KeySource,
} from "./aux-data/options.ts";
export {
  BundleError,
  type BundleErrorCode,
  EdictError,
  EngineError,
  RequestError,
  ServeError,
  TokenError,
} from "./errors.ts";
