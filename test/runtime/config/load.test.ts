/** Configuration files: Cerbos's keys keep their meaning, mistakes are reported with their place, nothing unsafe is ignored. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_AUX_DATA } from "../../../runtime/aux-data/options.ts";
import { ConfigError } from "../../../runtime/errors.ts";
import { type Config, DEFAULT_CONFIG } from "../../../runtime/config/config.ts";
import { readConfig } from "../../../runtime/config/load.ts";

const ENVIRONMENT = { PORT: "4000", SECRET: "s", LIMIT: "7", INJECT: "x\nserver: {foo: 1}" };

function load(text: string, overrides: string[] = []): Config {
  return readConfig(text, "edict.yaml", overrides, ENVIRONMENT).config;
}

function problems(text: string, overrides: string[] = []): string[] {
  try {
    readConfig(text, "edict.yaml", overrides, ENVIRONMENT);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return error instanceof Error ? error.message.split("\n") : [];
  }
  return [];
}

const warnings = (text: string): readonly string[] =>
  readConfig(text, "edict.yaml", [], ENVIRONMENT).warnings;

describe("readConfig", () => {
  it("has Cerbos's defaults, and listens on this machine only without a file", () => {
    const { config } = readConfig(null, "", [], {});
    expect(config.server.addresses).toEqual([{ kind: "tcp", host: "127.0.0.1", port: 3592 }]);
    expect(config.policies).toEqual({ kind: "directory", directory: "policies", watch: false });
    expect(config.engine).toMatchObject({ onError: "fail-closed", maxActionsPerResource: 50 });
    expect(load("").server.addresses).toEqual([{ kind: "tcp", host: "", port: 3592 }]);
  });

  it("reads every supported key", () => {
    const config = load(`
server:
  httpListenAddr: "127.0.0.1:9000"
  udsFileMode: 0o660
  threads: 3
  cors: { allowedOrigins: ["https://App.example"], allowedHeaders: [X-One], maxAge: 1m30s }
  requestLimits: { maxActionsPerResource: 5, maxResourcesPerRequest: 600, maxPairsPerRequest: 800, maxBodyBytes: 65536 }
  batches: { workers: 3, minBytes: 20000 }
  overload: { maxDelay: 100ms, maxBufferedBytes: 33554432 }
  search: { maxCandidates: 5000 }
  auth: { tokenFile: tokens }
  tls: { cert: edict.pem, key: edict.key, caCert: clients.pem }
directory: { files: [people.ndjson], maxEntities: 1000, maxBytes: 2097152 }
authzen: { roles: "token:groups", reasons: denied, baseUrl: "https://pdp.example/edict", trustForwarded: true }
engine:
  defaultPolicyVersion: v2
  defaultScope: acme.hr
  globals: { env: prod, list: [1, true, null] }
  lenientScopeSearch: true
  onError: strict
schema: { enforcement: reject, cacheSize: 10 }
storage: { driver: disk, disk: { directory: ./p, watchForChanges: true } }
bundle:
  verifyKeys: [a.jwk, b.jwk]
  tokenFile: token
  natsCredentials: edict.creds
  pollInterval: 10s
  maxBytes: 1000000
  stateDir: state
  staleAfter: 1m
  failClosedAfter: 1h
  allowRollbackTo: 0123456789ab
`);
    expect(config).toEqual({
      server: {
        addresses: [{ kind: "tcp", host: "127.0.0.1", port: 9000 }],
        cors: {
          disabled: false,
          allowedOrigins: ["https://app.example"],
          allowedHeaders: ["x-one"],
          maxAgeSeconds: 90,
        },
        socketMode: 0o660,
        threads: 3,
        batches: { workers: 3, minBytes: 20_000 },
        overload: { maxDelayMs: 100, maxBufferedBytes: 33_554_432 },
        search: { maxCandidates: 5000 },
        accessTokens: "tokens",
        tls: { certificate: "edict.pem", key: "edict.key", clientAuthorities: "clients.pem" },
        discovery: { baseUrl: "https://pdp.example/edict", trustForwarded: true },
      },
      policies: { kind: "directory", directory: "./p", watch: true },
      engine: {
        onError: "strict",
        schemaEnforcement: "reject",
        defaultPolicyVersion: "v2",
        defaultScope: "acme.hr",
        lenientScopeSearch: true,
        globals: { env: "prod", list: [1, true, null] },
        maxActionsPerResource: 5,
        maxResourcesPerRequest: 600,
        maxPairsPerRequest: 800,
        maxBodyBytes: 65_536,
        authzen: { roles: "token:groups", reasons: "denied" },
      },
      auxData: DEFAULT_AUX_DATA,
      bundle: {
        verifyKeys: ["a.jwk", "b.jwk"],
        tokenFile: "token",
        natsCredentials: "edict.creds",
        pollIntervalMs: 10_000,
        maxBytes: 1_000_000,
        stateDir: "state",
        staleAfterMs: 60_000,
        failClosedAfterMs: 3_600_000,
        allowRollbackTo: "0123456789ab",
      },
      directory: { files: ["people.ndjson"], maxEntities: 1000, maxBytes: 2_097_152 },
      admin: DEFAULT_CONFIG.admin,
      shadow: DEFAULT_CONFIG.shadow,
    });
  });

  it("takes bundles from files, URLs and NATS, and never a secret in an address", () => {
    const sourceOf = (source: string): unknown => load(`bundle: {source: "${source}"}`).policies;
    expect(sourceOf("a.edict")).toEqual({ kind: "bundle", file: "a.edict" });
    expect(sourceOf("https://a.example/b?c=d#e")).toEqual({ kind: "url", url: "https://a.example/b?c=d" });
    expect(sourceOf("nats://a.example/policies/live/eu")).toEqual({
      kind: "nats",
      object: { server: "a.example:4222", tls: false, bucket: "policies", object: "live/eu" },
    });
    expect(sourceOf("tls://[::1]:1/policies/live")).toMatchObject({
      object: { server: "[::1]:1", tls: true },
    });
    for (const wrong of ["ftp://a/b", "nats://a/b", "nats:///b/c", "https://u:p@a/b", "nats://u:p@a/b/c"]) {
      expect(problems(`bundle: {source: "${wrong}"}`)).toHaveLength(1);
      expect(problems(`bundle: {source: "${wrong}"}`)[0]).not.toContain("u:p");
    }
    expect(problems("bundle: {source: a.edict}\nstorage: {driver: disk}")[0]).toContain("both say where");
    expect(problems("bundle: {failClosedAfter: 10ms, pollInterval: 1ms}")).toHaveLength(2);
    expect(load("bundle: {staleAfter: 0s}").bundle.staleAfterMs).toBeNull();
  });

  it("reads JSON", () => {
    expect(load('{"engine":{"strictEvaluation":true}}').engine.onError).toBe("strict");
  });

  it("takes an explicit strictEvaluation: false for Cerbos's historical behaviour", () => {
    expect(load("engine: {strictEvaluation: false}").engine.onError).toBe("compatible");
    expect(load("engine: {}").engine.onError).toBe("fail-closed");
    expect(problems("engine: {strictEvaluation: false, onError: strict}")[0]).toMatch(/remove one of them/);
  });

  it("expands variables in values, unquoted ones to numbers too", () => {
    expect(load("server: {httpListenAddr: '127.0.0.1:${PORT}'}").server.addresses).toEqual([
      { kind: "tcp", host: "127.0.0.1", port: 4000 },
    ]);
    expect(
      load("server:\n  requestLimits:\n    maxActionsPerResource: ${LIMIT}").engine.maxActionsPerResource,
    ).toBe(7);
    expect(
      load("server:\n  requestLimits:\n    maxActionsPerResource: ${NO:9}").engine.maxActionsPerResource,
    ).toBe(9);
    expect(load("engine: {globals: {price: $$5}}").engine.globals).toEqual({ price: "$5" });
    expect(problems("storage:\n  disk:\n    directory: ${NO}")).toEqual([
      "edict.yaml:3:16: environment variable `NO` is not set",
    ]);
  });

  it("keeps whole numbers that no double has", () => {
    const { globals } = load(
      "engine: {globals: {big: 9007199254740993, most: +18446744073709551615, n: 5}}",
    ).engine;
    expect(globals).toEqual({ big: 9007199254740993n, most: 2n ** 64n - 1n, n: 5 });
  });

  it("lets no variable add keys", () => {
    expect(load("storage:\n  disk:\n    directory: ${INJECT}").policies).toMatchObject({
      directory: ENVIRONMENT.INJECT,
    });
  });

  it("applies --set on top, inventing sections as needed", () => {
    const config = load("engine: {defaultScope: a}", [
      "engine.defaultScope=b",
      "server.requestLimits.maxActionsPerResource=3",
      "server.cors.allowedOrigins=[https://a.example]",
    ]);
    expect(config.engine).toMatchObject({ defaultScope: "b", maxActionsPerResource: 3 });
    expect(config.server.cors.allowedOrigins).toEqual(["https://a.example"]);
    expect(problems("", ["nonsense"])).toEqual(["--set: `nonsense` is not of the form a.b=value"]);
    expect(problems("", ["server.foo=1"])).toEqual(["--set: unknown key `server.foo`"]);
    expect(problems("", ["a..b=1"])[0]).toMatch(/not of the form/);
  });

  it("reports all problems, each with its place", () => {
    expect(
      problems(`server:
  httpListenAddr: nowhere
  HttpListenAddr: ":1"
  requestLimits:
    maxActionsPerResource: 501
engine:
  lenientScopeSearch: maybe
  onError: loudly
bogus: 1
`),
    ).toEqual([
      "edict.yaml:3:3: unknown key `server.HttpListenAddr`, did you mean `httpListenAddr`",
      "edict.yaml:7:23: `engine.lenientScopeSearch` must be true or false",
      "edict.yaml:9:1: unknown key `bogus`",
      expect.stringMatching(
        /^edict\.yaml:2:19: `server\.httpListenAddr` is invalid: `nowhere` is not an address/,
      ),
      "edict.yaml:8:12: `engine.onError` must be one of fail-closed, compatible, strict",
      "edict.yaml:5:28: `server.requestLimits.maxActionsPerResource` must be from 1 to 500",
    ]);
  });

  it("refuses what would be unsafe to ignore", () => {
    expect(problems("server: {tls: {cert: a}}")[0]).toMatch(/`server.tls.key` are needed/);
    expect(problems("server: {tls: {caCert: a}}")[0]).toMatch(/`server.tls.caCert` is not enough/);
    expect(problems('server: {auth: {tokenFile: ""}}')[0]).toMatch(/must name a file/);
    expect(problems("schema: {enforcement: maybe}")[0]).toMatch(/must be one of none, warn, reject/);
    expect(problems("storage: {driver: git}")[0]).toMatch(/only `disk` and `bundle`/);
  });

  it.each([
    ["roles: property", "must be `property:<name>`, `type` or `token:<claim>`"],
    ['roles: "claim:groups"', "must be `property:<name>`, `type` or `token:<claim>`"],
    [`roles: "token:${"x".repeat(257)}"`, "must be `property:<name>`, `type` or `token:<claim>`"],
    ["reasons: some", "must be one of none, denied, all"],
    ["baseUrl: pdp.example", "is not a URL such as `https://pdp.example.com`"],
    ['baseUrl: "ftp://pdp.example"', "must begin with `https://`"],
    ['baseUrl: "https://a:b@pdp.example"', "must not hold credentials"],
    ['baseUrl: "https://pdp.example?x"', "must have no query and no fragment"],
    [
      'baseUrl: "https://pdp.example/"',
      "must be written as `https://host[:port][/path]`, in lower case, without a final slash",
    ],
    [
      'baseUrl: "https://PDP.example"',
      "must be written as `https://host[:port][/path]`, in lower case, without a final slash",
    ],
  ])("refuses authzen: {%s}", (setting, reason) => {
    const key = setting.slice(0, setting.indexOf(":"));
    const [problem = "", ...others] = problems(`authzen: {${setting}}`);
    expect(others).toEqual([]);
    expect(problem).toMatch(/^edict\.yaml:1:\d+: /);
    expect(problem.replace(/^edict\.yaml:1:\d+: /, "")).toBe(`\`authzen.${key}\` ${reason}`);
  });

  it("names known but unsupported keys in warnings, unless they ask for nothing", () => {
    expect(
      warnings("audit: {enabled: true}\nserver: {grpcListenAddr: ':1', playgroundEnabled: false}"),
    ).toEqual([
      "edict.yaml:1:9: `audit.enabled` is not supported yet",
      "edict.yaml:2:10: `server.grpcListenAddr` is not supported yet: there is no gRPC server yet",
    ]);
    expect(warnings("telemetry: {disabled: true}")).toEqual([]);
  });

  it("reports YAML mistakes with their place", () => {
    expect(problems("server: [unclosed")[0]).toMatch(/^edict\.yaml:1:\d+: /);
    expect(problems("engine: {}\nengine: {}")[0]).toMatch(/^edict\.yaml:2:1: /);
    expect(problems("- a list")[0]).toMatch(/not a map/);
    expect(problems("server: 5")).toEqual(["edict.yaml:1:9: `server` must be a map"]);
  });

  it("is not taken in by the names of object properties", () => {
    expect(problems("constructor: 1\n__proto__: 2\nserver: {toString: 3}")).toHaveLength(3);
  });

  it("bounds anchors that multiply", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 9; level++) {
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(", ")}]`);
    }
    expect(problems(`engine:\n  globals:\n${lines.map((line) => `    ${line}`).join("\n")}`)[0]).toMatch(
      /too large/,
    );
  });

  it("ends in a configuration or in a ConfigError for any text", () => {
    const word = fc.constantFrom(
      "server",
      "engine",
      "storage",
      ":",
      "{",
      "}",
      "[",
      "]",
      "\n",
      "  ",
      "- ",
      "&a",
      "*a",
      "${",
      "}",
      "!!x",
      "1",
      "true",
      "|",
      ">",
      "'",
      '"',
      "#",
      "?",
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 30 }), (words) => {
        try {
          readConfig(words.join(""), "fuzz", [], {});
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
