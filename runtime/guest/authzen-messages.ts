/** AuthZEN's messages (Authorization API 1.0) as JavaScript objects, for the library; HTTP never builds them. */

/** Free-form members. */
export type Properties = Readonly<Record<string, unknown>>;

export interface AuthzenEntity {
  readonly type: string;
  readonly id: string;
  readonly properties?: Properties | null;
}

export interface AuthzenAction {
  readonly name: string;
  readonly properties?: Properties | null;
}

/** One question: may this subject do this action on this resource? */
export interface EvaluationRequest {
  readonly subject: AuthzenEntity;
  readonly action: AuthzenAction;
  readonly resource: AuthzenEntity;
  readonly context?: Properties | null;
}

/** Many of them, with defaults for what an item does not say; an item replaces a member whole. */
export interface EvaluationsRequest extends Partial<EvaluationRequest> {
  readonly evaluations: readonly Partial<EvaluationRequest>[];
  readonly options?: {
    readonly evaluations_semantic?: "execute_all" | "deny_on_first_deny" | "permit_on_first_permit";
    readonly [option: string]: unknown;
  } | null;
}

export interface EvaluationResponse {
  readonly decision: boolean;
  readonly context?: {
    /** Why, where the deployment says why (`authzen.reasons`). */
    readonly reason?: unknown;
    /** What is wrong with an item of a batch. */
    readonly error?: { readonly status: number; readonly message: string };
    readonly [key: string]: unknown;
  };
}

/** Decisions in the order of the request; fewer where its semantic ends early. */
export interface EvaluationsResponse {
  readonly evaluations: readonly EvaluationResponse[];
}
