/** Tests of the sub-levels Basic Core and Basic Properties (section c-2 of the scenario). */
import {
  ALICE,
  ARCHIVED_RECORD_2,
  BOB,
  BOB_AS_ADMIN,
  CONTEXT,
  PLAIN,
  READ,
  RECORD_1,
  WRITE,
} from "./fixture.ts";
import type { ScenarioTest, Step, WantedDecision } from "./scenario.ts";

const CORE = "basic-core";
const PROPERTIES = "basic-properties";

function decides(body: object, decision: WantedDecision): readonly Step[] {
  return [{ name: "evaluation", endpoint: "evaluation", body, want: { status: 200, decision } }];
}

function refused(name: string, body: object): Step {
  return { name, endpoint: "evaluation", body, want: { status: 400 } };
}

function deletion(soft: boolean): object {
  return { subject: ALICE, action: { name: "delete", properties: { soft } }, resource: RECORD_1 };
}

export const BASIC: readonly ScenarioTest[] = [
  {
    id: "c-2-2-1",
    level: CORE,
    title: "permit by identifiers (rule 1)",
    steps: decides(PLAIN.evaluation.body, true),
  },
  {
    id: "c-2-2-2",
    level: CORE,
    title: "deny by identifiers (rule 4)",
    steps: decides({ subject: BOB, action: WRITE, resource: RECORD_1 }, false),
  },
  {
    id: "c-2-2-3",
    level: CORE,
    title: "a context is accepted and changes nothing",
    steps: decides({ subject: ALICE, action: READ, resource: RECORD_1, context: CONTEXT }, true),
  },
  {
    id: "c-2-2-4",
    level: PROPERTIES,
    title: "deny by properties of the resource (rule 5)",
    steps: decides({ subject: ALICE, action: WRITE, resource: ARCHIVED_RECORD_2 }, false),
  },
  {
    id: "c-2-2-5",
    level: PROPERTIES,
    title: "permit by properties of the subject (rule 6)",
    steps: decides({ subject: BOB_AS_ADMIN, action: WRITE, resource: ARCHIVED_RECORD_2 }, true),
  },
  {
    id: "c-2-2-6",
    level: PROPERTIES,
    title: "permit by properties of the action (rule 7)",
    steps: decides(deletion(true), true),
  },
  {
    id: "c-2-2-7",
    level: PROPERTIES,
    title: "deny by properties of the action (rule 8)",
    steps: decides(deletion(false), false),
  },
  {
    id: "c-2-2-8",
    level: CORE,
    title: "further properties are accepted",
    steps: decides(
      {
        subject: { ...ALICE, properties: { department: "Sales", role: "manager" } },
        action: { ...READ, properties: { method: "GET" } },
        resource: { ...RECORD_1, properties: { status: "active", owner: "bob" } },
      },
      true,
    ),
  },
  {
    id: "c-2-2-9",
    level: CORE,
    title: "unknown fields are ignored",
    steps: decides(
      { subject: ALICE, action: READ, resource: RECORD_1, foo: "bar", futureField: { nested: true } },
      true,
    ),
  },
  {
    id: "c-2-3-1",
    level: CORE,
    title: "the answer has a boolean decision",
    steps: [
      ...decides(PLAIN.evaluation.body, "any"),
      {
        name: "a request that no rule of the fixture speaks of",
        endpoint: "evaluation",
        body: { subject: BOB, action: { name: "delete" }, resource: { type: "record", id: "record-2" } },
        want: { status: 200, decision: "any" },
      },
    ],
  },
  {
    id: "c-2-3-2",
    level: CORE,
    title: "a context of the answer, if any, is an object",
    steps: [
      ...decides(PLAIN.evaluation.body, true),
      {
        name: "a denial",
        endpoint: "evaluation",
        body: { subject: BOB, action: WRITE, resource: RECORD_1 },
        want: { status: 200, decision: false },
      },
    ],
  },
  {
    id: "c-2-4-1",
    level: CORE,
    title: "missing required fields are refused",
    steps: [
      refused("no subject", { action: READ, resource: RECORD_1 }),
      refused("no action", { subject: ALICE, resource: RECORD_1 }),
      refused("no resource", { subject: ALICE, action: READ }),
    ],
  },
  {
    id: "c-2-4-2",
    level: CORE,
    title: "missing required sub-fields are refused",
    steps: [
      refused("no subject.type", { subject: { id: "alice" }, action: READ, resource: RECORD_1 }),
      refused("no subject.id", { subject: { type: "user" }, action: READ, resource: RECORD_1 }),
      refused("no action.name", { subject: ALICE, action: {}, resource: RECORD_1 }),
      refused("no resource.type", { subject: ALICE, action: READ, resource: { id: "record-1" } }),
      refused("no resource.id", { subject: ALICE, action: READ, resource: { type: "record" } }),
    ],
  },
];
