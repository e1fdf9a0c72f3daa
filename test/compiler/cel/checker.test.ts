/** compiler/cel/checker.ts and its parts: types of expressions and what is refused. */
import { describe, expect, it } from "vitest";
import { checkText } from "../../../compiler/cel/checker.ts";
import { typeText } from "../../../compiler/cel/types.ts";

/** Type of the expression, or the codes of its problems. */
function typeOrCodes(text: string): string {
  const { expr, problems } = checkText(text);
  return expr === undefined ? problems.map(({ code }) => code).join(" ") : typeText(expr.type);
}

const ANY_MAP = "map(string, dyn)";

describe("names of the request", () => {
  it.each([
    ["request", "cerbos.engine.v1.Request"],
    ["request.principal == P", "bool"],
    ["P.id + R.kind + R.id + P.scope + R.policy_version", "string"],
    ["P.roles", "list(string)"],
    ["P.attr", ANY_MAP],
    ["P.attr.a.b.c", "dyn"],
    ["request.aux_data.jwt", ANY_MAP],
    ["request.auxData.jwts.a.claims", ANY_MAP],
    ["runtime.effective_derived_roles", "list(string)"],
    ["G.anything.at.all", "dyn"],
    ["V.a + C.b", "dyn"],
    ["now()", "timestamp"],
    ["int", "type"],
    ["google.protobuf.Timestamp == type(now())", "bool"],
    ["request.wat", "EDICT3021"],
    ["P.kind", "EDICT3021"],
    ["R.roles", "EDICT3021"],
    ["request.auxData.jwts.a.sub", "EDICT3021"],
    ["runtime.derivedRoles", "EDICT3021"],
    ["has(request.wat)", "EDICT3021"],
    ["P.id.length", "EDICT3022"],
    ["hierarchy('a').b", "EDICT3022"],
    ["wat", "EDICT3020"],
    [".wat", "EDICT3020"],
    ["V", "cerbos.Variables"],
    ["C == V", "bool"],
    ["dyn(V)", "dyn"],
    ["type(P) == cerbos.engine.v1.Request.Principal", "bool"],
    ['V["a"]', "EDICT3032"],
    ["C[R.id]", "EDICT3032"],
    ['V[?"a"]', "EDICT3032"],
    ['"a" in V', "EDICT3032"],
    ["size(C)", "EDICT3031"],
    ["V.all(k, true)", "EDICT3036"],
    ['G["a"]', "EDICT3032"],
    ["V.?a", "optional_type(dyn)"],
    ["google.protobuf.Value", "EDICT3034"],
    ["google.protobuf.Int32Value{value: 1}", "int"],
    ["google.protobuf.Int32Value{nope: 1}", "EDICT3021"],
    ['google.protobuf.Int32Value{value: "a"}', "EDICT3035"],
    ["google.protobuf.Int32Value{} == null", "bool"],
    ["google.protobuf.Any{}", "EDICT3034"],
  ])("%s", (text, type) => {
    expect(typeOrCodes(text)).toBe(type);
  });
});

describe("operators", () => {
  it.each([
    ["1 + 2", "int"],
    ["1u * 2u", "uint"],
    ["P.attr.a + 1", "int"],
    ["P.attr.a + P.attr.b", "dyn"],
    ["P.attr.a - now()", "duration"],
    ["now() - P.attr.a", "dyn"],
    ["now() + duration('1s')", "timestamp"],
    ["[1] + [P.attr.a]", "list(dyn)"],
    ["[] + [1]", "list(int)"],
    ["-P.attr.a", "dyn"],
    ["1 < 2.0 && 1u >= 2 && 1.0 > 2u", "bool"],
    ["1 == P.attr.a", "bool"],
    ["now() == null", "bool"],
    ["optional.of(1) != null", "bool"],
    ["1 in [1] && 'a' in P.attr", "bool"],
    ["P.attr.a[0]", "dyn"],
    ["{'a': 1}['a']", "int"],
    ["[1][?0]", "optional_type(int)"],
    ["P.attr.?a.b", "optional_type(dyn)"],
    ["P.attr.?a[0]", "dyn"],
    ["true ? [] : [1]", "list(int)"],
    ["true ? P.attr.a : 1", "dyn"],
    ["1 + 1.0", "EDICT3032"],
    ["1 == 1.0", "EDICT3032"],
    ["1 == null", "EDICT3032"],
    ["[1] == ['a']", "EDICT3032"],
    ["1 in [1.0]", "EDICT3032"],
    ["1 in P.attr", "EDICT3032"],
    ["'a' < 1", "EDICT3032"],
    ["[] < []", "EDICT3032"],
    ["!1", "EDICT3032"],
    ["-'a'", "EDICT3032"],
    ["true ? 1 : 'a'", "EDICT3032"],
    ["P.id ? 1 : 2", "EDICT3032"],
    ["1 && true", "EDICT3035"],
    ["true || P.id || 1", "EDICT3035 EDICT3035"],
    ["[1, 2]['a']", "EDICT3032"],
  ])("%s", (text, type) => {
    expect(typeOrCodes(text)).toBe(type);
  });
});

describe("aggregates", () => {
  it.each([
    ["[1, 2]", "list(int)"],
    ["[1, 'a', true]", "list(dyn)"],
    ["[[], [1]]", "list(list(int))"],
    ["[]", "list(dyn)"],
    ["{}", "map(dyn, dyn)"],
    ["{1: 'a', 2: 3}", "map(int, dyn)"],
    ["[?optional.of(1), 2]", "list(int)"],
    ["{?'a': P.attr.?b}", ANY_MAP],
    ["[now(), null]", "list(null)"],
    ["[?1]", "EDICT3035"],
    ["{?'a': 1}", "EDICT3035"],
  ])("%s", (text, type) => {
    expect(typeOrCodes(text)).toBe(type);
  });
});

describe("functions", () => {
  it.each([
    ["size(P.attr.a)", "int"],
    ["'a'.split(',')", "list(string)"],
    ["P.attr.a.reverse()", "dyn"],
    ["'a'.reverse()", "string"],
    ["[1].first()", "optional_type(int)"],
    ["[3, 1].sort()", "list(int)"],
    ["[[1], [2]].flatten()", "list(int)"],
    ["math.greatest(1, 2.0)", "dyn"],
    ["math.greatest([1u])", "uint"],
    ["math.least(1, 2, 3)", "int"],
    ["optional.of(1).or(optional.none())", "optional_type(int)"],
    ["hierarchy('a.b')[0]", "string"],
    ["timeSince(P.attr.a) > duration('1h')", "bool"],
    ["string(null)", "string"],
    ["dyn(1)", "dyn"],
    ["foo(1)", "EDICT3030"],
    ["P.attr.a.foo()", "EDICT3030"],
    ["cel.block([1], 1)", "EDICT3030"],
    ["wat.size()", "EDICT3020"],
    ["size()", "EDICT3031"],
    ["size(1)", "EDICT3031"],
    ["'a'.charAt('b')", "EDICT3031"],
    ["has_intersection([1], ['a'])", "EDICT3031"],
    ["inIPAddrRange('a', 'b')", "EDICT3031"],
    ["now(1)", "EDICT3031"],
    ["P.id.matches('a')", "bool"],
    ["P.id.matches('(')", "EDICT3055"],
    ["P.id.matches('(?=a)')", "EDICT3055"],
    ["matches('a', '(')", "bool"],
    ["P.id.matches(R.id)", "bool"],
    ["spiffeID('a').path()", "string"],
    ["spiffeTrustDomain('a').id()", "string"],
    ["spiffeID('a').trustDomain()", "cerbos.lib.spiffeTrustDomain"],
    ["spiffeMatchOneOf([spiffeID('a'), 'b'])", "cerbos.lib.spiffeMatcher"],
    ["spiffeMatchAny().matchesID('a')", "bool"],
    ["spiffeMatchAny(P.attr.a)", "EDICT3031"],
    ["spiffeMatchOneOf('a')", "EDICT3031"],
    ["spiffeMatchTrustDomain(spiffeID('a'))", "EDICT3031"],
    ["spiffeID(spiffeID('a'))", "EDICT3031"],
    ["spiffeID('a').isMemberOf('a')", "EDICT3031"],
    ["spiffeID('a').id()", "EDICT3031"],
    ["spiffeTrustDomain('a').path()", "EDICT3031"],
    ["P.id()", "EDICT3031"],
    ["P.attr.id()", "EDICT3031"],
    ["'a'.spiffeID()", "EDICT3031"],
    ["string(spiffeID('a'))", "EDICT3031"],
    ["spiffeID('a') == 'a'", "EDICT3032"],
    ["spiffeID('a') == spiffeTrustDomain('a')", "EDICT3032"],
    ["spiffeID('a') < spiffeID('a')", "EDICT3032"],
    ["regex.replace('a', 'b', 'c')", "string"],
    ["math.greatest('a')", "EDICT3044"],
    ["math.least([])", "EDICT3044"],
    ["math.greatest()", "EDICT3044"],
  ])("%s", (text, type) => {
    expect(typeOrCodes(text)).toBe(type);
  });
});

describe("macros", () => {
  it.each([
    ["has(P.attr.a.b)", "bool"],
    ["P.attr.a.all(x, x > 1)", "bool"],
    ["[1].exists(i, v, i == v)", "bool"],
    ["P.attr.exists_one(k, k == 'a')", "bool"],
    ["[1].existsOne(i, v, true)", "bool"],
    ["[1].map(x, string(x))", "list(string)"],
    ["{'a': 1}.map(k, k)", "list(string)"],
    ["[1].map(x, x > 0, x + 1)", "list(int)"],
    ["{1: 'a'}.filter(k, true)", "list(int)"],
    ["[1].transformList(i, v, i > 0, 'a')", "list(string)"],
    ["['a'].transformMap(i, v, v)", "map(int, string)"],
    ["{'a': 1}.transformMapEntry(k, v, {v: k})", "map(int, string)"],
    ["P.attr.a.sortBy(x, x.y)", "dyn"],
    ["P.attr.a.sortBy(x, 1)", "list(dyn)"],
    ["[P.attr.a].sortBy(x, x.y)", "list(dyn)"],
    ["P.attr.?a.optFlatMap(x, dyn(x))", "dyn"],
    ["P.attr.?a.optFlatMap(x, 1)", "EDICT3035"],
    ["[?null]", "EDICT3035"],
    ['{?"a": null}', "EDICT3035"],
    ["duration(null)", "EDICT3050"],
    ["timestamp(null)", "EDICT3051"],
    ["cel.bind(x, [1], x + x)", "list(int)"],
    ["optional.of(1).optMap(x, string(x))", "optional_type(string)"],
    ["P.attr.?a.optFlatMap(x, x.?b)", "optional_type(dyn)"],
    ["[1].exists(V, V == 1)", "bool"],
    ["[[1]].map(x, x.map(x, x))", "list(list(int))"],
    ["[1].all(x, x)", "EDICT3035"],
    ["[1].filter(x, 1)", "EDICT3035"],
    ["[1].map(x, 1, x)", "EDICT3035"],
    ["1.all(x, true)", "EDICT3036"],
    ["[1].all(x.y, true)", "EDICT3040"],
    ["cel.bind(1, 1, 1)", "EDICT3040"],
    ["has(P)", "EDICT3041"],
    ["has(P.attr['a'])", "EDICT3041"],
    ["has(P.attr.?a)", "EDICT3041"],
    ["[1].all(x, x, true)", "EDICT3042"],
    ["[1].map(__result__, 1)", "EDICT3043"],
    ["{}.sortBy(x, x)", "EDICT3045"],
    ["[1].sortBy(x, [x])", "EDICT3035"],
    ["P.attr.sortBy(x, x)", "EDICT3035"],
    ["[1].transformMapEntry(i, v, 1)", "EDICT3035"],
    ["optional.of(1).optFlatMap(x, x)", "EDICT3035"],
    ["P.attr.optMap(x, x)", "EDICT3035"],
    ["[1].existsOne(v, true)", "EDICT3020 EDICT3030"],
    ["has(V.a)", "bool"],
  ])("%s", (text, type) => {
    expect(typeOrCodes(text)).toBe(type);
  });
});

describe("literal arguments", () => {
  it.each([
    ["duration('1h30m')", "duration"],
    ["duration('1d')", "EDICT3050"],
    ["timestamp('2026-02-29T00:00:00Z')", "EDICT3051"],
    ["timestamp(253402300800)", "EDICT3051"],
    ["'%d of %s'.format([1, P.id])", "string"],
    ["'%d'.format([P.id])", "EDICT3053"],
    ["'%d %d'.format([1])", "EDICT3053"],
    ["'%z'.format([1])", "EDICT3053"],
    ["'a'.inIPAddrRange('not a range')", "bool"],
    ["cidr('10.0.0.0/8').containsIP('not an address')", "bool"],
    ["ip.isCanonical('not an address')", "bool"],
    ["ip('2001:DB8::1.2.3.4')", "net.IP"],
    ["ip('1:2:3:4:5:6:7::')", "net.IP"],
    ["cidr('10.0.0.1/0')", "net.CIDR"],
    ["cidr('::1/128')", "net.CIDR"],
    ["ip('')", "EDICT3052"],
    ["ip('garbage')", "EDICT3052"],
    ["ip('1.2.3')", "EDICT3052"],
    ["ip('1.2.3.4.5')", "EDICT3052"],
    ["ip('01.2.3.4')", "EDICT3052"],
    ["ip('1.2.3.256')", "EDICT3052"],
    ["ip('::ffff:1.2.3.4')", "EDICT3052"],
    ["ip('::FFFF:1.2.3.4')", "EDICT3052"],
    ["ip('fe80::1%eth0')", "EDICT3052"],
    ["ip('fe80::1%')", "EDICT3052"],
    ["ip('1.2.3.4%eth0')", "EDICT3052"],
    ["ip('::ffff:1.2.3.4%eth0')", "EDICT3052"],
    ["ip('1.2.3.4/8')", "EDICT3052"],
    ["ip(' 1.2.3.4')", "EDICT3052"],
    ["ip('1:2:3:4:5:6:7')", "EDICT3052"],
    ["ip('1::2::3')", "EDICT3052"],
    ["ip(':::')", "EDICT3052"],
    ["ip('1:2:3:4:5:6:7:8:9')", "EDICT3052"],
    ["ip('1:2:3:4::5:6:7:8')", "EDICT3052"],
    ["ip('12345::')", "EDICT3052"],
    ["ip('g::')", "EDICT3052"],
    ["ip('1.2.3.4\u0000')", "EDICT3052"],
    ["ip('[::1]')", "EDICT3052"],
    ["ip('0x1.2.3.4')", "EDICT3052"],
    ["ip('::0:ffff:1.2.3.4')", "EDICT3052"],
    ["ip('0:0:0:0:0:ffff:0102:0304')", "EDICT3052"],
    ["ip('::ffff:0:0')", "EDICT3052"],
    ["ip('1::1.2.3.4:5')", "EDICT3052"],
    ["ip('::1.2.3')", "EDICT3052"],
    ["ip('::1.2.3.04')", "EDICT3052"],
    ["ip('١.2.3.4')", "EDICT3052"],
    ["cidr('')", "EDICT3054"],
    ["matches(P.id, 'a{1001}')", "bool"],
    ["P.id.matches('(?P<n>a)(?P<n>b)')", "bool"],
    ["P.id.matches('\\\\p{greek}')", "bool"],
    ["regex.extract(P.id, '(')", "optional_type(string)"],
    ["cidr('10.0.0.0')", "EDICT3054"],
    ["cidr('10.0.0.0/')", "EDICT3054"],
    ["cidr('10.0.0.0/33')", "EDICT3054"],
    ["cidr('10.0.0.0/-1')", "EDICT3054"],
    ["cidr('10.0.0.0/+8')", "EDICT3054"],
    ["cidr('10.0.0.0/08')", "EDICT3054"],
    ["cidr('10.0.0.0/8/8')", "EDICT3054"],
    ["cidr('/8')", "EDICT3054"],
    ["cidr('10.0.0.0/8 ')", "EDICT3054"],
    ["cidr('::/129')", "EDICT3054"],
    ["cidr('::ffff:1.2.3.4/96')", "EDICT3054"],
    ["cidr('::ffff:1.2.3.4/100')", "EDICT3054"],
    ["cidr('::ffff:0:0/96')", "EDICT3054"],
    ["cidr('::ffff:0:0/95')", "EDICT3054"],
    ["cidr('::ffff:0:0/0')", "EDICT3054"],
    ["cidr('fe80::1%eth0/64')", "EDICT3054"],
    ["cidr('fe80::1%/64')", "EDICT3054"],
    ["cidr('10.0/8')", "EDICT3054"],
    ["cidr('10.0.0.0/00')", "EDICT3054"],
    ["cidr('10.0.0.0/032')", "EDICT3054"],
    ["cidr('::/000')", "EDICT3054"],
    ["cidr('10.0.0.0/1000')", "EDICT3054"],
    ["cidr('::1/1e1')", "EDICT3054"],
    ["ip('1.2.3.4') == '1.2.3.4'", "EDICT3032"],
  ])("%s", (text, type) => {
    expect(typeOrCodes(text)).toBe(type);
  });
});

describe("the typed tree", () => {
  it("names inputs by their canonical path, whatever the spelling", () => {
    for (const text of ["P.policyVersion", "request.principal.policy_version"]) {
      expect(checkText(text).expr).toMatchObject({ kind: "input", input: "principal.policyVersion" });
    }
    expect(checkText("request.aux_data.jwt.sub").expr).toMatchObject({
      kind: "select",
      operand: { kind: "input", input: "auxData.jwt" },
      field: "sub",
      optional: false,
    });
  });

  it("passes the instant of the request to timeSince", () => {
    for (const text of ["timeSince(P.attr.a)", "P.attr.a.timeSince()"]) {
      expect(checkText(text).expr).toMatchObject({
        guest: "timeSince",
        args: [{ kind: "select" }, { input: "now" }],
      });
    }
  });

  it("passes numbers to math.greatest as one list and leaves a list or a dyn as it is", () => {
    expect(checkText("math.greatest(1)").expr).toMatchObject({ args: [{ kind: "list", items: [{}] }] });
    expect(checkText("math.greatest(1, 2, 3)").expr).toMatchObject({
      args: [{ kind: "list", items: [{}, {}, {}] }],
    });
    expect(checkText("math.greatest([1, 2])").expr).toMatchObject({
      args: [{ kind: "list", items: [{}, {}] }],
    });
    expect(checkText("math.greatest(P.attr.a)").expr).toMatchObject({ args: [{ kind: "select" }] });
  });

  it("gives every local a name of its own that hides nothing", () => {
    expect(
      checkText("[1].exists(x, [x].exists(x, x == 1)) && [1].exists(x, x == P.attr.a)").expr,
    ).toMatchObject({
      args: [
        { variables: ["x"], body: { variables: ["x_2"], range: { items: [{ value: { name: "x" } }] } } },
        { variables: ["x_3"] },
      ],
    });
    expect(checkText("[1].exists(P, .P.id == string(P))").expr).toMatchObject({
      variables: ["P_2"],
      body: { args: [{ input: "principal.id" }, { args: [{ kind: "local", name: "P_2" }] }] },
    });
  });

  it("turns presence of a message field into a test for emptiness", () => {
    expect(checkText("has(P.scope)").expr).toMatchObject({
      guest: "notEquals",
      args: [{ input: "principal.scope" }, { value: { value: "" } }],
    });
    expect(checkText("has(R.attr)").expr).toMatchObject({
      guest: "notEquals",
      args: [{ guest: "size" }, {}],
    });
    expect(checkText("has(request.resource)").expr).toMatchObject({ value: { kind: "bool", value: true } });
    expect(checkText("has(P.attr.scope)").expr).toMatchObject({ kind: "has", field: "scope" });
  });

  it("marks a selection from what may be absent as optional", () => {
    expect(checkText("P.attr.?a.b").expr).toMatchObject({
      kind: "select",
      optional: true,
      operand: { optional: true },
    });
    expect(checkText("P.attr.?a[0]").expr).toMatchObject({ guest: "optionalIndex" });
    expect(checkText("P.attr.a[0]").expr).toMatchObject({ guest: "index" });
  });

  it("collects uses of variables and constants, in macros and with either spelling", () => {
    const { references } = checkText("V.a && variables.b.exists(x, x == C.c && has(constants.d))");
    expect(references.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "variable a",
      "variable b",
      "constant c",
      "constant d",
    ]);
  });

  it("reports every problem of an expression, each at its place", () => {
    const { problems } = checkText("1 + 'a' == foo() && P.wat");
    expect(problems.map(({ code, span }) => [code, span.start, span.end])).toEqual([
      ["EDICT3032", 2, 3],
      ["EDICT3030", 11, 14],
      ["EDICT3021", 22, 25],
    ]);
  });
});
