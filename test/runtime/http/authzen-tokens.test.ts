/** AuthZEN requests that carry tokens: claims in conditions, roles from claims, and batches whose items bring their own. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as fc from "fast-check";
import { pack, unpack } from "msgpackr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compilePolicies } from "../support/bundles.ts";
import { type SigningKey, signingKey, signToken } from "../../support/tokens.ts";
import { Daemon, IS_BUILT, temporaryDirectory, writeFiles } from "../support/daemon.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - actions: [read]
      effect: EFFECT_ALLOW
      roles: ["*"]
      condition: {match: {expr: '"readers" in request.auxData.jwt.groups'}}
    - actions: [own]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: R.attr.owner == P.id}}
    - actions: [audit]
      effect: EFFECT_ALLOW
      roles: [auditors]
`;

const MSGPACK = { "content-type": "application/msgpack" };
const JSON_TYPE = { "content-type": "application/json" };

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Decision = { readonly decision: boolean };

const contextOf = (token: string): object => ({ "cerbos.auxData": { jwt: { token } } });
const messageOf = ({ body }: Answer): string => (body as { message: string }).message;

describe.skipIf(!IS_BUILT)("AuthZEN requests with tokens", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let config: string;
  let key: SigningKey;
  let daemon: Daemon;
  let serial = 0;
  const fresh = (groups: readonly string[]): Promise<string> =>
    signToken(key, { groups, jti: `${serial++}` });

  beforeAll(async () => {
    directory = await temporaryDirectory();
    key = await signingKey("ES256", "k");
    await writeFiles(directory.path, { "keys.json": JSON.stringify(key.jwk) });
    const bundle = join(directory.path, "policies.edict");
    await writeFile(bundle, await compilePolicies({ "doc.yaml": POLICY }));
    config = join(directory.path, "edict.json");
    const keySets = [{ id: "local", local: { file: join(directory.path, "keys.json") } }];
    await writeFile(
      config,
      JSON.stringify({
        auxData: { jwt: { keySets } },
        storage: { bundle: { file: bundle } },
        server: { requestLimits: { maxBodyBytes: 65_536 } },
      }),
    );
    daemon = await Daemon.start("--config", config);
  }, 120_000);
  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  const ask = async (body: unknown, path: string, format: "json" | "msgpack" = "json"): Promise<Answer> => {
    const [headers, bytes] =
      format === "json" ? [JSON_TYPE, JSON.stringify(body)] : ([MSGPACK, pack(body)] as const);
    const reply = await daemon.request("POST", path, headers, bytes);
    const isJson = reply.headers["content-type"] === "application/json";
    return { status: reply.status, body: isJson ? reply.json() : unpack(reply.body) };
  };
  const evaluate = (body: unknown, format?: "json" | "msgpack"): Promise<Answer> =>
    ask(body, "/access/v1/evaluation", format);
  const evaluateAll = (body: unknown, format?: "json" | "msgpack"): Promise<Answer> =>
    ask(body, "/access/v1/evaluations", format);

  const read = {
    subject: { type: "user", id: "alice" },
    action: { name: "read" },
    resource: { type: "doc", id: "1", properties: { owner: "alice" } },
  };
  const own = { ...read, action: { name: "own" } };

  it("decides by their claims, the first time and again, and leaves nothing behind", async () => {
    for (const format of ["json", "msgpack"] as const) {
      const context = contextOf(await fresh(["readers"]));
      const other = contextOf(await fresh(["writers"]));
      for (let round = 0; round < 2; round++) {
        expect((await evaluate({ ...read, context }, format)).body).toEqual({ decision: true });
        expect((await evaluate(read, format)).body).toEqual({ decision: false });
        expect((await evaluate({ ...read, context: other }, format)).body).toEqual({ decision: false });
      }
    }
  });

  it("refuses tokens that it cannot accept, without saying why", async () => {
    const refused = { status: 400, body: { code: 3, message: "invalid auxData", details: [] } };
    expect(await evaluate({ ...read, context: contextOf("a.b.c") })).toEqual(refused);
    const expired = await signToken(key, { groups: ["readers"], exp: 1 });
    expect(await evaluate({ ...read, context: contextOf(expired) })).toEqual(refused);
    expect(await evaluateAll({ ...read, context: contextOf(expired) })).toEqual(refused);
    const error = { decision: false, context: { error: { status: 400, message: "invalid auxData" } } };
    for (const format of ["json", "msgpack"] as const) {
      const spoilt = { ...own, evaluations: [{}, { context: contextOf(expired) }, {}] };
      const answers = { evaluations: [{ decision: true }, error, { decision: true }] };
      expect(await evaluateAll(spoilt, format)).toEqual({ status: 200, body: answers });
    }
  });

  it("decides a batch by the token of all, and of the one item that has one", async () => {
    const context = contextOf(await fresh(["readers"]));
    const shared = { ...read, context, evaluations: [{}, { context: { plain: 1 } }, {}] };
    expect((await evaluateAll(shared)).body).toEqual({
      evaluations: [{ decision: true }, { decision: false }, { decision: true }],
    });
    const single = { ...read, evaluations: [{}, { context }, { action: own.action }] };
    for (const format of ["json", "msgpack"] as const) {
      expect((await evaluateAll(single, format)).body).toEqual({
        evaluations: [{ decision: false }, { decision: true }, { decision: true }],
      });
    }
  });

  it("decides items with different tokens as each is decided alone", async () => {
    const tokens = [
      await fresh(["readers"]),
      await fresh(["writers"]),
      await fresh([]),
      await signToken(key, { groups: ["readers"], exp: 1 }),
    ];
    // null counts as absent.
    const contexts = fc.constantFrom<object | null>(
      null,
      { plain: 'x, ] } " [ {' },
      ...tokens.map(contextOf),
    );
    const item = fc.record(
      {
        context: contexts,
        action: fc.constantFrom({ name: "read" }, { name: "own" }, {}),
        resource: fc.constantFrom(
          { type: "doc", id: "1", properties: { owner: "alice", 'a\\"]': [[], {}, "]"] } },
          { type: "doc", id: "1", properties: { owner: "bob" } },
          { type: "doc" },
        ),
      },
      { requiredKeys: [] },
    );
    const semantic = fc.constantFrom("execute_all", "deny_on_first_deny", "permit_on_first_permit");
    const format = fc.constantFrom("json", "msgpack");
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { minLength: 1, maxLength: 6 }),
        contexts,
        semantic,
        format,
        async (items, context, name, form) => {
          const defaults = { ...read, context };
          const body = { ...defaults, options: { evaluations_semantic: name }, evaluations: items };
          const answer = await evaluateAll(body, form);
          const alone: Decision[] = [];
          for (const one of items) {
            const single = await evaluate({ ...defaults, ...one, context: one.context ?? context }, form);
            const decided =
              single.status === 200
                ? (single.body as Decision)
                : { decision: false, context: { error: { status: 400, message: messageOf(single) } } };
            alone.push(decided);
            if (name !== "execute_all" && decided.decision === (name === "permit_on_first_permit")) break;
          }
          expect(answer).toEqual({ status: 200, body: { evaluations: alone } });
        },
      ),
      { numRuns: 80 },
    );
  });

  it("refuses to decide one by one what would be too much", async () => {
    const evaluations = await Promise.all(
      Array.from({ length: 40 }, async () => ({ context: contextOf(await fresh(["readers"])) })),
    );
    const body = { ...read, evaluations };
    const answers = await evaluateAll(body);
    expect(answers.body).toEqual({ evaluations: evaluations.map(() => ({ decision: true })) });
    const large = { ...body, context: { note: "x".repeat(20_000) } };
    expect(await evaluateAll(large)).toMatchObject({
      status: 400,
      body: { code: 3, message: expect.stringContaining("one by one") },
    });
    expect(await daemon.json("/healthz")).toMatchObject({ traps: 0 });
  });

  it("takes roles from a claim where the deployment says so", async () => {
    const other = await Daemon.start("--config", config, "--set", "authzen.roles=token:groups");
    try {
      const audit = { ...read, action: { name: "audit" } };
      const post = async (body: unknown): Promise<unknown> => {
        const reply = await other.request("POST", "/access/v1/evaluation", JSON_TYPE, JSON.stringify(body));
        return reply.json();
      };
      const token = await fresh(["auditors"]);
      expect(await post({ ...audit, context: contextOf(token) })).toEqual({ decision: true });
      expect(await post({ ...audit, context: contextOf(await fresh(["readers"])) })).toEqual({
        decision: false,
      });
      const claimed = {
        ...audit,
        subject: { type: "auditors", id: "x", properties: { "cerbos.roles": ["auditors"] } },
      };
      expect(await post(claimed)).not.toMatchObject({ decision: true });
    } finally {
      expect(await other.stop()).toBe(0);
    }
  });
});
