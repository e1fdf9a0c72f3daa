/** The engine as a library, on the real guest: answers, typed errors, modes, limits, and memory that stays flat. */
import { pack, unpack } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import {
  FLAG_DENY_ALL,
  FORMAT_JSON,
  STATUS_INVALID_REQUEST,
  STATUS_OK,
  STATUS_TRUNCATED,
} from "../../../assembly/abi.ts";
import { EngineError, RequestError } from "../../../runtime/errors.ts";
import { Engine, STATUS_TOO_LARGE } from "../../../runtime/guest/engine.ts";
import type { CheckRequest } from "../../../runtime/guest/messages.ts";
import { warmUp } from "../../../runtime/guest/warm-up.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, IS_BUILT, POLICIES } from "../support/daemon.ts";

const SCOPED = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ticket
  version: v2
  scope: ""
  rules:
    - actions: [open]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: G.open == true
`;

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes)) as unknown;

describe.skipIf(!IS_BUILT)("Engine", () => {
  let bundle: Uint8Array;
  let engine: Engine;
  const request = albumRequest() as CheckRequest;
  const ticket: CheckRequest = {
    principal: { id: "a", roles: ["user"] },
    resources: [{ actions: ["open"], resource: { kind: "ticket", id: "1" } }],
  };
  const actions = { view: "EFFECT_ALLOW", delete: "EFFECT_DENY" };

  beforeAll(async () => {
    bundle = await compilePolicies({ ...POLICIES, "ticket.yaml": SCOPED });
    engine = await Engine.load(bundle);
  });

  it("checks objects", () => {
    expect(engine.check(request)).toMatchObject({ requestId: "r1", results: [{ actions }] });
    const withMeta = engine.check({ ...request, includeMeta: true });
    expect(withMeta.results[0]?.meta?.actions?.["view"]).toEqual({
      matchedPolicy: "resource.album.vdefault",
    });
  });

  it("checks bytes in any pair of formats, answering with a view", () => {
    const json = engine.checkBytes(encode(request), "json");
    expect(json.status).toBe(STATUS_OK);
    expect(decode(json.bytes)).toMatchObject({ results: [{ actions }] });
    expect(unpack(engine.checkBytes(pack(request), "msgpack").bytes)).toMatchObject({
      results: [{ actions }],
    });
    expect(unpack(engine.checkBytes(encode(request), "json", "msgpack").bytes)).toMatchObject({
      results: [{ actions }],
    });
    expect(decode(engine.checkBytes(pack(request), "msgpack", "json").bytes)).toMatchObject({
      results: [{ actions }],
    });
  });

  it("returns a status and no bytes for a bad request", () => {
    const { status, bytes } = engine.checkBytes(encode(request).subarray(0, 30), "json");
    expect([status, bytes.length]).toEqual([STATUS_TRUNCATED, 0]);
    expect(engine.checkBytes(encode({}), "json").status).toBe(STATUS_INVALID_REQUEST);
  });

  it("throws typed errors that name the field", () => {
    const invalid = { ...request, principal: { id: "", roles: ["user"] } };
    expect(() => engine.check(invalid)).toThrow(RequestError);
    expect(() => engine.check(invalid)).toThrow("validation error: principal.id: value is required");
    const unknown = { ...request, surprise: 1 };
    expect(() => engine.check(unknown)).toThrow(/unknown field "surprise" at `surprise`$/);
  });

  it("refuses what is longer than maxBodyBytes without reading it", async () => {
    const small = await Engine.load(bundle, { maxBodyBytes: 1024 });
    const large = { ...request, requestId: "x".repeat(2000) };
    expect(small.checkBytes(encode(large), "json")).toMatchObject({ status: STATUS_TOO_LARGE });
    expect(() => small.check(large)).toThrow(/exceeds the limit of 1024 bytes/);
    expect(small.check(request)).toMatchObject({ results: [{ actions }] });
  });

  it("denies everything when told to", () => {
    const bytes = encode(request);
    expect(engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, FLAG_DENY_ALL)).toBe(STATUS_OK);
    expect(decode(engine.output())).toMatchObject({
      results: [{ actions: { view: "EFFECT_DENY", delete: "EFFECT_DENY" } }],
    });
  });

  it("applies default version, globals and limits", async () => {
    const open = await Engine.load(bundle, { defaultPolicyVersion: "v2", globals: { open: true } });
    expect(open.check(ticket).results[0]?.actions).toEqual({ open: "EFFECT_ALLOW" });
    const closed = await Engine.load(bundle, { defaultPolicyVersion: "v2", globals: { open: false } });
    expect(closed.check(ticket).results[0]?.actions).toEqual({ open: "EFFECT_DENY" });
    expect(engine.check(ticket).results[0]?.actions).toEqual({ open: "EFFECT_DENY" });
    const narrow = await Engine.load(bundle, { maxActionsPerResource: 1 });
    expect(() => narrow.check(request)).toThrow("number of actions (2) exceeds configured limit (1)");
  });

  it("counts errors in conditions by mode", async () => {
    const erring = albumRequest({ public: true, flagged: false, owner: "alice" }) as CheckRequest;
    const effects = await Promise.all(
      (["fail-closed", "compatible", "strict"] as const).map(async (onError) => {
        const one = await Engine.load(bundle, { onError });
        return one.check(erring).results[0]?.actions["delete"];
      }),
    );
    expect(effects).toEqual(["EFFECT_DENY", "EFFECT_ALLOW", "EFFECT_DENY"]);
  });

  it("explains without changing the answer", () => {
    const [result] = engine.explain(request).results;
    expect(result?.actions.map(({ action, effect }) => [action, effect])).toEqual(Object.entries(actions));
    expect(() => engine.explain({ ...request, principal: { id: "", roles: [] } })).toThrow(RequestError);
  });

  it("keeps answers apart: a failed request leaves nothing behind", () => {
    const before = engine.check(request).results;
    for (const bad of ["", "{", '{"principal":{"id":"x","roles":["user"],"attr":{"public":true}}}']) {
      engine.checkBytes(new TextEncoder().encode(bad), "json");
      expect(engine.check(request).results).toEqual(before);
    }
    expect(engine.traps).toBe(0);
  });

  it("needs no more memory after many requests and many engines", async () => {
    const bytes = encode(request);
    for (let count = 0; count < 50_000; count++) engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, 0);
    const before = process.memoryUsage().rss;
    for (let count = 0; count < 200_000; count++) engine.decide(bytes, FORMAT_JSON, FORMAT_JSON, 0);
    for (let count = 0; count < 30; count++) await Engine.load(bundle);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  it("warms up without a trace", async () => {
    const fresh = await Engine.load(bundle);
    await warmUp(fresh);
    expect(fresh.traps).toBe(0);
    expect(fresh.check(request)).toMatchObject({ results: [{ actions }] });
  });

  it("refuses options that cannot be meant, before it serves", async () => {
    for (const options of [
      { maxActionsPerResource: 0 },
      { maxResourcesPerRequest: 1.5 },
      { maxBodyBytes: 1e12 },
    ]) {
      await expect(Engine.load(bundle, options)).rejects.toThrow(EngineError);
    }
    const globals = JSON.parse("[1]") as Record<string, unknown>;
    await expect(Engine.load(bundle, { globals })).rejects.toThrow("`globals` must be an object");
  });
});
