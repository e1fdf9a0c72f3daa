/** The unmodified `@cerbos/http` client, as applications have it, against the daemon. */
import { join } from "node:path";
import { HTTP } from "@cerbos/http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SigningKey, signingKey, signToken } from "../../support/tokens.ts";
import { Daemon, IS_BUILT, temporaryDirectory, writeFiles } from "../support/daemon.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: report
  version: default
  importDerivedRoles: [people]
  rules:
    - name: staff-read
      actions: [read]
      effect: EFFECT_ALLOW
      roles: [staff]
      output:
        when:
          ruleActivated: '{"seen": R.id, "count": 2, "list": [true, null]}'
          conditionNotMet: '"not for you"'
      condition:
        match:
          expr: R.attr.level <= 3 && R.attr.tags.exists(t, t == "open")
    - name: author-edits
      actions: ["edit:*"]
      effect: EFFECT_ALLOW
      derivedRoles: [author]
    - name: auditors-export
      actions: [export]
      effect: EFFECT_ALLOW
      roles: [staff]
      condition:
        match:
          expr: '"audit" in request.auxData.jwt.groups'
`;

const SCOPED = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: report
  version: default
  scope: acme
  rules:
    - name: acme-forbids
      actions: [read]
      effect: EFFECT_DENY
      roles: ["*"]
`;

const PEOPLE = `apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: people
  definitions:
    - name: author
      parentRoles: [staff]
      condition:
        match:
          expr: R.attr.author == P.id
`;

const alice = { id: "alice", roles: ["staff"], attr: { region: "eu" } };
const report = (id: string, level: number, more: object = {}) => ({
  kind: "report",
  id,
  attr: { level, tags: ["open", "new"], author: "bob", ...more },
});

describe.skipIf(!IS_BUILT)("the client of Cerbos", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let daemon: Daemon;
  let client: HTTP;
  let key: SigningKey;

  const tokenFor = async (groups: readonly string[]) => ({
    jwt: { token: await signToken(key, { groups }), keySetId: "keys" },
  });

  beforeAll(async () => {
    directory = await temporaryDirectory();
    key = await signingKey("ES256", "k");
    await writeFiles(directory.path, {
      "policies/report.yaml": POLICY,
      "policies/acme.yaml": SCOPED,
      "policies/people.yaml": PEOPLE,
      "keys.json": JSON.stringify(key.jwk),
      "config.json": JSON.stringify({
        auxData: { jwt: { keySets: [{ id: "keys", local: { file: join(directory.path, "keys.json") } }] } },
        storage: { disk: { directory: join(directory.path, "policies") } },
      }),
    });
    daemon = await Daemon.start("--config", join(directory.path, "config.json"));
    client = new HTTP(daemon.address);
  });

  afterAll(async () => {
    await daemon.stop();
    await directory.remove();
  });

  it("checks many resources", async () => {
    const response = await client.checkResources({
      requestId: "abc",
      principal: alice,
      resources: [
        { resource: report("1", 1), actions: ["read", "edit:title"] },
        { resource: report("2", 9, { author: "alice" }), actions: ["read", "edit:title"] },
      ],
    });
    expect(response.requestId).toBe("abc");
    expect(response.cerbosCallId).toMatch(/^[0-9A-Z]{26}$/);
    expect(response.isAllowed({ resource: report("1", 1), action: "read" })).toBe(true);
    expect(response.isAllowed({ resource: report("1", 1), action: "edit:title" })).toBe(false);
    expect(response.isAllowed({ resource: report("2", 9), action: "read" })).toBe(false);
    expect(response.isAllowed({ resource: report("2", 9), action: "edit:title" })).toBe(true);
    expect(response.isAllowed({ resource: report("3", 1), action: "read" })).toBeUndefined();
    expect(response.allAllowed(report("1", 1))).toBe(false);
  });

  it("checks one resource, and one action, also for a principal kept", async () => {
    const one = await client.checkResource({
      principal: alice,
      resource: report("1", 1),
      actions: ["read", "export"],
    });
    expect(one.allowedActions()).toEqual(["read"]);
    expect(await client.isAllowed({ principal: alice, resource: report("1", 1), action: "read" })).toBe(true);
    expect(await client.isAllowed({ principal: alice, resource: report("1", 7), action: "read" })).toBe(
      false,
    );
    const asAlice = client.withPrincipal(alice);
    expect(await asAlice.isAllowed({ resource: report("1", 1), action: "read" })).toBe(true);
  });

  it("gets metadata when it asks", async () => {
    const request = {
      principal: alice,
      resource: { ...report("1", 1, { author: "alice" }), scope: "acme" },
      actions: ["read", "edit:title"],
    };
    const { metadata, resource } = await client.checkResource({ ...request, includeMetadata: true });
    expect(resource.scope).toBe("acme");
    expect(metadata?.actions["read"]).toEqual({
      matchedPolicy: "resource.report.vdefault/acme",
      matchedScope: "acme",
    });
    expect(metadata?.actions["edit:title"]).toEqual({
      matchedPolicy: "resource.report.vdefault/acme",
      matchedScope: "",
    });
    expect(metadata?.effectiveDerivedRoles).toEqual(["author"]);
    expect((await client.checkResource(request)).metadata).toBeUndefined();
  });

  it("gets outputs", async () => {
    const { outputs } = await client.checkResource({
      principal: alice,
      resource: report("1", 1),
      actions: ["read"],
    });
    expect(outputs).toEqual([
      {
        source: "resource.report.vdefault#staff-read",
        value: { seen: "1", count: 2, list: [true, null] },
        action: "read",
      },
    ]);
    const other = await client.checkResource({
      principal: alice,
      resource: report("1", 9),
      actions: ["read"],
    });
    expect(other.output("resource.report.vdefault#staff-read")).toBe("not for you");
  });

  it("passes tokens", async () => {
    const question = { principal: alice, resource: report("1", 1), action: "export" };
    expect(await client.isAllowed({ ...question, auxData: await tokenFor(["audit"]) })).toBe(true);
    expect(await client.isAllowed({ ...question, auxData: await tokenFor(["sales"]) })).toBe(false);
    expect(await client.isAllowed(question)).toBe(false);
    await expect(
      client.isAllowed({ ...question, auxData: { jwt: { token: "a.b.c" } } }),
    ).rejects.toMatchObject({ name: "NotOK", code: 3, details: expect.stringContaining("auxData") });
  });

  it("asks for version and health", async () => {
    const info = await client.serverInfo();
    expect(Object.keys(info).toSorted()).toEqual(["buildDate", "commit", "version"]);
    expect(info.version).not.toBe("");
    expect(await client.checkHealth()).toEqual({ status: "SERVING" });
  });

  it("gets errors in its own form", async () => {
    const invalid = [
      client.checkResource({
        principal: { id: "", roles: ["staff"] },
        resource: report("1", 1),
        actions: ["read"],
      }),
      client.checkResource({
        principal: { id: "a", roles: [] },
        resource: report("1", 1),
        actions: ["read"],
      }),
      client.checkResource({ principal: alice, resource: report("1", 1), actions: ["read", "read"] }),
      client.checkResources({
        principal: alice,
        resources: Array.from({ length: 51 }, (_, index) => ({
          resource: report(`${index}`, 1),
          actions: ["read"],
        })),
      }),
    ];
    for (const answer of await Promise.allSettled(invalid)) {
      expect(answer).toMatchObject({ status: "rejected", reason: { name: "NotOK", code: 3 } });
    }
    // What is not there yet is an error, never a decision.
    await expect(
      client.planResources({ principal: alice, resource: { kind: "report" }, action: "read" }),
    ).rejects.toMatchObject({ name: "NotOK" });
    const nobody = new HTTP("http://127.0.0.1:1");
    await expect(
      nobody.isAllowed({ principal: alice, resource: report("1", 1), action: "read" }),
    ).rejects.toMatchObject({ name: "NotOK" });
  });

  it("can be told to stop waiting", async () => {
    const signal = AbortSignal.abort();
    await expect(
      client.isAllowed({ principal: alice, resource: report("1", 1), action: "read" }, { signal }),
    ).rejects.toThrow();
  });
});
