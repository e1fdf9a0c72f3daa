/** What a test suite and its fixtures say, after reading and validating (COMPAT.md section 15). */
import type { CheckRequest, Effect, Json } from "../guest/messages.ts";

export type Principal = CheckRequest["principal"];
export type Resource = CheckRequest["resources"][number]["resource"];
/** Claims as conditions see them: `{jwt: {...}}` or `{jwts: {name: {claims: {...}}}}`. */
export type Claims = Readonly<Record<string, Json>>;

export interface SuiteOptions {
  /** Milliseconds since 1970; null when the suite does not pin the time. */
  readonly now: number | null;
  readonly lenientScopeSearch: boolean;
  readonly globals: Readonly<Record<string, Json>>;
  readonly defaultPolicyVersion: string;
  readonly defaultScope: string;
  readonly strictEvaluation: boolean;
}

export const NO_OPTIONS: SuiteOptions = {
  now: null,
  lenientScopeSearch: false,
  globals: {},
  defaultPolicyVersion: "",
  defaultScope: "",
  strictEvaluation: false,
};

/** Things that tests can name, by their names. */
export interface Fixtures {
  readonly principals: ReadonlyMap<string, Principal>;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly auxData: ReadonlyMap<string, Claims>;
  readonly principalGroups: ReadonlyMap<string, readonly string[]>;
  readonly resourceGroups: ReadonlyMap<string, readonly string[]>;
}

export const NO_FIXTURES: Fixtures = {
  principals: new Map(),
  resources: new Map(),
  auxData: new Map(),
  principalGroups: new Map(),
  resourceGroups: new Map(),
};

/** Names of principals and resources, alone and in groups. */
export interface Selection {
  readonly principals: readonly string[];
  readonly principalGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceGroups: readonly string[];
}

export interface OutputExpectation {
  readonly src: string;
  readonly val: Json;
}

export interface Expectation extends Selection {
  readonly actions: ReadonlyMap<string, Effect>;
  readonly outputs: readonly { readonly action: string; readonly expected: readonly OutputExpectation[] }[];
}

export interface Test {
  readonly name: string;
  readonly skip: boolean;
  readonly skipReason: string;
  readonly input: Selection & { readonly actions: readonly string[]; readonly auxData: string };
  /** Null: those of the suite hold. */
  readonly options: SuiteOptions | null;
  readonly expected: readonly Expectation[];
}

export interface Suite {
  readonly name: string;
  readonly description: string;
  readonly skip: boolean;
  readonly skipReason: string;
  readonly options: SuiteOptions;
  readonly fixtures: Fixtures;
  readonly tests: readonly Test[];
}
