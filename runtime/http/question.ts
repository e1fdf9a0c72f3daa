/**
 * What the decision routes ask of the engine, and in what they differ otherwise: which flag of the guest the body is for, which
 * media types are taken, whether the request's id is echoed. The route itself is one (decision-route.ts).
 */
import { FLAG_EVALUATION, FLAG_EVALUATIONS } from "../../assembly/abi.ts";
import type { Permission } from "./access.ts";
import { inputFormat, strictInputFormat } from "./media-type.ts";

export interface Question {
  /** FLAG_* for every decision. */
  readonly flags: number;
  /** What a bearer token must allow. */
  readonly permission: Permission;
  /** FORMAT_* of a body by its media type; -1 when it is not taken. */
  readonly inputFormat: (contentType: string) => number;
  /** Whether `X-Request-ID` is answered with itself. */
  readonly echoesRequestId: boolean;
  /** Whether large bodies may be cut and decided by workers (runtime/batch). */
  readonly mayBeLarge: boolean;
}

/** `POST /api/check/resources`. */
export const CHECK: Question = {
  flags: 0,
  permission: "check",
  inputFormat,
  echoesRequestId: false,
  mayBeLarge: true,
};

/** `POST /access/v1/evaluation` (AuthZEN). */
export const EVALUATION: Question = {
  flags: FLAG_EVALUATION,
  permission: "evaluate",
  inputFormat: strictInputFormat,
  echoesRequestId: true,
  mayBeLarge: false,
};

/** `POST /access/v1/evaluations` (AuthZEN): several with defaults. */
export const EVALUATIONS: Question = { ...EVALUATION, flags: FLAG_EVALUATIONS };
