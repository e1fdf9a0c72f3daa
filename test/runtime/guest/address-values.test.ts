/** `ip()` and `cidr()` values in an engine: the texts of their errors, texts of any length, and sets of them large enough to be hashed. */
import { describe, expect, it } from "vitest";
import { EXPRESSION_REQUEST, expressionPolicy, rowResults } from "../../differential/expression-table.ts";
import { ask, engineOf } from "../../support/engines.ts";

/** What the engine answers for each expression: the value or the text of the error. */
async function resultsOf(
  exprs: readonly string[],
  attr: Readonly<Record<string, string>> = {},
): Promise<unknown[]> {
  const engine = await engineOf([expressionPolicy(exprs.map((expr) => ({ expr })))]);
  const request = structuredClone(EXPRESSION_REQUEST);
  Object.assign(request.principal, { attr: { ...request.principal.attr, ...attr } });
  const answer = ask(engine, request, "json");
  if (!("response" in answer)) throw new Error(answer.failure);
  const results = rowResults(answer.response.results[0]?.outputs ?? []);
  expect(engine.traps).toBe(0);
  return exprs.map((_, index) => results.get(index)?.val ?? results.get(index)?.error);
}

describe("a text that is refused", () => {
  it.each([
    ["ip", "10.0.0.256", 'IP Address "10.0.0.256" parse error during conversion from string'],
    ["ip", "", 'IP Address "" parse error during conversion from string'],
    ["ip", "%eth0", 'IP Address "%eth0" parse error during conversion from string'],
    ["ip", "fe80::1%", 'IP Address "fe80::1%" parse error during conversion from string'],
    ["ip", "10.0.0.1%eth0", 'IP Address "10.0.0.1%eth0" parse error during conversion from string'],
    ["ip", "fe80::1%eth0", 'IP address "fe80::1%eth0" with zone value is not allowed'],
    ["ip", "::ffff:1.2.3.4%eth0", 'IP address "::ffff:1.2.3.4%eth0" with zone value is not allowed'],
    ["ip", "::FFFF:1.2.3.4", 'IPv4-mapped IPv6 address "::FFFF:1.2.3.4" is not allowed'],
    ["cidr", "10.0.0.0/08", 'CIDR "10.0.0.0/08" parse error during conversion from string'],
    ["cidr", "::ffff:1.2.3.4/129", 'CIDR "::ffff:1.2.3.4/129" parse error during conversion from string'],
    ["cidr", "fe80::1%eth0/64", 'CIDR "fe80::1%eth0/64" parse error during conversion from string'],
    ["cidr", "::ffff:1.2.3.4/0", 'IPv4-mapped IPv6 address "::ffff:1.2.3.4/0" is not allowed'],
  ])("is named, %s(%j)", async (name, text, error) => {
    const given = JSON.stringify(text);
    const member = `cidr("::/0").contains${name.toUpperCase()}(${given})`;
    const canonical = name === "ip" ? [`ip.isCanonical(${given})`] : [];
    const exprs = [`string(${name}(dyn(${given})))`, member, ...canonical];
    expect(await resultsOf(exprs)).toEqual(exprs.map(() => error));
  });

  it("may be of any length", async () => {
    const long = "0".repeat(100_000);
    const attr = {
      zone: `fe80::1%${long}`,
      zeros: `10.0.0.0/${long}`,
      groups: `${long}::`,
      dots: ".".repeat(70),
    };
    const exprs = Object.keys(attr).flatMap((name) => [
      `isIP(P.attr.${name})`,
      `isCIDR(P.attr.${name})`,
      `[P.attr.${name}].exists(t, string(ip(t)) == t) || true`,
      `[P.attr.${name}].exists(t, string(cidr(t)) == t) || true`,
    ]);
    expect(await resultsOf(exprs, attr)).toEqual(Object.keys(attr).flatMap(() => [false, false, true, true]));
  });
});

describe("many addresses", () => {
  it("are told apart and found again", async () => {
    const addresses = "lists.range(40).map(i, ip('2001:db8::' + string(i % 20)))";
    const ranges = "lists.range(33).map(i, cidr('10.0.0.0/' + string(i)))";
    expect(
      await resultsOf([
        `${addresses}.distinct().size()`,
        `ip('2001:DB8:0::7') in ${addresses}`,
        `sets.contains(${addresses}, [ip('2001:db8::19'), ip('2001:db8::0')])`,
        `sets.contains(${addresses}, [ip('2001:db8::20')])`,
        `${ranges}.distinct().size()`,
        `hasIntersection(${ranges}, [cidr('10.0.0.0/31')])`,
        `hasIntersection(${ranges}, [cidr('10.0.0.1/31')])`,
      ]),
    ).toEqual([20, true, true, false, 33, true, false]);
  });
});
