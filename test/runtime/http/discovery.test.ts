/** AuthZEN metadata: whose addresses it names, and what of a request may say so. */
import { describe, expect, it } from "vitest";
import { DEFAULT_DISCOVERY, Discovery, type DiscoveryOptions } from "../../../runtime/http/discovery.ts";
import type { HttpRequest } from "../../../runtime/http/uws.ts";

const WELL_KNOWN = "/.well-known/authzen-configuration";

const get = (headers: Record<string, string>, url = WELL_KNOWN): HttpRequest => ({
  getHeader: (name) => headers[name] ?? "",
  getUrl: () => url,
  getMethod: () => "get",
  getQuery: () => "",
});

/** The identifier in the answer, or the status of a refusal. */
function identifier(
  options: Partial<DiscoveryOptions>,
  headers: Record<string, string>,
  url = WELL_KNOWN,
  isTls = false,
): unknown {
  const reply = new Discovery({ ...DEFAULT_DISCOVERY, ...options }, isTls).answer(get(headers, url));
  if (reply.status !== "200 OK") return Number(reply.status.slice(0, 3));
  const body = JSON.parse(reply.body) as Record<string, unknown>;
  expect(reply.contentType).toBe("application/json");
  return body["policy_decision_point"];
}

/** The identifier at a path behind the well-known one. */
const at = (path: string, options: Partial<DiscoveryOptions> = {}): unknown =>
  identifier(options, { host: "pdp.example" }, WELL_KNOWN + path, true);

const linesOf = (options: DiscoveryOptions): string | undefined =>
  new Discovery(options, true).answer(get({ host: "a" })).lines;

describe("Discovery", () => {
  it("names the endpoints", () => {
    const { body } = new Discovery(DEFAULT_DISCOVERY, true).answer(get({ host: "pdp.example" }));
    expect(JSON.parse(body)).toEqual({
      policy_decision_point: "https://pdp.example",
      access_evaluation_endpoint: "https://pdp.example/access/v1/evaluation",
      access_evaluations_endpoint: "https://pdp.example/access/v1/evaluations",
      search_subject_endpoint: "https://pdp.example/access/v1/search/subject",
      search_resource_endpoint: "https://pdp.example/access/v1/search/resource",
      search_action_endpoint: "https://pdp.example/access/v1/search/action",
      capabilities: expect.arrayContaining(["urn:x-edict:authzen:evaluations-semantics"]),
    });
  });

  it.each([
    ["pdp.example", "http://pdp.example"],
    ["pdp.example:8443", "http://pdp.example:8443"],
    ["127.0.0.1:3592", "http://127.0.0.1:3592"],
    ["[::1]:3592", "http://[::1]:3592"],
    ["", 400],
    ["a b", 400],
    ["evil.example/path", 400],
    ["evil.example?x", 400],
    ["user@evil.example", 400],
    ['evil.example"', 400],
    ["pdp.example:", 400],
    ["x".repeat(300), 400],
  ])("reads Host %j", (host, expected) => {
    expect(identifier({}, { host })).toBe(expected);
  });

  it("believes a proxy as far as it is told to", () => {
    const forwarded = {
      host: "inner",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "pdp.example, inner",
    };
    expect(identifier({}, forwarded)).toBe("https://inner");
    expect(identifier({}, { ...forwarded, "x-forwarded-proto": "http" }, WELL_KNOWN, true)).toBe(
      "https://inner",
    );
    expect(identifier({ trustForwarded: true }, forwarded)).toBe("https://pdp.example");
    expect(identifier({ trustForwarded: true }, { ...forwarded, "x-forwarded-proto": "HTTPS, http" })).toBe(
      "https://pdp.example",
    );
    expect(identifier({ trustForwarded: true }, { ...forwarded, "x-forwarded-proto": "javascript" })).toBe(
      "http://pdp.example",
    );
    expect(identifier({ trustForwarded: true }, { ...forwarded, "x-forwarded-host": "a/b" })).toBe(400);
    expect(identifier({ trustForwarded: true }, { host: "inner" })).toBe("http://inner");
    expect(identifier({ trustForwarded: true, baseUrl: "https://fixed.example" }, forwarded)).toBe(
      "https://fixed.example",
    );
  });

  it("puts the path of the well-known address into the identifier", () => {
    expect(at("/tenant1")).toBe("https://pdp.example/tenant1");
    expect(at("/a/b-c/")).toBe("https://pdp.example/a/b-c");
    expect(at("/")).toBe("https://pdp.example");
    for (const path of ["/..", "/a/../b", "/.", "//evil", "/a%2fb", '/a"b', `/${"x".repeat(65)}`, "x"]) {
      expect([path, at(path)]).toEqual([path, 404]);
    }
    const baseUrl = "https://pdp.example/edict";
    expect(at("", { baseUrl })).toBe(baseUrl);
    expect(at("/edict", { baseUrl })).toBe(baseUrl);
    expect(at("/other", { baseUrl })).toBe(404);
    expect(at("/tenant1", { baseUrl: "https://fixed.example" })).toBe("https://fixed.example/tenant1");
  });

  it("may be kept by shared caches only when no header has a say in it", () => {
    expect(linesOf(DEFAULT_DISCOVERY)).toBe("\r\nCache-Control: private, max-age=3600");
    expect(linesOf({ ...DEFAULT_DISCOVERY, baseUrl: "https://a" })).toBe(
      "\r\nCache-Control: public, max-age=3600",
    );
  });
});
