/** What generated code imports besides CEL functions (compiler/emit/policy-module.ts declares the same names). */
export {
  condition,
  isRemembered,
  principalAttribute,
  principalHasAttribute,
  remember,
  remembered,
  resourceAttribute,
  resourceHasAttribute,
  settle,
} from "./state";
export {
  inputAuxData,
  inputAuxDataJwt,
  inputAuxDataJwts,
  inputGlobals,
  inputNow,
  inputPrincipal,
  inputPrincipalAttr,
  inputPrincipalId,
  inputPrincipalPolicyVersion,
  inputPrincipalRoles,
  inputPrincipalScope,
  inputRequest,
  inputResource,
  inputResourceAttr,
  inputResourceId,
  inputResourceKind,
  inputResourcePolicyVersion,
  inputResourceScope,
  inputRuntime,
  inputRuntimeEffectiveDerivedRoles,
} from "./inputs";
export { resourceEquals, resourceEqualsPrincipalId, settleEquals } from "./equality-conditions";
export { inputAction, inputActionName, inputActionProperties, inputContext } from "./evaluation-inputs";
