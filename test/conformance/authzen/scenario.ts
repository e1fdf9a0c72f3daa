/**
 * The form of the certification scenario as data: sub-levels, tests by their id, the requests of a test and what their answers must
 * be. Holds no test and sends nothing.
 */

/** The APIs of a PDP; where they are is found out by discovery. */
export const ENDPOINTS = [
  "evaluation",
  "evaluations",
  "searchSubject",
  "searchResource",
  "searchAction",
] as const;
export type Endpoint = (typeof ENDPOINTS)[number];

export interface SubLevel {
  readonly name: string;
  readonly title: string;
  /** Sub-levels that must be certified as well. */
  readonly requires: readonly string[];
}

/** The seven sub-levels, in the order of the scenario's table. */
export const SUB_LEVELS: readonly SubLevel[] = [
  { name: "basic-core", title: "Basic Core", requires: [] },
  { name: "basic-properties", title: "Basic Properties", requires: [] },
  { name: "batch-core", title: "Batch Core", requires: ["basic-core"] },
  { name: "batch-properties", title: "Batch Properties", requires: ["basic-properties"] },
  { name: "search-core", title: "Search Core", requires: [] },
  { name: "search-properties", title: "Search Properties", requires: ["search-core"] },
  { name: "discovery", title: "Discovery", requires: [] },
];

/** A decision that the fixture fixes, or any boolean. */
export type WantedDecision = boolean | "any";

/** What an answer must be. `status` is always checked; of the rest, what is given. */
export interface Wanted {
  readonly status: number;
  /** One decision at the top, and no `evaluations`. */
  readonly decision?: WantedDecision;
  /** As many decisions in `evaluations`, in this order. */
  readonly decisions?: readonly WantedDecision[];
  /** `results` of entities of this type, among them those with the given ids. */
  readonly entities?: { readonly type: string; readonly include: readonly string[] };
  /** `results` of actions, among them those with the given names. */
  readonly actions?: readonly string[];
  /** `results` is an empty array. */
  readonly empty?: true;
  /** The same set of results as an earlier step of the test. */
  readonly sameResultsAs?: string;
  /** `permitted`: well-formed where it is present. `required`: present, with a `next_token`. */
  readonly page?: "permitted" | "required";
}

/** One request of a test. */
export interface Step {
  /** Unique within its test. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** The body: a value to be written as JSON, or the text as it is. */
  readonly body?: object;
  readonly text?: string;
  /** `application/json` unless told; null leaves the header out. */
  readonly contentType?: string | null;
  /** Sent as `X-Request-ID`, and wanted back. */
  readonly requestId?: string;
  /** Sends the `next_token` of an earlier step as `page.token`; left out when that step gave none. */
  readonly tokenOf?: string;
  /** Goes on with `page.token` until there is none; the results of all pages together count as this step's. */
  readonly everyPage?: true;
  readonly want: Wanted;
}

/** A test of the scenario. */
export interface ScenarioTest {
  /** The scenario's id, such as `c-2-2-1`. */
  readonly id: string;
  readonly level: string;
  readonly title: string;
  readonly steps: readonly Step[];
}
