/** `import { Client } from "edict/client"`: asking a daemon. Everything not exported here is internal and may change. */
export {
  type ActionRequest,
  Client,
  type ClientEvaluation,
  type ClientEvaluations,
  type ClientOptions,
  type ClientResponse,
} from "./client.ts";
export { ClientError, type ClientErrorCode } from "./errors.ts";
export type { CheckRequest, CheckResponse, CheckResult, Effect } from "../guest/messages.ts";
export type {
  AuthzenAction,
  AuthzenEntity,
  EvaluationRequest,
  EvaluationResponse,
  EvaluationsRequest,
  EvaluationsResponse,
} from "../guest/authzen-messages.ts";
