/** `--test-filter`: which cells it lets through. */
import { describe, expect, it } from "vitest";
import { TestFilter } from "../../../runtime/policy-test/filter.ts";

describe("a test filter", () => {
  it("lets everything through when there is none", () => {
    expect(new TestFilter().matches("suite", "anything")).toBe(true);
  });

  it("takes globs per dimension, from several filters together", () => {
    const filter = TestFilter.parse(["principal=ann,b*;action=view:*", "principal=carl"]);
    expect(["ann", "bob", "carl", "dan"].filter((name) => filter.matches("principal", name))).toEqual([
      "ann",
      "bob",
      "carl",
    ]);
    expect(["view:a", "view", "edit"].filter((name) => filter.matches("action", name))).toEqual(["view:a"]);
    expect(filter.matches("resource", "any")).toBe(true);
  });

  it.each([
    ["*", "view view:a view:a:b v.w b[c"],
    ["view*", "view"],
    ["view:*", "view:a"],
    ["view:**", "view:a view:a:b"],
    ["v?w", "v.w"],
    ["v[.]w", "v.w"],
    ["*w", "view v.w"],
    ["*:b", ""],
    ["b[c", ""],
  ])("takes the glob %s as Cerbos does", (glob, want) => {
    const filter = TestFilter.parse([`action=${glob}`]);
    const names = ["view", "view:a", "view:a:b", "v.w", "b[c"];
    expect(names.filter((name) => filter.matches("action", name)).join(" ")).toBe(want);
  });

  it("names dimensions that it does not know", () => {
    expect(() => TestFilter.parse(["bogus=1"])).toThrow('unknown filter dimension "bogus"');
  });
});
