/** Codes of `edict lint`: what is valid and yet probably not meant. All are warnings; `edict lint --strict` fails on them. */
import type { CodeTable } from "./code-table.ts";

export const lintCodes = {
  EDICT7001: {
    severity: "warning",
    message: "the rule `{rule}` allows every action to everybody",
    help: "name the actions or the roles, or add a condition",
  },
  EDICT7002: {
    severity: "warning",
    message: "the rule `{rule}` never decides: `{other}` denies everything that it allows",
    help: "remove one of the two rules, or give `{other}` a condition; within a scope DENY wins",
  },
  EDICT7003: {
    severity: "warning",
    message: "the rule `{rule}` adds nothing: `{other}` has the same effect for all of its actions and roles",
    help: "remove the rule, or give it actions or roles that `{other}` does not have",
  },
  EDICT7004: {
    severity: "warning",
    message: "the condition `{condition}` is always true",
    help: "remove the condition, or compare with something that comes from the request",
  },
  EDICT7005: {
    severity: "warning",
    message: "the condition `{condition}` is always false",
    help: "remove what depends on it, or compare with something that comes from the request",
  },
  EDICT7006: {
    severity: "warning",
    message: "no rule uses the derived role `{name}`",
    help: "remove the definition, or name it in the `derivedRoles` of a rule",
  },
  EDICT7007: {
    severity: "warning",
    message: "no expression uses the variable `{name}`",
    help: "remove the definition, or write `V.{name}` where it was meant",
  },
  EDICT7008: {
    severity: "warning",
    message: "no expression uses the constant `{name}`",
    help: "remove the definition, or write `C.{name}` where it was meant",
  },
  EDICT7009: {
    severity: "warning",
    message: "no policy uses the schema `{name}`",
    help: "remove the file, or name it in the `schemas` of a policy as `cerbos:///{name}`",
  },
  EDICT7010: {
    severity: "warning",
    message: "the import of `{name}` is not used",
    help: "remove `{name}` from the list of imports",
  },
  EDICT7011: {
    severity: "warning",
    message: "the schema `{schema}` has no attribute `{attribute}`",
    help: "correct the name, or add the attribute to the schema; the condition fails for every valid request",
  },
  EDICT7012: {
    severity: "warning",
    message: "`{attribute}` is compared with {value}, but the schema `{schema}` says that it is {expected}",
    help: "correct the value or the schema; the comparison has the same result for every valid request",
  },
  EDICT7013: {
    severity: "warning",
    message: "the DENY rule `{rule}` also denies where `{attribute}` is missing",
    help: "test `has({attribute})` first, or require the attribute in a schema; a failing DENY condition denies unless `engine.onError` says otherwise",
  },
} as const satisfies CodeTable;
