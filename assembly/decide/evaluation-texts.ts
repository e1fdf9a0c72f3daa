/** What is said about AuthZEN bodies and evaluations that cannot be decided, by INVALID_AUTHZEN_*. */
import {
  INVALID_AUTHZEN_ACTION,
  INVALID_AUTHZEN_ACTION_NAME,
  INVALID_AUTHZEN_ACTION_NAME_TYPE,
  INVALID_AUTHZEN_ACTION_PROPERTIES,
  INVALID_AUTHZEN_ACTION_TYPE,
  INVALID_AUTHZEN_AUX_DATA,
  INVALID_AUTHZEN_CONTEXT,
  INVALID_AUTHZEN_EVALUATION,
  INVALID_AUTHZEN_EVALUATIONS,
  INVALID_AUTHZEN_INCLUDE_META,
  INVALID_AUTHZEN_NO_ROLES,
  INVALID_AUTHZEN_OPTIONS,
  INVALID_AUTHZEN_REQUEST_ID,
  INVALID_AUTHZEN_RESOURCE,
  INVALID_AUTHZEN_RESOURCE_ID,
  INVALID_AUTHZEN_RESOURCE_ID_TYPE,
  INVALID_AUTHZEN_RESOURCE_KIND,
  INVALID_AUTHZEN_RESOURCE_KIND_TYPE,
  INVALID_AUTHZEN_RESOURCE_PROPERTIES,
  INVALID_AUTHZEN_RESOURCE_SCOPE,
  INVALID_AUTHZEN_RESOURCE_TYPE,
  INVALID_AUTHZEN_RESOURCE_VERSION,
  INVALID_AUTHZEN_ROLES,
  INVALID_AUTHZEN_SEMANTIC,
  INVALID_AUTHZEN_SUBJECT,
  INVALID_AUTHZEN_SUBJECT_ID,
  INVALID_AUTHZEN_SUBJECT_ID_TYPE,
  INVALID_AUTHZEN_SUBJECT_KIND,
  INVALID_AUTHZEN_SUBJECT_KIND_TYPE,
  INVALID_AUTHZEN_SUBJECT_PROPERTIES,
  INVALID_AUTHZEN_SUBJECT_SCOPE,
  INVALID_AUTHZEN_SUBJECT_TYPE,
  INVALID_AUTHZEN_SUBJECT_VERSION,
} from "../abi";
import { fragment } from "./fragments";

const FIRST: u32 = INVALID_AUTHZEN_SUBJECT;
const COUNT: u32 = INVALID_AUTHZEN_AUX_DATA - INVALID_AUTHZEN_SUBJECT + 1;
const texts: usize = memory.data(256);
const UNUSABLE = fragment("the stored properties cannot be used");

/** The fragment with the words for a problem. They hold nothing that JSON escapes; the path of the field is in backticks. */
export function problemText(problem: u32): usize {
  return problem - FIRST < COUNT ? load<u32>(texts + ((<usize>(problem - FIRST)) << 2)) : UNUSABLE;
}

function say(problem: u32, text: string): void {
  store<u32>(texts + ((<usize>(problem - FIRST)) << 2), <u32>fragment(text));
}

say(INVALID_AUTHZEN_SUBJECT, "`subject` is missing");
say(INVALID_AUTHZEN_SUBJECT_KIND, "`subject.type` is missing or empty");
say(INVALID_AUTHZEN_SUBJECT_ID, "`subject.id` is missing or empty");
say(INVALID_AUTHZEN_ACTION, "`action` is missing");
say(INVALID_AUTHZEN_ACTION_NAME, "`action.name` is missing or empty");
say(INVALID_AUTHZEN_RESOURCE, "`resource` is missing");
say(INVALID_AUTHZEN_RESOURCE_KIND, "`resource.type` is missing or empty");
say(INVALID_AUTHZEN_RESOURCE_ID, "`resource.id` is missing or empty");
say(INVALID_AUTHZEN_SUBJECT_TYPE, "`subject` must be an object");
say(INVALID_AUTHZEN_SUBJECT_KIND_TYPE, "`subject.type` must be a string");
say(INVALID_AUTHZEN_SUBJECT_ID_TYPE, "`subject.id` must be a string");
say(INVALID_AUTHZEN_SUBJECT_PROPERTIES, "`subject.properties` must be an object");
say(INVALID_AUTHZEN_ACTION_TYPE, "`action` must be an object");
say(INVALID_AUTHZEN_ACTION_NAME_TYPE, "`action.name` must be a string");
say(INVALID_AUTHZEN_ACTION_PROPERTIES, "`action.properties` must be an object");
say(INVALID_AUTHZEN_RESOURCE_TYPE, "`resource` must be an object");
say(INVALID_AUTHZEN_RESOURCE_KIND_TYPE, "`resource.type` must be a string");
say(INVALID_AUTHZEN_RESOURCE_ID_TYPE, "`resource.id` must be a string");
say(INVALID_AUTHZEN_RESOURCE_PROPERTIES, "`resource.properties` must be an object");
say(INVALID_AUTHZEN_CONTEXT, "`context` must be an object");
say(INVALID_AUTHZEN_EVALUATION, "an evaluation must be an object");
say(INVALID_AUTHZEN_EVALUATIONS, "`evaluations` must be an array");
say(INVALID_AUTHZEN_OPTIONS, "`options` must be an object");
say(
  INVALID_AUTHZEN_SEMANTIC,
  "`options.evaluations_semantic` must be `execute_all`, `deny_on_first_deny` or `permit_on_first_permit`",
);
say(
  INVALID_AUTHZEN_ROLES,
  "the roles in `subject.properties` must be a string or a list of different strings, none empty",
);
say(INVALID_AUTHZEN_NO_ROLES, "no verified token names the roles of `subject`");
say(
  INVALID_AUTHZEN_SUBJECT_VERSION,
  "`cerbos.policyVersion` in `subject.properties` is not a policy version",
);
say(INVALID_AUTHZEN_SUBJECT_SCOPE, "`cerbos.scope` in `subject.properties` is not a scope");
say(
  INVALID_AUTHZEN_RESOURCE_VERSION,
  "`cerbos.policyVersion` in `resource.properties` is not a policy version",
);
say(INVALID_AUTHZEN_RESOURCE_SCOPE, "`cerbos.scope` in `resource.properties` is not a scope");
say(INVALID_AUTHZEN_REQUEST_ID, "`cerbos.requestId` in `context` must be a string");
say(INVALID_AUTHZEN_INCLUDE_META, "`cerbos.includeMeta` in `context` must be a boolean");
say(INVALID_AUTHZEN_AUX_DATA, "`cerbos.auxData` in `context` is not well formed");
