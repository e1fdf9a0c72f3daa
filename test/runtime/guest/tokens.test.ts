/** `Engine` and requests with tokens: who verifies, what each form of check answers, and that claims never outlive a request. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMAT_JSON, STATUS_AUX_DATA, STATUS_INVALID_REQUEST, STATUS_OK } from "../../../assembly/abi.ts";
import { readClaims } from "../../../runtime/aux-data/claims.ts";
import { TokenVerifier } from "../../../runtime/aux-data/token-verifier.ts";
import { type Engine, RequestError, STATUS_TOO_LARGE } from "../../../runtime/index.ts";
import { BUILD_CORE, bundleOf, CORE_IS_BUILT, loadEngine } from "../../support/engines.ts";
import { auxDataOptions, inlineKeys, type SigningKey, signingKey, signToken } from "../../support/tokens.ts";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  rules:
    - name: editors
      actions: [edit]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: {match: {expr: "request.auxData.jwt.level > R.attr.level"}}
      output: {when: {ruleActivated: request.auxData.jwt}}
`;

const request = (auxData?: object, levels: readonly number[] = [1]) => ({
  principal: { id: "p", roles: ["user"] },
  resources: levels.map((level, id) => ({
    actions: ["edit"],
    resource: { kind: "doc", id: `${id}`, attr: { level } },
  })),
  ...(auxData === undefined ? {} : { auxData: { ...auxData } }),
});
const effects = ({ results }: ReturnType<Engine["check"]>) =>
  results.map(({ actions }) => actions["edit"]?.slice("EFFECT_".length));
const loneSurrogate = fc.constantFrom("\ud800", "\udfff", "x", "\u0000");
const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "tokens" : `tokens (${BUILD_CORE})`, () => {
  let key: SigningKey;
  let bundle: Uint8Array;
  let engine: Engine;
  const decide = (claims: Uint8Array, asked: unknown): number =>
    engine.decide(encode(asked), FORMAT_JSON, FORMAT_JSON, 0, claims);
  beforeAll(async () => {
    key = await signingKey("ES256", "k");
    bundle = await bundleOf([{ path: "doc.yaml", text: POLICY }]);
    engine = await loadEngine(bundle, {
      tokens: await TokenVerifier.start(auxDataOptions(inlineKeys(key.jwk))),
    });
  });

  it("need checkAsync the first time, and say so", async () => {
    const asked = request({ jwt: { token: await signToken(key, { level: 5 }) } });
    expect(() => engine.check(asked)).toThrow("use `checkAsync`");
    expect(effects(await engine.checkAsync(asked))).toEqual(["ALLOW"]);
    expect(effects(engine.check(asked))).toEqual(["ALLOW"]);
    expect(effects(await engine.checkAsync(request()))).toEqual(["DENY"]);
  });

  it("are explained", async () => {
    const asked = request({ jwt: { token: await signToken(key, { level: 5 }) } }, [1, 9]);
    const { results } = await engine.explainAsync(asked);
    expect(results.map(({ actions }) => actions[0]?.effect)).toEqual(["EFFECT_ALLOW", "EFFECT_DENY"]);
  });

  it("are refused by an engine that has no keys", async () => {
    const plain = await loadEngine(bundle);
    const asked = request({ jwt: { token: await signToken(key, {}) } });
    expect(() => plain.check(asked)).toThrow("invalid auxData");
    await expect(plain.checkAsync(asked)).rejects.toThrow(RequestError);
  });

  it("are not verified for a request that is refused anyway", async () => {
    const jwt = { token: "nonsense" };
    const asked = { ...request({ jwt }), principal: { id: "", roles: ["user"] } };
    await expect(engine.checkAsync(asked)).rejects.toThrow("principal.id");
    await expect(engine.checkAsync(request({ jwt, jwts: { a: jwt } }))).rejects.toThrow("Only one of");
  });

  it("serve every resource of a batch, and outputs", async () => {
    const asked = request(
      { jwt: { token: await signToken(key, { level: 5, deep: { a: [1, "é"] } }) } },
      [1, 9, 2],
    );
    const answer = await engine.checkAsync(asked);
    expect(effects(answer)).toEqual(["ALLOW", "DENY", "ALLOW"]);
    for (const index of [0, 2]) {
      expect(answer.results[index]?.outputs?.[0]).toMatchObject({ val: { level: 5, deep: { a: [1, "é"] } } });
    }
  });

  it("may be left out where claims are taken on trust", () => {
    expect(effects(engine.checkWithClaims(request(), { jwt: { level: 3 } }))).toEqual(["ALLOW"]);
    expect(effects(engine.checkWithClaims(request(), { jwts: {} }))).toEqual(["DENY"]);
    expect(effects(engine.check(request()))).toEqual(["DENY"]);
  });

  describe("claims at the guest", () => {
    it("hold for one call, whatever its outcome", () => {
      const claims = encode({ jwt: { level: 5 } });
      expect(decide(claims, request())).toBe(STATUS_OK);
      expect(effects(engine.check(request()))).toEqual(["DENY"]);
      expect(decide(claims, { ...request(), resources: [] })).toBe(STATUS_INVALID_REQUEST);
      expect(effects(engine.check(request()))).toEqual(["DENY"]);
      expect(engine.traps).toBe(0);
    });

    it("are refused when they are no map, too deep or too long", () => {
      for (const text of [
        "[]",
        "1",
        "{",
        '{"a":1,"a":2}',
        "{} x",
        `{"a":${"[".repeat(80)}${"]".repeat(80)}}`,
      ]) {
        expect(decide(new TextEncoder().encode(text), request())).toBe(STATUS_AUX_DATA);
      }
      expect(decide(new Uint8Array(1024 * 1024 + 1), request())).toBe(STATUS_TOO_LARGE);
      expect(engine.traps).toBe(0);
      expect(effects(engine.check(request()))).toEqual(["DENY"]);
    });

    it("are taken whatever a payload holds, or its token is refused before", () => {
      const text = fc.string({ unit: "binary" });
      const payload = fc.dictionary(
        fc.oneof(text, fc.constantFrom("aud", "exp", "nbf", "iat", "iss", "sub", "__proto__")),
        fc.oneof(fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }), text, fc.double(), fc.integer()),
      );
      fc.assert(
        fc.property(payload, fc.string({ unit: loneSurrogate }), (claims, odd) => {
          // JSON.stringify writes what UTF-8 cannot hold as an escape, as a hostile issuer may.
          const bytes = encode({ ...claims, [`odd${odd}`]: odd });
          let read: string;
          try {
            read = readClaims(bytes).text;
          } catch {
            return true;
          }
          return decide(new TextEncoder().encode(`{"jwt":${read}}`), request()) === STATUS_OK;
        }),
        { numRuns: 2000 },
      );
      expect(engine.traps).toBe(0);
    });

    it("fit behind the largest body", async () => {
      const small = await loadEngine(bundle, { maxBodyBytes: 1024 });
      const body = encode(request());
      const padded = Buffer.concat([body, Buffer.alloc(1024 - body.byteLength, " ")]);
      const claims = encode({ jwt: { level: 5, filler: "x".repeat(1024 * 1024 - 100) } });
      expect(small.decide(padded, FORMAT_JSON, FORMAT_JSON, 0, claims)).toBe(STATUS_OK);
      expect(JSON.parse(new TextDecoder().decode(small.output()))).toMatchObject({
        results: [{ actions: { edit: "EFFECT_ALLOW" } }],
      });
    });
  });
});
