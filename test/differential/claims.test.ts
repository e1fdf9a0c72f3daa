/**
 * Claims against the real Cerbos: the same tokens, signed by the same key, read by the same expressions. Skipped where
 * the binary is not installed; what it answered is recorded in test/support/claim-shapes.ts, which runs everywhere.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TokenVerifier } from "../../runtime/aux-data/token-verifier.ts";
import { type Engine, RequestError } from "../../runtime/index.ts";
import { type Cerbos, findCerbos, INSTALL_CERBOS, startCerbos } from "../support/cerbos.ts";
import { CLAIM_SHAPES } from "../support/claim-shapes.ts";
import { CORE_IS_BUILT, engineOf } from "../support/engines.ts";
import { auxDataOptions, inlineKeys, type SigningKey, signingKey, signToken } from "../support/tokens.ts";

/**
 * Read by both; an action each. Messages as values of a macro variable are left out: unset fields of those differ, see
 * docs/differences.md.
 */
const EXPRESSIONS = [
  "request.auxData",
  "request.aux_data.jwt",
  "request.auxData.jwts",
  "request",
  "[has(request.auxData), has(request.auxData.jwt), has(request.auxData.jwts)]",
  "[has(request.auxData.jwts.a), has(request.auxData.jwts.a.claims), has(request.auxData.jwts.a.claims.iss)]",
  "request.auxData.jwts.a.claims",
  "request.auxData.jwts['b'].claims.iss",
  "request.auxData.jwts.zz.claims",
  "request.auxData.jwt.zz",
  "[size(request.auxData.jwt), size(request.auxData.jwts)]",
  "request.auxData.jwts.map(k, k).sort()",
  "request.auxData.jwts.transformList(k, v, k == 'a', v.claims)",
  "timestamp(request.auxData.jwt.exp).getFullYear()",
  "now() < timestamp(request.auxData.jwt.exp)",
  "'x' in request.auxData.jwt.aud",
  "request.auxData.jwt.roles.exists(r, r == 'admin') && P.id == request.auxData.jwt.sub",
  "request.auxData.jwt.n + 1.0",
  "request.auxData.?jwt.?aud.orValue([])",
];

const POLICY = JSON.stringify({
  apiVersion: "api.cerbos.dev/v1",
  resourcePolicy: {
    resource: "doc",
    version: "default",
    rules: EXPRESSIONS.map((expression, index) => ({
      actions: [`a${index}`],
      effect: "EFFECT_ALLOW",
      roles: ["user"],
      output: { when: { ruleActivated: expression } },
    })),
  },
});

interface Answered {
  readonly results: readonly {
    readonly outputs?: readonly {
      readonly action?: string;
      readonly val?: unknown;
      readonly error?: string;
    }[];
  }[];
}

/** Outputs by action. */
function outputsOf(answer: Answered): unknown {
  return Object.fromEntries(
    (answer.results[0]?.outputs ?? []).map(({ action = "", val, error }) => [action, error ?? val]),
  );
}

const requestWith = (auxData: object, actions: readonly string[]) => ({
  principal: { id: "p", roles: ["user"] },
  resources: [{ actions, resource: { kind: "doc", id: "1" } }],
  auxData: { ...auxData },
});

const SKIP =
  findCerbos() === undefined ? INSTALL_CERBOS : CORE_IS_BUILT ? undefined : "the core is not built";

describe.skipIf(SKIP !== undefined)(SKIP === undefined ? "claims" : `claims (${SKIP})`, () => {
  let directory: string;
  let cerbos: Cerbos;
  let engine: Engine;
  let key: SigningKey;

  beforeAll(async () => {
    key = await signingKey("ES256", "k");
    directory = await mkdtemp(join(tmpdir(), "edict-claims-"));
    await writeFile(join(directory, "doc.json"), POLICY);
    const data = Buffer.from(JSON.stringify(key.jwk)).toString("base64");
    cerbos = await startCerbos(directory, {
      auxData: { jwt: { keySets: [{ id: "keys", local: { data } }] } },
    });
    engine = await engineOf([{ path: "doc.json", text: POLICY }], {
      onError: "compatible",
      tokens: await TokenVerifier.start(auxDataOptions(inlineKeys(key.jwk))),
    });
  });
  afterAll(async () => {
    await cerbos.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const both = async (auxData: object, actions: readonly string[]) => {
    const request = requestWith(auxData, actions);
    const asked = await cerbos.check(request);
    const answered = await engine.checkAsync(request).then(outputsOf, (error: unknown) => {
      if (!(error instanceof RequestError)) throw error;
      return error.message;
    });
    return { edict: answered, cerbos: asked.status === 200 ? outputsOf(asked.body) : "invalid auxData" };
  };

  it.each(CLAIM_SHAPES)("$payload", async ({ payload, claims }) => {
    const jwt = { token: await signToken(key, payload) };
    const answers = await both({ jwt }, ["a1"]);
    expect(answers.cerbos).toEqual(claims === null ? "invalid auxData" : { a1: claims });
    expect(answers.edict).toEqual(answers.cerbos);
  });

  it("are read alike by expressions", async () => {
    const token = await signToken(key, {
      iss: "me",
      sub: "p",
      aud: "x",
      exp: 4_000_000_000,
      roles: ["user", "admin"],
      n: 41,
    });
    const small = await signToken(key, { iss: "you", deep: { a: [1, null, { b: true }] } });
    const actions = EXPRESSIONS.map((_, index) => `a${index}`);
    for (const auxData of [
      {},
      { jwt: { token } },
      { jwt: { token: small } },
      { jwts: { a: { token } } },
      { jwts: { a: { token: small }, b: { token, keySetId: "keys" }, "c d": { token } } },
    ]) {
      const answers = await both(auxData, actions);
      expect(answers.edict).toEqual(answers.cerbos);
    }
  });
});
