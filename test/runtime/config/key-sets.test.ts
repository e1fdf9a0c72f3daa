/** `auxData.jwt` of a configuration: what is read, and what is wrong with what is not. */
import { describe, expect, it } from "vitest";
import { DEFAULT_AUX_DATA } from "../../../runtime/aux-data/options.ts";
import { readConfig } from "../../../runtime/config/load.ts";

const read = (jwt: unknown) =>
  readConfig(JSON.stringify({ auxData: { jwt } }), "edict.yaml", [], {}).config.auxData;
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("auxData.jwt", () => {
  it("has defaults, with which every token is refused", () => {
    expect(readConfig(null, "", [], {}).config.auxData).toEqual(DEFAULT_AUX_DATA);
    expect(read({})).toEqual(DEFAULT_AUX_DATA);
    expect(DEFAULT_AUX_DATA).toMatchObject({ keySets: [], disableVerification: false });
  });

  it("reads every key of Cerbos", () => {
    const config = read({
      disableVerification: true,
      acceptableTimeSkew: "1m30s",
      cacheSize: 5,
      keySets: [
        { id: "file", local: { file: "/keys.jwk" } },
        {
          id: "pem",
          local: { data: base64("text"), pem: true },
          insecure: { optionalAlg: true, optionalKid: true },
        },
        { id: "remote", remote: { url: "https://issuer.example/keys" } },
        { id: "often", remote: { url: "http://issuer.example/keys", refreshInterval: "5m" } },
      ],
    });
    const strict = { optionalAlg: false, optionalKid: false };
    expect(config).toEqual({
      disableVerification: true,
      acceptableTimeSkew: 90,
      cacheSize: 5,
      keySets: [
        { id: "file", source: { kind: "file", file: "/keys.jwk", pem: false }, ...strict },
        {
          id: "pem",
          source: { kind: "data", data: "text", pem: true },
          optionalAlg: true,
          optionalKid: true,
        },
        {
          id: "remote",
          source: { kind: "remote", url: "https://issuer.example/keys", refreshSeconds: 3600 },
          ...strict,
        },
        {
          id: "often",
          source: { kind: "remote", url: "http://issuer.example/keys", refreshSeconds: 300 },
          ...strict,
        },
      ],
    });
  });

  it.each([
    ["a map", { id: "a" }, "must be a list"],
    ["neither source", [{ id: "a" }], "exactly one of `local` and `remote`"],
    [
      "both sources",
      [{ local: { file: "x" }, remote: { url: "http://x/" } }],
      "exactly one of `local` and `remote`",
    ],
    ["an empty local source", [{ local: {} }], "exactly one of `local.data` and `local.file`"],
    [
      "two local sources",
      [{ local: { data: "AAAA", file: "x" } }],
      "exactly one of `local.data` and `local.file`",
    ],
    ["what is no base64", [{ local: { data: "{}" } }], "base64"],
    ["an unknown key", [{ id: "a", locale: {} }], "unknown key `locale`"],
    ["an unknown key in a source", [{ local: { file: "x", pam: true } }], "unknown key `pam`"],
    ["a flag that is text", [{ local: { file: "x" }, insecure: { optionalAlg: "yes" } }], "true or false"],
    ["a URL of another kind", [{ remote: { url: "file:///etc/passwd" } }], "http or https URL"],
    ["a short interval", [{ remote: { url: "http://x/", refreshInterval: "10ms" } }], "at least `1s`"],
    [
      "an id twice",
      [
        { id: "a", local: { file: "x" } },
        { id: "a", local: { file: "y" } },
      ],
      "`a` twice (entry 1)",
    ],
  ])("refuses %s, with the place", (_, keySets, problem) => {
    expect(() => read({ keySets })).toThrow(problem);
    expect(() => read({ keySets })).toThrow(/edict\.yaml:1:\d+: `auxData\.jwt\.keySets`/u);
  });

  it("refuses a negative skew and a cache beyond its range", () => {
    expect(() => read({ acceptableTimeSkew: "-5s" })).toThrow("acceptableTimeSkew");
    expect(() => read({ cacheSize: -1 })).toThrow("cacheSize");
    expect(() => read({ cacheSize: 1e9 })).toThrow("cacheSize");
  });
});
