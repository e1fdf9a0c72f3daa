/**
 * The scenario's fixture (section c-1) as requests name it: subjects, actions and resources, and one plain request for each API. The policies
 * and entities behind it are the PDP's own; edict's lie in `examples/authzen`.
 */
import type { Endpoint, Wanted } from "./scenario.ts";

export const ALICE = { type: "user", id: "alice" };
export const BOB = { type: "user", id: "bob" };
export const BOB_AS_ADMIN = { ...BOB, properties: { role: "admin" } };

export const READ = { name: "read" };
export const WRITE = { name: "write" };

export const RECORD_1 = { type: "record", id: "record-1" };
export const RECORD_2 = { type: "record", id: "record-2" };
export const ACTIVE_RECORD_1 = { ...RECORD_1, properties: { status: "active" } };
export const ARCHIVED_RECORD_2 = { ...RECORD_2, properties: { status: "archived" } };

/** A context as the scenario sends it; no decision of the fixture depends on it. */
export const CONTEXT = { time: "2025-06-27T18:03-07:00", ip: "192.168.1.1" };

/** A request that each API accepts, by identifiers only, and what it answers (rules 1, 3, 4 and S1 to S3). */
export const PLAIN: Readonly<Record<Endpoint, { readonly body: object; readonly want: Wanted }>> = {
  evaluation: {
    body: { subject: ALICE, action: READ, resource: RECORD_1 },
    want: { status: 200, decision: true },
  },
  evaluations: {
    body: { subject: BOB, resource: RECORD_1, evaluations: [{ action: READ }, { action: WRITE }] },
    want: { status: 200, decisions: [true, false] },
  },
  searchSubject: {
    body: { subject: { type: "user" }, action: READ, resource: RECORD_1 },
    want: { status: 200, entities: { type: "user", include: ["alice", "bob"] } },
  },
  searchResource: {
    body: { subject: ALICE, action: READ, resource: { type: "record" } },
    want: { status: 200, entities: { type: "record", include: ["record-1"] } },
  },
  searchAction: {
    body: { subject: ALICE, resource: RECORD_1 },
    want: { status: 200, actions: ["read", "write"] },
  },
};
