/** Tests of the sub-levels Batch Core and Batch Properties (section c-3 of the scenario). */
import {
  ACTIVE_RECORD_1,
  ALICE,
  ARCHIVED_RECORD_2,
  BOB,
  BOB_AS_ADMIN,
  PLAIN,
  READ,
  RECORD_1,
  RECORD_2,
  WRITE,
} from "./fixture.ts";
import type { ScenarioTest, Step, WantedDecision } from "./scenario.ts";

const CORE = "batch-core";
const PROPERTIES = "batch-properties";

function decides(body: object, decisions: readonly WantedDecision[]): readonly Step[] {
  return [{ name: "evaluations", endpoint: "evaluations", body, want: { status: 200, decisions } }];
}

const IN_ORDER = {
  evaluations: [
    { subject: BOB, action: WRITE, resource: RECORD_1 },
    { subject: ALICE, action: READ, resource: RECORD_1 },
    { subject: BOB, action: READ, resource: RECORD_1 },
    { subject: BOB, action: WRITE, resource: RECORD_1 },
    { subject: ALICE, action: WRITE, resource: RECORD_1 },
  ],
};

export const BATCH: readonly ScenarioTest[] = [
  {
    id: "c-3-2-1",
    level: CORE,
    title: "one decision for each evaluation",
    steps: decides(
      { subject: ALICE, action: READ, evaluations: [{ resource: RECORD_1 }, { resource: RECORD_2 }] },
      ["any", "any"],
    ),
  },
  {
    id: "c-3-2-2",
    level: CORE,
    title: "decisions of the fixture (rules 3 and 4), in order",
    steps: decides(PLAIN.evaluations.body, [true, false]),
  },
  {
    id: "c-3-2-3",
    level: PROPERTIES,
    title: "properties of the resource, per item (rules 2 and 5)",
    steps: decides(
      {
        subject: ALICE,
        action: WRITE,
        evaluations: [{ resource: ACTIVE_RECORD_1 }, { resource: ARCHIVED_RECORD_2 }],
      },
      [true, false],
    ),
  },
  {
    id: "c-3-2-4",
    level: PROPERTIES,
    title: "properties of the subject, per item (rules 5 and 6)",
    steps: decides(
      {
        action: WRITE,
        resource: ARCHIVED_RECORD_2,
        evaluations: [{ subject: ALICE }, { subject: BOB_AS_ADMIN }],
      },
      [false, true],
    ),
  },
  {
    id: "c-3-2-5",
    level: CORE,
    title: "complete evaluations, no defaults",
    steps: decides(
      {
        evaluations: [
          { subject: ALICE, action: READ, resource: RECORD_1 },
          { subject: BOB, action: WRITE, resource: RECORD_1 },
        ],
      },
      [true, false],
    ),
  },
  {
    id: "c-3-2-6",
    level: CORE,
    title: "the context is inherited or replaced",
    steps: decides(
      {
        subject: ALICE,
        action: READ,
        context: { time: "2025-06-27T18:03-07:00" },
        evaluations: [
          { resource: RECORD_1 },
          {
            resource: RECORD_2,
            context: { time: "2025-06-27T19:00-07:00", source: "batch-override" },
          },
        ],
      },
      ["any", "any"],
    ),
  },
  {
    id: "c-3-2-7",
    level: PROPERTIES,
    title: "entities are inherited whole or replaced whole",
    steps: decides(
      {
        subject: ALICE,
        action: WRITE,
        resource: ACTIVE_RECORD_1,
        evaluations: [{}, { resource: ARCHIVED_RECORD_2 }],
      },
      [true, false],
    ),
  },
  {
    id: "c-3-3-1",
    level: CORE,
    title: "as many decisions as evaluations",
    steps: decides(IN_ORDER, ["any", "any", "any", "any", "any"]),
  },
  {
    id: "c-3-3-2",
    level: CORE,
    title: "decisions in the order of the evaluations",
    steps: decides(IN_ORDER, [false, true, true, false, true]),
  },
  {
    id: "c-3-3-3",
    level: CORE,
    title: "each evaluation has a boolean decision",
    steps: decides({ subject: BOB, resource: RECORD_2, evaluations: [{ action: READ }, { action: WRITE }] }, [
      "any",
      "any",
    ]),
  },
  {
    id: "c-3-3-4",
    level: CORE,
    title: "a decision at the top is ignored",
    steps: decides(PLAIN.evaluations.body, [true, false]),
  },
  {
    id: "c-3-4-1",
    level: CORE,
    title: "a failed evaluation is a denial of its own",
    steps: decides(
      {
        subject: ALICE,
        action: READ,
        options: { evaluations_semantic: "execute_all" },
        evaluations: [{ resource: RECORD_1 }, {}],
      },
      [true, false],
    ),
  },
  {
    id: "c-3-4-2",
    level: CORE,
    title: "without `evaluations`: a single evaluation",
    steps: [
      {
        name: "no evaluations",
        endpoint: "evaluations",
        body: PLAIN.evaluation.body,
        want: { status: 200, decision: true },
      },
    ],
  },
  {
    id: "c-3-4-3",
    level: CORE,
    title: "with empty `evaluations`: a single evaluation",
    steps: [
      {
        name: "empty evaluations",
        endpoint: "evaluations",
        body: { ...PLAIN.evaluation.body, evaluations: [] },
        want: { status: 200, decision: true },
      },
    ],
  },
];
