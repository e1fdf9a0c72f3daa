/**
 * The rules of a decoded request. Each case was asked of the real Cerbos 0.55: what it answers with `validation error`
 * is invalid here, what it decides is valid.
 */
import { beforeAll, describe, expect, it } from "vitest";
import * as abi from "../../../assembly/abi.ts";
import { BUILDS } from "../support/build-guest.ts";
import { toJson, toMsgpack } from "./bodies.ts";
import { type DecoderHost, startDecoder } from "./decoder-host.ts";

interface Entry {
  actions?: unknown;
  resource?: Record<string, unknown>;
}

interface Body {
  principal?: Record<string, unknown>;
  resources?: Entry[];
  auxData?: unknown;
}

function valid(): {
  principal: Record<string, unknown>;
  resources: [{ actions: unknown; resource: Record<string, unknown> }];
} & Body {
  return {
    principal: { id: "p", roles: ["u"] },
    resources: [{ actions: ["a"], resource: { kind: "doc", id: "1" } }],
  };
}

type Change = (body: ReturnType<typeof valid>) => void;

const CASES: readonly [string, Change, number][] = [
  ["no principal", (body) => delete (body as Body).principal, abi.INVALID_PRINCIPAL_ID],
  ["empty id", (body) => (body.principal["id"] = ""), abi.INVALID_PRINCIPAL_ID],
  ["version with a dash", (body) => (body.principal["policyVersion"] = "a-b"), abi.INVALID_PRINCIPAL_VERSION],
  [
    "version with an accent",
    (body) => (body.principal["policyVersion"] = "é"),
    abi.INVALID_PRINCIPAL_VERSION,
  ],
  ["no roles", (body) => delete body.principal["roles"], abi.INVALID_NO_ROLES],
  ["empty role", (body) => (body.principal["roles"] = ["a", ""]), abi.INVALID_ROLE_EMPTY],
  ["repeated role", (body) => (body.principal["roles"] = ["a", "b", "a"]), abi.INVALID_ROLE_REPEATED],
  ["no resources", (body) => delete (body as Body).resources, abi.INVALID_NO_RESOURCES],
  ["no actions", (body) => (body.resources[0].actions = []), abi.INVALID_NO_ACTIONS],
  ["empty action", (body) => (body.resources[0].actions = ["x", ""]), abi.INVALID_ACTION_EMPTY],
  ["repeated action", (body) => (body.resources[0].actions = ["x", "x"]), abi.INVALID_ACTION_REPEATED],
  ["no resource", (body) => delete (body.resources[0] as Entry).resource, abi.INVALID_RESOURCE_KIND],
  ["empty kind", (body) => (body.resources[0].resource["kind"] = ""), abi.INVALID_RESOURCE_KIND],
  [
    "version with a line end",
    (body) => (body.resources[0].resource["policyVersion"] = "a\n"),
    abi.INVALID_RESOURCE_VERSION,
  ],
  ["empty resource id", (body) => (body.resources[0].resource["id"] = ""), abi.INVALID_RESOURCE_ID],
  ["jwt without token", (body) => (body.auxData = { jwt: {} }), abi.INVALID_AUX_DATA_TOKEN],
  [
    "jwt with empty token",
    (body) => (body.auxData = { jwt: { token: "", keySetId: "x" } }),
    abi.INVALID_AUX_DATA_TOKEN,
  ],
  [
    "named jwt without token",
    (body) => (body.auxData = { jwts: { a: { token: "x" }, b: {} } }),
    abi.INVALID_AUX_DATA_TOKEN,
  ],
  [
    "both kinds of tokens",
    (body) => (body.auxData = { jwt: { token: "x" }, jwts: { a: { token: "y" } } }),
    abi.INVALID_AUX_DATA_BOTH,
  ],
];

const GOOD_SCOPES = ["", ".", "acme", "acme.hr", "a-b_c.d-e", "a._x", "0a.1", "A.B", "a--", "a_"];
const BAD_SCOPES = [
  ".acme",
  "a..b",
  "a.",
  "a.-x",
  "_a",
  "-a",
  "a.é",
  "a b",
  "a\n",
  "a.b\n",
  "..",
  "a@b",
  "a[",
  "a`b",
  "a{b",
  "é",
];

describe.each(BUILDS)("%s build", (build) => {
  let host: DecoderHost;

  beforeAll(async () => {
    host = await startDecoder(build);
  });

  function rule(body: unknown): number {
    const rules = (["json", "msgpack"] as const).map((format) => {
      expect(
        host.decode(format, format === "json" ? toJson(body) : toMsgpack(body), { maxActions: 99_999 })
          .status,
      ).toBe(0);
      const { status, detail } = host.validate();
      expect(status).toBe(status === abi.STATUS_OK ? abi.STATUS_OK : abi.STATUS_INVALID_REQUEST);
      return status === abi.STATUS_OK ? 0 : detail;
    });
    expect(rules[0]).toBe(rules[1]);
    return rules[0] ?? -1;
  }

  it.each(CASES)("refuses %s", (_name, change, wanted) => {
    const body = valid();
    change(body);
    expect(rule(body)).toBe(wanted);
  });

  it("accepts what Cerbos accepts", () => {
    expect(rule(valid())).toBe(0);
    for (const auxData of [{}, { jwts: {} }, { jwt: null, jwts: {} }, { jwt: { token: "t" }, jwts: {} }]) {
      expect(rule({ ...valid(), auxData })).toBe(0);
    }
    const body = valid();
    body.principal = { id: "*", roles: ["a*!?[]{}"], policyVersion: "Az09_", scope: "." };
    body.resources[0].resource = { kind: "a*?[]{}", id: " ", policyVersion: "" };
    expect(rule(body)).toBe(0);
  });

  it("knows good scopes from bad ones, at both places", () => {
    for (const scope of [...GOOD_SCOPES, ...BAD_SCOPES]) {
      const good = GOOD_SCOPES.includes(scope);
      const body = valid();
      body.principal["scope"] = scope;
      expect(rule(body), scope).toBe(good ? 0 : abi.INVALID_PRINCIPAL_SCOPE);
      const other = valid();
      other.resources[0].resource["scope"] = scope;
      expect(rule(other), scope).toBe(good ? 0 : abi.INVALID_RESOURCE_SCOPE);
    }
  });

  it("judges every byte at every place of names of any length", () => {
    for (const length of [1, 2, 8, 15, 16, 17, 18, 33]) {
      for (let at = 0; at < length; at++) {
        for (const char of [
          "a",
          "Z",
          "5",
          "_",
          "-",
          ".",
          " ",
          "@",
          "[",
          "`",
          "{",
          "/",
          ":",
          "\u007f",
          "\u0001",
        ]) {
          const text = `${"x".repeat(at)}${char}${"y".repeat(length - at - 1)}`;
          const body = valid();
          body.principal["policyVersion"] = text;
          expect(rule(body), text).toBe(/^\w*$/.test(text) ? 0 : abi.INVALID_PRINCIPAL_VERSION);
          const other = valid();
          other.principal["scope"] = text;
          const good = /^(^$|\.|[0-9a-zA-Z][\w-]*(\.\w[\w-]*)*)$/.test(text);
          expect(rule(other), text).toBe(good ? 0 : abi.INVALID_PRINCIPAL_SCOPE);
        }
      }
    }
  });

  it("names the resource that breaks a rule", () => {
    const entry = valid().resources[0];
    host.decode("json", toJson({ ...valid(), resources: [entry, entry, { ...entry, actions: ["a", "a"] }] }));
    expect(host.validate()).toEqual({
      status: abi.STATUS_INVALID_REQUEST,
      offset: 2,
      detail: abi.INVALID_ACTION_REPEATED,
    });
  });

  it("finds a repetition among any number of names", () => {
    for (const count of [2, 6, 7, 16, 17, 33, 5000]) {
      const names = Array.from({ length: count }, (_, index) => `role-${index}`);
      expect(rule({ ...valid(), principal: { id: "p", roles: names } })).toBe(0);
      for (const again of [0, count >> 1, count - 1]) {
        const body = valid();
        body.resources[0].actions = [...names, names[again]];
        expect(rule(body), `${again} of ${count}`).toBe(abi.INVALID_ACTION_REPEATED);
      }
    }
  });
});
