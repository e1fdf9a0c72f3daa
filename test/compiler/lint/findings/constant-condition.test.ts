/** compiler/lint/findings/constant-condition.ts and compiler/lint/constant-value.ts */
import { describe, expect, it } from "vitest";
import { resourcePolicy } from "../../policy/policies.ts";
import { findings } from "../reviewing.ts";

const judge = (match: string): string[] => {
  const rule = `    - {actions: [view], roles: [user], effect: EFFECT_ALLOW, condition: {match: ${match}}}\n`;
  const names =
    "  variables: {local: {yes: 'true', own: 'R.attr.a == P.id'}}\n  constants: {local: {limit: 5}}\n";
  const used = `    - {actions: [use], roles: [user], effect: EFFECT_ALLOW, condition: {match: {expr: V.yes && V.own && R.attr.n < C.limit}}}\n`;
  return findings({ "a.yaml": resourcePolicy("album", `${names}  rules:\n${rule}${used}`) }).map((one) =>
    one.slice(0, 9),
  );
};

describe("an expression", () => {
  it.each([
    ["true", "EDICT7004"],
    ["1 < 1.5 || R.attr.a == 1", "EDICT7004"],
    ["R.attr.a == 1 || !false", "EDICT7004"],
    ["V.yes", "EDICT7004"],
    ["C.limit > 4", "EDICT7004"],
    ["R.id == R.id", "EDICT7004"],
    ['R.attr.a != "x" || R.attr.a != "y"', "EDICT7004"],
    ["C.limit > 4.0 ? 2 < 1 : R.attr.a", "EDICT7005"],
    ["false", "EDICT7005"],
    ["R.attr.a in []", "EDICT7005"],
    ['R.attr.a == "x" && R.attr.a == "y"', "EDICT7005"],
    ["R.id != R.id", "EDICT7005"],
  ])("%s is %s", (text, code) => {
    expect(judge(`{expr: '${text}'}`)).toEqual([code]);
  });

  it.each([
    "R.attr.a == 1",
    "V.own",
    "R.attr.n > C.limit",
    'R.attr.a == "x" && R.attr.b == "y"',
    "R.attr.a == R.attr.b",
  ])("%s depends on the request", (text) => {
    expect(judge(`{expr: '${text}'}`)).toEqual([]);
  });
});

it("reports the member that makes a list constant, not the list", () => {
  expect(judge("{any: {of: [{expr: R.attr.a == 1}, {expr: 'true'}]}}")).toEqual(["EDICT7004"]);
  expect(judge("{none: {of: [{expr: 'false'}]}}")).toEqual(["EDICT7005"]);
});
