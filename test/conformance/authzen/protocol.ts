/**
 * Tests that the scenario requires of every sub-level: error handling (c-2-4), headers (c-2-5), idempotency (c-2-6) and transport (c-5),
 * each asked of the APIs that the sub-level is about. The discovery sub-level has its own.
 */
import { PLAIN } from "./fixture.ts";
import type { Endpoint, ScenarioTest, Step } from "./scenario.ts";

/** How often the same request is sent in the test of idempotency. */
const REPETITIONS = 5;

const SEARCHES: readonly Endpoint[] = ["searchSubject", "searchResource", "searchAction"];

const APIS_BY_LEVEL: Readonly<Record<string, readonly Endpoint[]>> = {
  "basic-core": ["evaluation"],
  "basic-properties": ["evaluation"],
  "batch-core": ["evaluations"],
  "batch-properties": ["evaluations"],
  "search-core": SEARCHES,
  "search-properties": SEARCHES,
};

function plain(endpoint: Endpoint, name: string, more: Partial<Step> = {}): Step {
  const { body, want } = PLAIN[endpoint];
  return { name: `${endpoint}: ${name}`, endpoint, body, want, ...more };
}

function refused(endpoint: Endpoint, name: string, more: Partial<Step>): Step {
  return { name: `${endpoint}: ${name}`, endpoint, ...more, want: { status: 400 } };
}

/** The plain request with one entity replaced by something of a wrong type. */
function wrongTypes(endpoint: Endpoint): readonly Step[] {
  const { body } = PLAIN[endpoint];
  // The top level of a batch is a request of its own only without `evaluations`.
  const base = endpoint === "evaluations" ? PLAIN.evaluation.body : body;
  const subject = refused(endpoint, "subject is a string", { body: { ...base, subject: "alice" } });
  if (endpoint === "searchAction") {
    return [subject, refused(endpoint, "resource is a number", { body: { ...base, resource: 1 } })];
  }
  return [
    subject,
    refused(endpoint, "action.name is a number", { body: { ...base, action: { name: 123 } } }),
  ];
}

function testsOf(level: string, endpoints: readonly Endpoint[]): readonly ScenarioTest[] {
  const test = (id: string, title: string, steps: (endpoint: Endpoint) => readonly Step[]): ScenarioTest => ({
    id,
    level,
    title,
    steps: endpoints.flatMap(steps),
  });
  return [
    test("c-2-4-3", "other content types are refused", (endpoint) => [
      refused(endpoint, "text/plain", { body: PLAIN[endpoint].body, contentType: "text/plain" }),
      refused(endpoint, "a form", {
        body: PLAIN[endpoint].body,
        contentType: "application/x-www-form-urlencoded",
      }),
      refused(endpoint, "no content type", { body: PLAIN[endpoint].body, contentType: null }),
      plain(endpoint, "parameters of the type", { contentType: "application/json; charset=utf-8" }),
    ]),
    test("c-2-4-4", "malformed JSON is refused", (endpoint) => [
      refused(endpoint, "cut short", { text: JSON.stringify(PLAIN[endpoint].body).slice(0, -1) }),
      refused(endpoint, "no JSON", { text: "subject=alice" }),
      refused(endpoint, "no object", { text: "[]" }),
    ]),
    test("c-2-4-5", "an empty body is refused", (endpoint) => [refused(endpoint, "empty", { text: "" })]),
    test("c-2-4-6", "fields of a wrong type are refused", wrongTypes),
    test("c-2-5-1", "X-Request-ID is echoed", (endpoint) => [
      plain(endpoint, "an answer", { requestId: "bfe9eb29-ab87-4ca3-be83-a1d5d8305716" }),
      plain(endpoint, "any text", { requestId: "request 42, of alice" }),
      refused(endpoint, "a refusal", { text: "{", requestId: "bfe9eb29-ab87-4ca3-be83-a1d5d8305717" }),
    ]),
    test("c-2-5-2", "X-Request-ID may be absent", (endpoint) => [plain(endpoint, "no id")]),
    test("c-2-6", "the same request has the same answer", (endpoint) => [
      plain(endpoint, "first"),
      ...Array.from({ length: REPETITIONS - 1 }, (_, index) => {
        const name = `time ${index + 2}`;
        const { want } = PLAIN[endpoint];
        return endpoint.startsWith("search")
          ? plain(endpoint, name, { want: { ...want, sameResultsAs: `${endpoint}: first` } })
          : plain(endpoint, name);
      }),
    ]),
    test("c-5", "transport: JSON in, JSON out, unknown fields ignored", (endpoint) => [
      plain(endpoint, "unknown fields", {
        body: { ...PLAIN[endpoint].body, foo: "bar", futureField: { nested: [true] } },
      }),
    ]),
  ];
}

export const PROTOCOL: readonly ScenarioTest[] = Object.entries(APIS_BY_LEVEL).flatMap(([level, endpoints]) =>
  testsOf(level, endpoints),
);
