/** `Engine.evaluate` and its relatives: AuthZEN on objects. */
import { beforeAll, describe, expect, it } from "vitest";
import { TokenVerifier } from "../../../runtime/aux-data/token-verifier.ts";
import { type Engine, RequestError, TokenError } from "../../../runtime/index.ts";
import { BUILD_CORE, CORE_IS_BUILT, engineOf } from "../../support/engines.ts";
import { auxDataOptions, inlineKeys, type SigningKey, signingKey, signToken } from "../../support/tokens.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - actions: [read]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: R.attr.public == true}}
    - actions: [edit]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: request.auxData.jwt.level > 3}}
`;

const asked = (name: string, properties: Readonly<Record<string, unknown>> = {}) => ({
  subject: { type: "user", id: "alice" },
  action: { name },
  resource: { type: "doc", id: "1", properties },
});

describe.skipIf(!CORE_IS_BUILT)(
  CORE_IS_BUILT ? "AuthZEN on objects" : `AuthZEN on objects (${BUILD_CORE})`,
  () => {
    let engine: Engine;
    let key: SigningKey;
    const contextOf = async (level: number): Promise<Record<string, unknown>> => ({
      "cerbos.auxData": { jwt: { token: await signToken(key, { level }) } },
    });

    beforeAll(async () => {
      key = await signingKey("ES256", "k");
      const tokens = await TokenVerifier.start(auxDataOptions(inlineKeys(key.jwk)));
      engine = await engineOf([{ path: "doc.yaml", text: POLICY }], {
        tokens,
        authzen: { roles: "property:cerbos.roles", reasons: "all" },
      });
    });

    it("is decided, with reasons where the options ask for them", () => {
      expect(engine.evaluate(asked("read", { public: true }))).toMatchObject({
        decision: true,
        context: { reason: expect.anything() },
      });
      expect(engine.evaluate(asked("read", { public: false }))).toMatchObject({ decision: false });
    });

    it("is decided many at a time, ending early where asked to", () => {
      const evaluations = [
        { resource: asked("read", { public: true }).resource },
        { action: { name: "" } },
        { resource: asked("read", { public: true }).resource },
      ];
      const all = engine.evaluateAll({ ...asked("read"), evaluations });
      expect(all.evaluations.map(({ decision }) => decision)).toEqual([true, false, true]);
      expect(all.evaluations[1]?.context?.error).toEqual({
        status: 400,
        message: "`action.name` is missing or empty",
      });
      const options = { evaluations_semantic: "deny_on_first_deny" } as const;
      expect(engine.evaluateAll({ ...asked("read"), options, evaluations }).evaluations).toHaveLength(2);
      expect(engine.evaluateAll({ ...asked("read"), evaluations: [] }).evaluations).toHaveLength(1);
    });

    it("throws for what nobody can decide, naming the field", () => {
      const nameless = { ...asked("read"), action: { name: "" } };
      expect(() => engine.evaluate(nameless)).toThrow(RequestError);
      expect(() => engine.evaluate(nameless)).toThrow(
        expect.objectContaining({ code: "EDICT_REQUEST_INVALID", field: "action.name" }),
      );
      expect(() =>
        engine.evaluateAll({ evaluations: [{}], options: { evaluations_semantic: "x" } as never }),
      ).toThrow("options.evaluations_semantic");
    });

    it("needs the asynchronous form for tokens that nobody has seen", async () => {
      const question = { ...asked("edit"), context: await contextOf(5) };
      expect(() => engine.evaluate(question)).toThrow("use `evaluateAsync`");
      expect(await engine.evaluateAsync(question)).toMatchObject({ decision: true });
      expect(engine.evaluate(question)).toMatchObject({ decision: true });
      expect(await engine.evaluateAsync(asked("edit"))).toMatchObject({ decision: false });
      const forged = { ...asked("edit"), context: { "cerbos.auxData": { jwt: { token: "a.b.c" } } } };
      await expect(engine.evaluateAsync(forged)).rejects.toThrow(TokenError);
    });

    it("decides items that bring tokens of their own", async () => {
      const evaluations = [
        { context: await contextOf(5) },
        { context: await contextOf(1) },
        {},
        { context: { "cerbos.auxData": { jwt: { token: "a.b.c" } } } },
      ];
      const request = { ...asked("edit"), evaluations };
      expect(() => engine.evaluateAll(request)).toThrow("use `evaluateAllAsync`");
      const answers = await engine.evaluateAllAsync(request);
      expect(answers.evaluations.map(({ decision }) => decision)).toEqual([true, false, false, false]);
      expect(answers.evaluations[3]?.context?.error?.message).toBe("invalid auxData");
    });
  },
);
