/** AuthZEN bodies for tests: arbitrary ones, the policies that they are about, and how an engine answers them. */
import fc from "fast-check";
import { pack, Unpackr } from "msgpackr";
import {
  FLAG_EVALUATION,
  FLAG_EVALUATIONS,
  FORMAT_JSON,
  FORMAT_MSGPACK,
  STATUS_OK,
} from "../../../assembly/abi.ts";
import type { Engine } from "../../../runtime/guest/engine.ts";

export interface Entity {
  readonly type?: unknown;
  readonly id?: unknown;
  readonly properties?: unknown;
}

export interface Evaluation {
  readonly subject?: unknown;
  readonly action?: unknown;
  readonly resource?: unknown;
  readonly context?: unknown;
}

export interface Decision {
  readonly decision: boolean;
  readonly context?: Readonly<Record<string, unknown>>;
}

export const EVALUATION_POLICIES: Readonly<Record<string, string>> = {
  "document.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
    - actions: [read]
      effect: EFFECT_ALLOW
      roles: [user, admin]
      condition:
        match:
          any:
            of:
              - expr: R.attr.public == true
              - expr: P.id in R.attr.readers
    - actions: ["*"]
      effect: EFFECT_ALLOW
      roles: [admin]
    - actions: [write]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: R.attr.owner == P.id && P.attr.level >= 2
    - actions: [delete, archive]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: request.action.properties.soft == true && request.action.name != "archive"
    - actions: [share]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: request.context.network == "office" && R.attr.size() > 0
    - actions: [read]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: has(R.attr.locked) && R.attr.locked == true
`,
  "document_acme.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  scope: acme
  rules:
    - actions: [write]
      effect: EFFECT_DENY
      roles: [user]
`,
  "document_v2.yaml": `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: v2
  rules:
    - actions: [write]
      effect: EFFECT_ALLOW
      roles: ["*"]
`,
  "bob.yaml": `apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: bob
  version: default
  rules:
    - resource: document
      actions:
        - action: archive
          effect: EFFECT_ALLOW
        - action: share
          effect: EFFECT_DENY
`,
};

const property = fc.oneof(
  fc.boolean(),
  fc.constantFrom("alice", "bob", "open", 'é\n"x\\'),
  fc.integer({ min: 0, max: 4 }),
  fc.constant(null),
  fc.array(fc.constantFrom("alice", "bob"), { maxLength: 3 }),
  fc.record({ a: fc.integer(), b: fc.array(fc.boolean(), { maxLength: 2 }) }),
);

const reserved = {
  "cerbos.roles": fc.constantFrom<unknown>(
    ["user"],
    ["admin"],
    ["user", "admin"],
    "user",
    "guest",
    [],
    [1],
    ["user", "user"],
  ),
  "cerbos.scope": fc.constantFrom<unknown>("acme", "acme.team", ".", "", 4),
  "cerbos.policyVersion": fc.constantFrom<unknown>("v2", "default", "no version", ""),
};

function properties(names: readonly string[]): fc.Arbitrary<unknown> {
  const model = Object.fromEntries(names.map((name) => [name, property]));
  return fc.record({ ...model, ...reserved }, { requiredKeys: [] });
}

/** Mostly what it should be, now and then missing or of another type. */
function mostly(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 24, arbitrary: value },
    { weight: 1, arbitrary: fc.constantFrom("x", 3, true, [], null) },
  );
}

function object(model: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.record(model) },
    {
      weight: 6,
      arbitrary: fc.record(model, { requiredKeys: ["type", "id", "name"].filter((key) => key in model) }),
    },
    { weight: 1, arbitrary: fc.record({ ...model, future: property }, { requiredKeys: [] }) },
  );
}

const types = fc.constantFrom("document", "document", "document", "folder", "");
const subject = mostly(
  object({
    type: mostly(fc.constantFrom("user", "admin", "service")),
    id: mostly(fc.constantFrom("alice", "bob", "eve@example.com")),
    properties: mostly(properties(["level", "team"])),
  }),
);
const resource = mostly(
  object({
    type: mostly(types),
    id: mostly(fc.constantFrom("1", "2", "3")),
    properties: mostly(properties(["public", "readers", "owner", "locked", "other"])),
  }),
);
const action = mostly(
  object({
    name: mostly(fc.constantFrom("read", "write", "delete", "archive", "share")),
    properties: mostly(fc.record({ soft: fc.boolean(), why: property }, { requiredKeys: [] })),
  }),
);
const context = mostly(
  fc.record({ network: fc.constantFrom("office", "home"), more: property }, { requiredKeys: [] }),
);

/** One evaluation, or the defaults or an item of several. */
export const evaluation: fc.Arbitrary<Evaluation> = fc.record(
  { subject, action, resource, context },
  { requiredKeys: [] },
) as fc.Arbitrary<Evaluation>;

/** An evaluation with all of its parts, each as it should be more often than not. */
export const wholeEvaluation: fc.Arbitrary<Evaluation> = fc.record(
  { subject, action, resource, context },
  { requiredKeys: ["subject", "action", "resource"] },
) as fc.Arbitrary<Evaluation>;

const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });

export function encodeBody(body: unknown, format: number): Uint8Array {
  return format === FORMAT_JSON ? new TextEncoder().encode(JSON.stringify(body)) : pack(body);
}

/** Status and value of an engine's answer. */
export function ask(
  engine: Engine,
  body: unknown,
  format: number = FORMAT_JSON,
  flags: number = FLAG_EVALUATIONS,
): { readonly status: number; readonly answer: unknown } {
  const status = engine.decide(encodeBody(body, format), format, format, flags);
  if (status !== STATUS_OK) return { status, answer: null };
  const output = engine.output();
  const answer: unknown =
    format === FORMAT_MSGPACK ? unpackr.unpack(output.slice()) : JSON.parse(new TextDecoder().decode(output));
  return { status, answer };
}

/** The decision of a single evaluation; null when the body is refused. */
export function askOne(engine: Engine, body: unknown, format: number = FORMAT_JSON): Decision | null {
  const { status, answer } = ask(engine, body, format, FLAG_EVALUATION);
  return status === STATUS_OK ? (answer as Decision) : null;
}
