/** What a deployment says about AuthZEN evaluations (section `authzen`): where roles come from and whether reasons are given. */
import {
  REASONS_ALL,
  REASONS_DENIED,
  REASONS_NONE,
  ROLES_FROM_PROPERTY,
  ROLES_FROM_TOKEN,
  ROLES_FROM_TYPE,
} from "../../assembly/abi.ts";

/** Whether a decision's `context` says why: never, for denials, or always. */
export type Reasons = "none" | "denied" | "all";

export const REASONS: readonly Reasons[] = ["none", "denied", "all"];

export interface AuthzenOptions {
  /**
   * Where a subject's roles are: `property:<name>` (a property with a text or a list of texts; without it the role is the subject's
   * type), `type` (always that), or `token:<claim>` (a claim of a verified token).
   */
  readonly roles: string;
  readonly reasons: Reasons;
}

/** As in Cerbos. */
export const DEFAULT_AUTHZEN: AuthzenOptions = { roles: "property:cerbos.roles", reasons: "none" };

/** Longest name of a property or claim, in bytes of UTF-8. */
const MAX_NAME = 256;

/** What is wrong with a source of roles, as the rest of a sentence; null when nothing is. */
export function rolesProblem(roles: string): string | null {
  if (roles === "type") return null;
  const name = /^(?:property|token):(\P{Cc}+)$/u.exec(roles)?.[1];
  return name !== undefined && new TextEncoder().encode(name).byteLength <= MAX_NAME
    ? null
    : "must be `property:<name>`, `type` or `token:<claim>`";
}

const REASON_NUMBERS: Readonly<Record<Reasons, number>> = {
  none: REASONS_NONE,
  denied: REASONS_DENIED,
  all: REASONS_ALL,
};

/** The same as the guest is told it. `options` hold what `rolesProblem` finds nothing wrong with. */
export function authzenSettings({ roles, reasons }: AuthzenOptions): {
  readonly roleSource: number;
  readonly roleName: string;
  readonly reasons: number;
} {
  const [source, ...name] = roles.split(":");
  const roleSource =
    source === "type" ? ROLES_FROM_TYPE : source === "token" ? ROLES_FROM_TOKEN : ROLES_FROM_PROPERTY;
  return { roleSource, roleName: name.join(":"), reasons: REASON_NUMBERS[reasons] };
}
