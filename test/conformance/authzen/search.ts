/**
 * Tests of the sub-levels Search Core and Search Properties (section c-4 of the scenario). What the scenario shows for one API and requires
 * of all three is asked of all three.
 */
import { ALICE, ARCHIVED_RECORD_2, BOB_AS_ADMIN, CONTEXT, PLAIN, READ, RECORD_1, WRITE } from "./fixture.ts";
import type { Endpoint, ScenarioTest, Step, Wanted } from "./scenario.ts";

const CORE = "search-core";
const PROPERTIES = "search-properties";

type SearchEndpoint = Exclude<Endpoint, "evaluation" | "evaluations">;
const SEARCHES: readonly SearchEndpoint[] = ["searchSubject", "searchResource", "searchAction"];

function search(endpoint: SearchEndpoint, name: string, body: object, want: Wanted): Step {
  return { name, endpoint, body, want };
}

/** The plain search, then the same with something beside it that must not change the results. */
function unchanged(endpoint: SearchEndpoint, name: string, change: object): readonly Step[] {
  const { body, want } = PLAIN[endpoint];
  return [
    search(endpoint, "plain", body, want),
    search(endpoint, name, { ...body, ...change }, { ...want, sameResultsAs: "plain" }),
  ];
}

function empty(endpoint: SearchEndpoint, name: string, body: object): Step {
  return search(endpoint, `${endpoint}: ${name}`, body, { status: 200, empty: true });
}

function refused(endpoint: SearchEndpoint, name: string, body: object): Step {
  return search(endpoint, `${endpoint}: ${name}`, body, { status: 400 });
}

const USERS = { type: "user" };
const RECORDS = { type: "record" };
const SPACESHIPS = { type: "spaceship" };
const NOBODY = { type: "user", id: "nonexistent-user" };
const NOTHING = { type: "record", id: "nonexistent-record" };

const RESULTS: readonly ScenarioTest[] = [
  {
    id: "c-4-2-1",
    level: CORE,
    title: "subjects that may read record-1 (S1)",
    steps: [search("searchSubject", "plain", PLAIN.searchSubject.body, PLAIN.searchSubject.want)],
  },
  {
    id: "c-4-2-2",
    level: CORE,
    title: "subject search with a context",
    steps: unchanged("searchSubject", "with a context", { context: CONTEXT }),
  },
  {
    id: "c-4-2-3",
    level: CORE,
    title: "subject search ignores subject.id",
    steps: unchanged("searchSubject", "with subject.id", { subject: ALICE }),
  },
  {
    id: "c-4-2-4",
    level: PROPERTIES,
    title: "subjects that may write an archived record (S4)",
    steps: [
      search(
        "searchSubject",
        "archived",
        { subject: USERS, action: WRITE, resource: ARCHIVED_RECORD_2 },
        { status: 200, entities: { type: "user", include: ["bob"] } },
      ),
    ],
  },
  {
    id: "c-4-3-1",
    level: CORE,
    title: "records that alice may read (S2)",
    steps: [search("searchResource", "plain", PLAIN.searchResource.body, PLAIN.searchResource.want)],
  },
  {
    id: "c-4-3-2",
    level: CORE,
    title: "resource search with a context",
    steps: unchanged("searchResource", "with a context", { context: CONTEXT }),
  },
  {
    id: "c-4-3-3",
    level: CORE,
    title: "resource search ignores resource.id",
    steps: unchanged("searchResource", "with resource.id", { resource: RECORD_1 }),
  },
  {
    id: "c-4-3-4",
    level: PROPERTIES,
    title: "records that an admin may write (S5)",
    steps: [
      search(
        "searchResource",
        "as admin",
        { subject: BOB_AS_ADMIN, action: WRITE, resource: RECORDS },
        { status: 200, entities: { type: "record", include: ["record-2"] } },
      ),
    ],
  },
  {
    id: "c-4-4-1",
    level: CORE,
    title: "what alice may do with record-1 (S3)",
    steps: [search("searchAction", "plain", PLAIN.searchAction.body, PLAIN.searchAction.want)],
  },
  {
    id: "c-4-4-2",
    level: CORE,
    title: "action search with a context",
    steps: unchanged("searchAction", "with a context", { context: CONTEXT }),
  },
  {
    id: "c-4-4-3",
    level: PROPERTIES,
    title: "what an admin may do with an archived record (S6)",
    steps: [
      search(
        "searchAction",
        "as admin",
        { subject: BOB_AS_ADMIN, resource: ARCHIVED_RECORD_2 },
        { status: 200, actions: ["write"] },
      ),
    ],
  },
];

/** Each search with a limit of one, then its next page, then all pages. */
function pages(endpoint: SearchEndpoint): readonly Step[] {
  const { body } = PLAIN[endpoint];
  const limited = { ...body, page: { limit: 1 } };
  const first = `${endpoint}: limit`;
  return [
    search(endpoint, first, limited, { status: 200, page: "permitted" }),
    {
      name: `${endpoint}: token`,
      endpoint,
      body,
      tokenOf: first,
      want: { status: 200, page: "required" },
    },
  ];
}

function allPages(endpoint: SearchEndpoint): readonly Step[] {
  const { body, want } = PLAIN[endpoint];
  const whole = `${endpoint}: no limit`;
  return [
    { name: whole, endpoint, body, everyPage: true, want: { ...want, page: "permitted" } },
    {
      name: `${endpoint}: all pages`,
      endpoint,
      body: { ...body, page: { limit: 1 } },
      everyPage: true,
      want: { ...want, sameResultsAs: whole },
    },
  ];
}

const PAGINATION: readonly ScenarioTest[] = [
  {
    id: "c-4-5-1",
    level: CORE,
    title: "a page limit is accepted",
    steps: SEARCHES.flatMap((endpoint) => pages(endpoint).slice(0, 1)),
  },
  { id: "c-4-5-2", level: CORE, title: "a page token is accepted", steps: SEARCHES.flatMap(pages) },
  {
    id: "c-4-5-3",
    level: CORE,
    title: "all pages together are all results",
    steps: SEARCHES.flatMap(allPages),
  },
  {
    id: "c-4-5-4",
    level: CORE,
    title: "an empty page object changes nothing",
    steps: SEARCHES.map((endpoint) =>
      search(
        endpoint,
        `${endpoint}: empty page`,
        { ...PLAIN[endpoint].body, page: {} },
        {
          ...PLAIN[endpoint].want,
          page: "permitted",
        },
      ),
    ),
  },
];

const NO_RESULTS: readonly ScenarioTest[] = [
  {
    id: "c-4-6-1",
    level: CORE,
    title: "unknown identifiers give no results",
    steps: [
      empty("searchAction", "unknown subject", { subject: NOBODY, resource: RECORD_1 }),
      empty("searchAction", "unknown resource", { subject: ALICE, resource: NOTHING }),
      empty("searchSubject", "unknown resource", { subject: USERS, action: READ, resource: NOTHING }),
      empty("searchResource", "unknown subject", { subject: NOBODY, action: READ, resource: RECORDS }),
    ],
  },
  {
    id: "c-4-6-2",
    level: CORE,
    title: "unknown types give no results",
    steps: [
      empty("searchSubject", "unknown type", { subject: SPACESHIPS, action: READ, resource: RECORD_1 }),
      empty("searchResource", "unknown type", { subject: ALICE, action: READ, resource: SPACESHIPS }),
      empty("searchAction", "unknown subject type", {
        subject: { ...SPACESHIPS, id: "alice" },
        resource: RECORD_1,
      }),
      empty("searchAction", "unknown resource type", {
        subject: ALICE,
        resource: { ...SPACESHIPS, id: "record-1" },
      }),
    ],
  },
];

const ERRORS: readonly ScenarioTest[] = [
  {
    id: "c-4-7-1",
    level: CORE,
    title: "missing required fields are refused",
    steps: [
      refused("searchSubject", "no action", { subject: USERS, resource: RECORD_1 }),
      refused("searchSubject", "no subject", { action: READ, resource: RECORD_1 }),
      refused("searchSubject", "no resource", { subject: USERS, action: READ }),
      refused("searchResource", "no subject", { action: READ, resource: RECORDS }),
      refused("searchResource", "no action", { subject: ALICE, resource: RECORDS }),
      refused("searchResource", "no resource", { subject: ALICE, action: READ }),
      refused("searchAction", "no resource", { subject: ALICE }),
      refused("searchAction", "no subject", { resource: RECORD_1 }),
    ],
  },
  {
    id: "c-4-7-2",
    level: CORE,
    title: "input entities without an id are refused",
    steps: [
      refused("searchSubject", "no resource.id", { subject: USERS, action: READ, resource: RECORDS }),
      refused("searchResource", "no subject.id", { subject: USERS, action: READ, resource: RECORDS }),
      refused("searchAction", "no subject.id", { subject: USERS, resource: RECORD_1 }),
      refused("searchAction", "no resource.id", { subject: ALICE, resource: RECORDS }),
    ],
  },
];

export const SEARCH: readonly ScenarioTest[] = [...RESULTS, ...PAGINATION, ...NO_RESULTS, ...ERRORS];
