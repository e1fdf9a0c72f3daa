/** The CheckResources messages as JavaScript objects, for the library and the command line; HTTP never builds them. */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export interface CheckRequest {
  readonly requestId?: string;
  readonly includeMeta?: boolean;
  readonly principal: {
    readonly id: string;
    readonly roles: readonly string[];
    readonly attr?: Readonly<Record<string, unknown>>;
    readonly policyVersion?: string;
    readonly scope?: string;
  };
  readonly resources: readonly {
    readonly actions: readonly string[];
    readonly resource: {
      readonly kind: string;
      readonly id: string;
      readonly attr?: Readonly<Record<string, unknown>>;
      readonly policyVersion?: string;
      readonly scope?: string;
    };
  }[];
  readonly auxData?: Readonly<Record<string, unknown>>;
  readonly requestContext?: Readonly<Record<string, unknown>>;
}

export type Effect = "EFFECT_ALLOW" | "EFFECT_DENY";

export interface CheckResult {
  readonly resource: {
    readonly id: string;
    readonly kind: string;
    readonly policyVersion?: string;
    readonly scope?: string;
  };
  readonly actions: Readonly<Record<string, Effect>>;
  readonly meta?: {
    readonly actions?: Readonly<
      Record<string, { readonly matchedPolicy: string; readonly matchedScope?: string }>
    >;
    readonly effectiveDerivedRoles?: readonly string[];
  };
  readonly outputs?: readonly Readonly<Record<string, Json>>[];
  readonly validationErrors?: readonly Readonly<Record<string, Json>>[];
}

export interface CheckResponse {
  readonly requestId?: string;
  readonly results: readonly CheckResult[];
  readonly cerbosCallId: string;
}
