/** AuthZEN by `edict/client`: a real daemon that wants a token, and servers that answer something else. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Client, type ClientOptions } from "../../../runtime/client/index.ts";
import { compilePolicies } from "../support/bundles.ts";
import { Daemon, IS_BUILT, POLICIES, temporaryDirectory } from "../support/daemon.ts";

const TOKEN = "client-0123456789";
/** Longer than any machine takes to answer. */
const timeoutMs = 50_000;

const asked = (id: string, isPublic: boolean) => ({
  subject: { type: "user", id: "alice" },
  action: { name: "view" },
  resource: { type: "album", id, properties: { public: isPublic, flagged: false, owner: "bob" } },
});

describe.skipIf(!IS_BUILT)("evaluations by the client", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let daemon: Daemon;
  let client: Client | null = null;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const bundle = join(directory.path, "policies.edict");
    const tokens = join(directory.path, "tokens");
    await writeFile(bundle, await compilePolicies(POLICIES));
    await writeFile(tokens, TOKEN);
    daemon = await Daemon.start("--bundle", bundle, "--auth-token-file", tokens);
  }, 120_000);
  afterEach(() => client?.close());
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  const open = (options: ClientOptions = {}): Client => {
    const headers = { Authorization: `Bearer ${TOKEN}` };
    client = new Client(daemon.address, { timeoutMs, headers, ...options });
    return client;
  };

  it.each(["http", "stream"] as const)(
    "are decided beside checks with the same token (%s)",
    async (transport) => {
      const own = open({ transport });
      expect(await own.evaluate(asked("1", true))).toEqual({ decision: true });
      expect(await own.evaluate(asked("1", false))).toEqual({ decision: false });
      const { resource, ...defaults } = asked("1", true);
      const evaluations = [{ resource }, { resource: asked("2", false).resource }, {}];
      const { evaluations: all } = await own.evaluateAll({ ...defaults, evaluations });
      expect(all.map(({ decision }) => decision)).toEqual([true, false, false]);
      expect(all[2]?.context?.error?.status).toBe(400);
      const options = { evaluations_semantic: "deny_on_first_deny" } as const;
      expect((await own.evaluateAll({ ...defaults, evaluations, options })).evaluations).toHaveLength(2);
      expect(await own.evaluateAll({ ...asked("1", true), evaluations: [] })).toEqual({
        evaluations: [{ decision: true }],
      });
      const album = { kind: "album", id: "1", attr: { public: true, flagged: false, owner: "bob" } };
      const principal = { id: "alice", roles: ["user"] };
      expect(await own.isAllowed({ principal, resource: album, action: "view" })).toBe(true);
    },
  );

  it("reject what the daemon refuses", async () => {
    const nameless = { ...asked("1", true), action: { name: "" } };
    await expect(open().evaluate(nameless)).rejects.toMatchObject({
      code: "EDICT_CLIENT_REQUEST",
      message: expect.stringContaining("`action.name`"),
    });
    await expect(open({ headers: {} }).evaluate(asked("1", true))).rejects.toThrow(/401/);
  });
});

describe("evaluations without an answer", () => {
  let server: Server | null = null;
  afterEach(() => server?.close());

  const answering = async (body: string, status = 200): Promise<string> => {
    server = createServer((_, res) =>
      res.writeHead(status, { "content-type": "application/json" }).end(body),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    return `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}`;
  };

  it.each([
    ['{"decision":"true"}', 200],
    ["{}", 200],
    ["true", 200],
    ["nonsense", 200],
    ['{"decision":true}', 500],
    ['{"results":[]}', 200],
  ])("are denied when the server says %s with %i", async (body, status) => {
    const client = new Client(await answering(body, status), { timeoutMs, retries: 0 });
    expect(await client.evaluate(asked("1", true))).toEqual({
      decision: false,
      unavailable: expect.any(String),
    });
    client.close();
  });

  it.each([
    '{"evaluations":[{"decision":true}]}',
    '{"evaluations":[{"decision":true},{"decision":true},{"decision":true}]}',
    '{"evaluations":[{"decision":true},null]}',
    '{"decision":true}',
  ])("are all denied when the server answers two with %s", async (body) => {
    const client = new Client(await answering(body), { timeoutMs, retries: 0 });
    expect(await client.evaluateAll({ ...asked("1", true), evaluations: [{}, {}] })).toEqual({
      evaluations: [{ decision: false }, { decision: false }],
      unavailable: expect.any(String),
    });
    client.close();
  });

  it("throw when the client is told to", async () => {
    const client = new Client(await answering("{}"), { timeoutMs, retries: 0, onUnavailable: "throw" });
    await expect(client.evaluate(asked("1", true))).rejects.toMatchObject({
      code: "EDICT_CLIENT_UNAVAILABLE",
    });
    client.close();
  });
});
