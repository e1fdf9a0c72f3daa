/** Properties that are stored beside the requests: what bodies with identifiers only are decided by, and what goes before them. */
import fc from "fast-check";
import { pack } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import { STATUS_OK } from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import { compilePolicies } from "../support/bundles.ts";
import { ask, askOne, type Entity, EVALUATION_POLICIES, wholeEvaluation } from "../support/evaluations.ts";

let bundle: Uint8Array;
let engine: Engine;

beforeAll(async () => {
  bundle = await compilePolicies(EVALUATION_POLICIES);
  engine = await Engine.load(bundle);
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const stored = new Map<string, object>([
  ["subject user alice", { level: 3, team: "a", "cerbos.roles": ["user"] }],
  ["resource document 1", { owner: "alice", public: false, locked: false }],
  ["resource document open", { public: true, "cerbos.scope": "acme" }],
  ["resource document broken", { public: true, "cerbos.policyVersion": 5 }],
]);
let informed: Engine;

const decide = (name: string, id: string, subject = "alice"): boolean | undefined =>
  askOne(informed, {
    subject: { type: "user", id: subject },
    action: { name },
    resource: { type: "document", id },
  })?.decision;

const over = (kind: string, entity: Entity): Entity => {
  const found = isObject(entity)
    ? stored.get(`${kind} ${String(entity.type)} ${String(entity.id)}`)
    : undefined;
  if (found === undefined) return entity;
  return {
    ...entity,
    properties: isObject(entity.properties)
      ? { ...found, ...entity.properties }
      : entity.properties === undefined || entity.properties === null
        ? found
        : entity.properties,
  };
};

describe("stored properties", () => {
  beforeAll(async () => {
    informed = await Engine.load(bundle);
    informed.entities = {
      isEmpty: false,
      properties: (kind, type, id) => {
        const found = stored.get(`${kind} ${new TextDecoder().decode(type)} ${new TextDecoder().decode(id)}`);
        return found === undefined ? null : pack(found);
      },
    };
  });

  it("are those of requests that carry identifiers only", () => {
    expect(decide("write", "1")).toBe(true);
    expect(decide("write", "1", "eve")).toBe(false);
    expect(decide("read", "1")).toBe(false);
    expect(decide("read", "open")).toBe(true);
    expect(decide("write", "open")).toBe(false);
  });

  it("that make no sense deny, alone and among others", () => {
    const evaluation = {
      subject: { type: "admin", id: "x" },
      action: { name: "read" },
      resource: { type: "document", id: "broken" },
    };
    const denied = { decision: false, context: { error: { status: 400 } } };
    expect(askOne(informed, evaluation)).toMatchObject(denied);
    expect(ask(informed, { evaluations: [evaluation] }).answer).toMatchObject({ evaluations: [denied] });
  });

  it("are not asked for where nothing is named", () => {
    const { status, answer } = ask(informed, { evaluations: [{}, {}] });
    expect(status).toBe(STATUS_OK);
    expect(answer).toMatchObject({ evaluations: [{ decision: false }, { decision: false }] });
  });

  it("give way to what the request says, property by property", () => {
    fc.assert(
      fc.property(wholeEvaluation, (body) => {
        const { subject, resource } = body as { subject: Entity; resource: Entity };
        const whole = { ...body, subject: over("subject", subject), resource: over("resource", resource) };
        expect(askOne(informed, body)).toEqual(askOne(engine, whole));
      }),
      { numRuns: 2000 },
    );
  });
});
