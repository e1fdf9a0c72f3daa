/** AuthZEN evaluations on the guest: the same decisions as checks, one by one or many at once, in both formats. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  FLAG_DENY_ALL,
  FLAG_EVALUATION,
  FORMAT_JSON,
  FORMAT_MSGPACK,
  STATUS_DUPLICATE_KEY,
  STATUS_INVALID_REQUEST,
  STATUS_OK,
} from "../../../assembly/abi.ts";
import { Engine } from "../../../runtime/guest/engine.ts";
import type { CheckRequest } from "../../../runtime/guest/messages.ts";
import { compilePolicies } from "../support/bundles.ts";
import {
  ask,
  askOne,
  encodeBody,
  type Entity,
  type Evaluation,
  EVALUATION_POLICIES,
  wholeEvaluation,
} from "../support/evaluations.ts";

let bundle: Uint8Array;
let engine: Engine;

beforeAll(async () => {
  bundle = await compilePolicies(EVALUATION_POLICIES);
  engine = await Engine.load(bundle);
});

const ALICE = { type: "user", id: "alice", properties: { level: 3 } };
const DOCUMENT = { type: "document", id: "1", properties: { owner: "alice" } };

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** The check that asks the same. */
function checkOf({ subject, action, resource }: Evaluation): CheckRequest {
  const who = subject as Entity & { properties?: Record<string, unknown> | null };
  const what = resource as Entity & { properties?: Record<string, unknown> | null };
  const given = who.properties?.["cerbos.roles"];
  return {
    principal: {
      id: String(who.id),
      roles: given === undefined ? [String(who.type)] : typeof given === "string" ? [given] : given,
      attr: who.properties ?? {},
      policyVersion: text(who.properties?.["cerbos.policyVersion"]),
      scope: text(who.properties?.["cerbos.scope"]),
    },
    resources: [
      {
        actions: [String((action as { name: unknown }).name)],
        resource: {
          kind: String(what.type),
          id: String(what.id),
          attr: what.properties ?? {},
          policyVersion: text(what.properties?.["cerbos.policyVersion"]),
          scope: text(what.properties?.["cerbos.scope"]),
        },
      },
    ],
  } as unknown as CheckRequest;
}

const decideAction = (action: object, context?: object): boolean | undefined =>
  askOne(engine, { subject: ALICE, action, resource: DOCUMENT, ...(context && { context }) })?.decision;

const bodyOf = (subject: string, last: string): Uint8Array =>
  new TextEncoder().encode(
    `{"${subject}":{"type":"admin","id":"x"},"action":{"name":"read"},"resource":{"type":"document","id":"1"}${last}}`,
  );

const statusOf = (bytes: Uint8Array): number =>
  engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, FLAG_EVALUATION);

const decideWith = async (reasons: "none" | "denied" | "all", name: string): Promise<unknown> => {
  const one = await Engine.load(bundle, { authzen: { roles: "type", reasons } });
  return askOne(one, { subject: ALICE, action: { name }, resource: DOCUMENT });
};

describe("an evaluation", () => {
  it("is decided as the check that asks the same", () => {
    let allowed = 0;
    fc.assert(
      fc.property(wholeEvaluation, (body) => {
        const decision = askOne(engine, body);
        if (decision === null) return;
        // Their rules read what checks do not have.
        const { name } = body.action as { name?: unknown };
        if (name === "delete" || name === "archive" || name === "share") return;
        const entry = engine.check(checkOf(body)).results[0];
        const [effect] = Object.values(entry?.actions ?? {});
        expect(decision.decision).toBe(effect === "EFFECT_ALLOW");
        if (decision.decision) allowed++;
      }),
      { numRuns: 3000 },
    );
    expect(allowed).toBeGreaterThan(20);
  });

  it("comes out the same in both formats", () => {
    fc.assert(
      fc.property(wholeEvaluation, (body) => {
        expect(ask(engine, body, FORMAT_MSGPACK)).toEqual(ask(engine, body, FORMAT_JSON));
      }),
      { numRuns: 2000 },
    );
  });

  it("shows conditions the action's name and properties, and the context", () => {
    expect(decideAction({ name: "delete", properties: { soft: true } })).toBe(true);
    expect(decideAction({ name: "delete", properties: { soft: false } })).toBe(false);
    expect(decideAction({ name: "delete" })).toBe(false);
    expect(decideAction({ name: "archive", properties: { soft: true } })).toBe(false);
    expect(decideAction({ name: "share" }, { network: "office" })).toBe(true);
    expect(decideAction({ name: "share" }, { network: "home" })).toBe(false);
    expect(decideAction({ name: "share" })).toBe(false);
  });

  it("ignores fields without a meaning, wherever they stand", () => {
    const body = {
      future: { nested: [1, { a: null }] },
      subject: { ...ALICE, more: 1 },
      action: { name: "write", also: [] },
      resource: { ...DOCUMENT, evaluations: 3 },
      evaluations: "nothing to a single evaluation",
    };
    for (const format of [FORMAT_JSON, FORMAT_MSGPACK]) {
      expect(ask(engine, body, format, FLAG_EVALUATION).answer).toEqual({ decision: true });
    }
  });

  it("takes field names with escapes, and refuses a field that comes twice", () => {
    expect(statusOf(bodyOf("sub\\u006aect", ""))).toBe(STATUS_OK);
    for (const last of [',"subject":{}', ',"s\\u0075bject":{}', ',"x":1,"x":2', ',"x":1,"\\u0078":2']) {
      expect(statusOf(bodyOf("subject", last))).toBe(STATUS_DUPLICATE_KEY);
    }
  });

  it("says what is missing or has the wrong type, with its path", () => {
    const whole = { subject: ALICE, action: { name: "read" }, resource: DOCUMENT };
    const cases: readonly (readonly [unknown, string])[] = [
      [{ ...whole, subject: undefined }, "subject"],
      [{ ...whole, subject: "alice" }, "subject"],
      [{ ...whole, subject: { id: "alice" } }, "subject.type"],
      [{ ...whole, subject: { type: "user", id: 4 } }, "subject.id"],
      [{ ...whole, subject: { type: "user", id: "a", properties: [] } }, "subject.properties"],
      [{ ...whole, action: {} }, "action.name"],
      [{ ...whole, action: { name: 123 } }, "action.name"],
      [{ ...whole, action: { name: "read", properties: 1 } }, "action.properties"],
      [{ ...whole, resource: { type: "document" } }, "resource.id"],
      [{ ...whole, resource: { type: null, id: "1" } }, "resource.type"],
      [{ ...whole, context: 1 }, "context"],
    ];
    for (const [body, path] of cases) {
      for (const format of [FORMAT_JSON, FORMAT_MSGPACK]) {
        const bytes = encodeBody(JSON.parse(JSON.stringify(body)), format);
        const status = engine.decide(bytes, format, format, FLAG_EVALUATION);
        expect(status, path).toBe(STATUS_INVALID_REQUEST);
        expect(engine.failure(status, bytes, format)).toMatchObject({ name: "RequestError", field: path });
      }
    }
  });

  it("gives the reasons that the deployment wants", async () => {
    expect(await decideWith("none", "read")).toEqual({ decision: false });
    expect(await decideWith("denied", "write")).toEqual({ decision: true });
    expect(await decideWith("denied", "read")).toEqual({
      decision: false,
      context: { reason: "denied by resource.document.vdefault" },
    });
    expect(await decideWith("all", "write")).toEqual({
      decision: true,
      context: { reason: "allowed by resource.document.vdefault" },
    });
  });

  it("takes roles from where the deployment says", async () => {
    const body = {
      subject: { type: "admin", id: "x", properties: { groups: ["user"], "cerbos.roles": ["guest"] } },
      action: { name: "rename" },
      resource: DOCUMENT,
    };
    const decide = async (roles: string): Promise<boolean | undefined> =>
      askOne(await Engine.load(bundle, { authzen: { roles, reasons: "none" } }), body)?.decision;
    expect(await decide("type")).toBe(true);
    expect(await decide("property:cerbos.roles")).toBe(false);
    expect(await decide("property:groups")).toBe(false);
    expect(await decide("property:teams")).toBe(true);
  });

  it("denies when everything is denied", () => {
    const bytes = encodeBody(
      { subject: { type: "admin", id: "x" }, action: { name: "a" }, resource: DOCUMENT },
      FORMAT_JSON,
    );
    expect(engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, FLAG_EVALUATION | FLAG_DENY_ALL)).toBe(STATUS_OK);
    expect(new TextDecoder().decode(engine.output())).toBe('{"decision":false}');
  });
});

describe("checks", () => {
  it("show conditions the name of each action", async () => {
    const file = await compilePolicies({
      "thing.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: thing
  version: default
  rules:
    - actions: ["*"]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: request.action.name.startsWith("a") && R.attr.ok && request.context.size() == 0
`,
    });
    const one = await Engine.load(file);
    const { results } = one.check({
      principal: { id: "p", roles: ["user"] },
      resources: [
        { actions: ["a1", "b", "a2", "c"], resource: { kind: "thing", id: "1", attr: { ok: true } } },
      ],
    });
    expect(results[0]?.actions).toEqual({
      a1: "EFFECT_ALLOW",
      a2: "EFFECT_ALLOW",
      b: "EFFECT_DENY",
      c: "EFFECT_DENY",
    });
  });
});
