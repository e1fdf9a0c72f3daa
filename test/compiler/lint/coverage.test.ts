/** compiler/lint/coverage.ts */
import { describe, expect, it } from "vitest";
import { patternCovers, patternsCover, rolesCover } from "../../../compiler/lint/coverage.ts";

const place = { file: "a.yaml", line: 1, column: 1, path: "$" };
const owner = { name: "owner", origin: "roles", parentRoles: ["user"], place };

describe("patternCovers", () => {
  it.each([
    ["*", "anything", true],
    ["*", "view:*", true],
    ["view", "view", true],
    ["view", "edit", false],
    ["view:*", "view:public", true],
    ["view:*", "view:*", true],
    // A colon separates, so a star does not reach across it; and of two different globs nothing is certain.
    ["*:public", "view:public", true],
    ["view:*", "v*", false],
  ])("%s over %s is %s", (outer, inner, expected) => {
    expect(patternCovers(outer, inner)).toBe(expected);
  });
});

it("needs a pattern for each of the others", () => {
  expect(patternsCover(["a", "b*"], ["a", "bc"])).toBe(true);
  expect(patternsCover(["a"], ["a", "b"])).toBe(false);
});

it("covers a derived role by itself or by all of its parents", () => {
  const inner = { roles: [], derivedRoles: [owner] };
  expect(rolesCover({ roles: [], derivedRoles: [owner] }, inner)).toBe(true);
  expect(rolesCover({ roles: ["user"], derivedRoles: [] }, inner)).toBe(true);
  expect(rolesCover({ roles: ["admin"], derivedRoles: [] }, inner)).toBe(false);
  expect(rolesCover({ roles: [], derivedRoles: [owner] }, { roles: ["user"], derivedRoles: [] })).toBe(false);
});
