/** Validation messages are those of the real Cerbos 0.55, word for word and in its order. */
import { pack } from "msgpackr";
import { describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { describeFailure } from "../../../runtime/request/describe.ts";
import { DEFAULT_OPTIONS } from "../../../runtime/guest/options.ts";
import {
  decodeRequest,
  ruleViolation,
  validateRequest,
  validationError,
} from "../../../runtime/request/validate.ts";

const { FORMAT_JSON, FORMAT_MSGPACK } = abi;

const PRINCIPAL = { id: "x", roles: ["u"] };
const RESOURCES = [{ actions: ["a"], resource: { kind: "k", id: "1" } }];

function messageFor(request: unknown): string {
  return validationError(validateRequest(request)).message;
}

const several = (...lines: string[]): string =>
  `validation errors:\n${lines.map((line) => ` - ${line}`).join("\n")}`;
const one = (line: string): string => `validation error: ${line}`;
const VERSION = "does not match regex pattern `^[\\w]*$`";
const SCOPE = "does not match regex pattern `^(^$|\\.|[0-9a-zA-Z][\\w\\-]*(\\.\\w[\\w\\-]*)*)$`";

describe("validateRequest", () => {
  it.each([
    ["nothing", {}, several("principal: value is required", "resources: value is required")],
    ["no resources", { principal: PRINCIPAL }, one("resources: value is required")],
    ["empty resources", { principal: PRINCIPAL, resources: [] }, one("resources: value is required")],
    [
      "an empty principal",
      { resources: RESOURCES, principal: {} },
      several("principal.id: value is required", "principal.roles: value is required"),
    ],
    [
      "repeated and empty roles",
      { resources: RESOURCES, principal: { id: "x", roles: ["a", "", "a", ""] } },
      several(
        "principal.roles: repeated value must contain unique items",
        "principal.roles[1]: must be at least 1 characters",
        "principal.roles[3]: must be at least 1 characters",
      ),
    ],
    [
      "bad version and scope",
      { resources: RESOURCES, principal: { ...PRINCIPAL, policyVersion: "a b", scope: "a b" } },
      several(`principal.policy_version: ${VERSION}`, `principal.scope: ${SCOPE}`),
    ],
    [
      "snake case",
      { resources: RESOURCES, principal: { ...PRINCIPAL, policy_version: "a b" } },
      one(`principal.policy_version: ${VERSION}`),
    ],
    [
      "a leading dot",
      { resources: RESOURCES, principal: { ...PRINCIPAL, scope: ".a" } },
      one(`principal.scope: ${SCOPE}`),
    ],
    [
      "an empty attribute name",
      { resources: RESOURCES, principal: { ...PRINCIPAL, attr: { "": 1 } } },
      one('principal.attr[""]: must be at least 1 characters'),
    ],
    [
      "an empty entry",
      { principal: PRINCIPAL, resources: [{}] },
      several("resources[0].actions: value is required", "resources[0].resource: value is required"),
    ],
    [
      "everything wrong with a resource",
      {
        principal: PRINCIPAL,
        resources: [
          {
            actions: ["a", "a"],
            resource: { kind: "", id: "", policyVersion: "é", scope: "a..b", attr: { "": 2 } },
          },
        ],
      },
      several(
        "resources[0].actions: repeated value must contain unique items",
        "resources[0].resource.kind: value is required",
        `resources[0].resource.policy_version: ${VERSION}`,
        "resources[0].resource.id: value is required",
        'resources[0].resource.attr[""]: must be at least 1 characters',
        `resources[0].resource.scope: ${SCOPE}`,
      ),
    ],
    [
      "an empty token",
      { principal: PRINCIPAL, resources: RESOURCES, auxData: { jwt: {} } },
      one("aux_data.jwt.token: value is required"),
    ],
    [
      "an empty token name",
      { principal: PRINCIPAL, resources: RESOURCES, auxData: { jwts: { "": { token: "", keySetId: "e" } } } },
      several(
        'aux_data.jwts[""]: must be at least 1 characters',
        'aux_data.jwts[""].token: value is required',
      ),
    ],
    [
      "tokens of both kinds",
      { principal: PRINCIPAL, resources: RESOURCES, aux_data: { jwt: {}, jwts: { a: { token: "t" } } } },
      several(
        "aux_data: Only one of the jwt or jwts fields must be set",
        "aux_data.jwt.token: value is required",
      ),
    ],
    [
      "an empty annotation name",
      { principal: PRINCIPAL, resources: RESOURCES, requestContext: { annotations: { "": 2 } } },
      one('request_context.annotations[""]: must be at least 1 characters'),
    ],
  ])("says what is wrong with %s", (_name, request, message) => {
    expect(messageFor(request)).toBe(message);
  });

  it("finds nothing wrong with a proper request", () => {
    expect(validateRequest({ principal: { ...PRINCIPAL, scope: "." }, resources: RESOURCES })).toEqual([]);
    expect(
      validateRequest({ principal: PRINCIPAL, resources: RESOURCES, auxData: null, requestId: null }),
    ).toEqual([]);
  });

  it("puts the violations into the details", () => {
    const [details] = validationError(validateRequest({ principal: PRINCIPAL })).details;
    expect(details).toEqual({
      "@type": "type.googleapis.com/buf.validate.Violations",
      violations: [
        {
          field: { elements: [{ fieldNumber: 4, fieldName: "resources", fieldType: "TYPE_MESSAGE" }] },
          ruleId: "required",
          message: "value is required",
        },
      ],
    });
  });

  it("stops listing after a hundred", () => {
    const actions = Array.from({ length: 5000 }, () => "");
    const request = { principal: PRINCIPAL, resources: [{ actions, resource: { kind: "k", id: "1" } }] };
    expect(validateRequest(request)).toHaveLength(100);
  });

  it.each([null, 5, "x", [], { principal: 5, resources: "x" }, { principal: [], resources: [null, 1, "x"] }])(
    "survives %j",
    (request) => {
      expect(validateRequest(request).length).toBeGreaterThan(0);
    },
  );

  it("decodes both formats, and gives an empty message for neither", () => {
    const request = { principal: PRINCIPAL, resources: RESOURCES };
    expect(decodeRequest(new TextEncoder().encode(JSON.stringify(request)), FORMAT_JSON)).toEqual(request);
    expect(decodeRequest(pack(request), FORMAT_MSGPACK)).toEqual(request);
    expect(decodeRequest(new Uint8Array([0x81]), FORMAT_MSGPACK)).toEqual({});
    expect(decodeRequest(new Uint8Array([0x7b]), FORMAT_JSON)).toEqual({});
  });
});

describe("ruleViolation", () => {
  const entry = { actions: ["a"], resource: { kind: "k", id: "1" } };
  const broken = (change: object): object => ({
    principal: PRINCIPAL,
    resources: [entry, { ...entry, ...change }],
  });
  const named = (change: object): object => ({
    principal: { ...PRINCIPAL, ...change },
    resources: RESOURCES,
  });
  const token = (auxData: object): object => ({ principal: PRINCIPAL, resources: RESOURCES, auxData });

  it.each([
    [abi.INVALID_PRINCIPAL_ID, 0, named({ id: "" })],
    [abi.INVALID_PRINCIPAL_VERSION, 0, named({ policyVersion: "a b" })],
    [abi.INVALID_PRINCIPAL_SCOPE, 0, named({ scope: ".." })],
    [abi.INVALID_NO_ROLES, 0, named({ roles: [] })],
    [abi.INVALID_ROLE_REPEATED, 0, named({ roles: ["a", "a"] })],
    [abi.INVALID_NO_RESOURCES, 0, { principal: PRINCIPAL }],
    [abi.INVALID_NO_ACTIONS, 1, broken({ actions: [] })],
    [abi.INVALID_ACTION_REPEATED, 1, broken({ actions: ["a", "a"] })],
    [abi.INVALID_RESOURCE_KIND, 1, broken({ resource: { id: "1" } })],
    [abi.INVALID_RESOURCE_ID, 1, broken({ resource: { kind: "k" } })],
    [abi.INVALID_RESOURCE_VERSION, 1, broken({ resource: { ...entry.resource, policyVersion: "-" } })],
    [abi.INVALID_RESOURCE_SCOPE, 1, broken({ resource: { ...entry.resource, scope: "-" } })],
    [abi.INVALID_AUX_DATA_BOTH, 0, token({ jwt: { token: "t" }, jwts: { a: { token: "t" } } })],
    [abi.INVALID_AUX_DATA_TOKEN, 0, token({ jwt: {} })],
  ])("says of rule %i what reading the request again says", (rule, index, request) => {
    expect(ruleViolation(rule, index)).toEqual(validateRequest(request));
  });

  it("leaves out which item of a list is empty", () => {
    expect(validationError(ruleViolation(abi.INVALID_ROLE_EMPTY, 0)).message).toBe(
      one("principal.roles: must be at least 1 characters"),
    );
  });

  it("speaks for large bodies, which are not read again", () => {
    const bytes = new Uint8Array(300 * 1024);
    const limits = DEFAULT_OPTIONS;
    const refusal = { status: abi.STATUS_INVALID_REQUEST, bytes, format: FORMAT_JSON, offset: 7, limits };
    const error = describeFailure({ ...refusal, detail: abi.INVALID_RESOURCE_ID });
    expect(error.message).toBe(one("resources[7].resource.id: value is required"));
    // A rule that a later guest may have is refused all the same.
    expect(describeFailure({ ...refusal, detail: 999 }).code).toBe("EDICT_REQUEST_INVALID");
  });
});
