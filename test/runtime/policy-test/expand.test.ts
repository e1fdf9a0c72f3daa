/** Tests become pairs of a principal and a resource, or the reason why not. */
import { describe, expect, it } from "vitest";
import { expandTest } from "../../../runtime/policy-test/expand.ts";
import { readSuite } from "../../../runtime/policy-test/read-suite.ts";

/** The pairs of the only test of a suite, as `principal resource: action effect ...`. */
function expanded(input: string, ...expected: readonly string[]): string[] {
  const { suite, problems } = readSuite(`name: s
principals: {ann: {id: ann, roles: [user]}, bob: {id: bob, roles: [user]}}
resources: {one: {kind: a, id: "1"}, two: {kind: a, id: "2"}}
principalGroups: {all: {principals: [ann, bob]}}
resourceGroups: {all: {resources: [one, two, gone]}, both: {resources: [one, two]}}
tests:
  - name: t
    input: ${input}
    expected: [${expected.join(", ")}]
`);
  expect(problems).toEqual([]);
  const [test] = suite?.tests ?? [];
  if (suite === null || test === undefined) throw new Error("the suite was not read");
  return expandTest(test, [suite.fixtures]).map(
    ({ principalName, resourceName, expected: effects }) =>
      `${principalName} ${resourceName}: ${[...effects].map((pair) => pair.join(" ")).join(", ")}`,
  );
}

describe("a test", () => {
  it("asks every principal about every resource, and expects DENY where it says nothing", () => {
    const input = "{principalGroups: [all], principals: [ann], resources: [two, one], actions: [view, edit]}";
    const pairs = expanded(input, "{principal: bob, resource: one, actions: {edit: EFFECT_ALLOW}}");
    expect(pairs).toEqual([
      "ann two: view EFFECT_DENY, edit EFFECT_DENY",
      "ann one: view EFFECT_DENY, edit EFFECT_DENY",
      "bob two: view EFFECT_DENY, edit EFFECT_DENY",
      "bob one: view EFFECT_DENY, edit EFFECT_ALLOW",
    ]);
  });

  const ALLOW = "actions: {view: EFFECT_ALLOW}";
  it.each([
    [
      "{principals: [ann], resources: [gone], actions: [view]}",
      `{principal: ann, resource: gone, ${ALLOW}}`,
      'resource "gone" not found',
    ],
    [
      "{principals: [ann], resourceGroups: [none], actions: [view]}",
      `{principal: ann, resource: one, ${ALLOW}}`,
      'resource group "none" not found',
    ],
    [
      "{principals: [ann], resources: [one], actions: [view], auxData: x}",
      `{principal: ann, resource: one, ${ALLOW}}`,
      'auxData "x" not found',
    ],
    [
      "{principals: [ann], resources: [one], actions: [edit]}",
      `{principal: ann, resource: one, ${ALLOW}}`,
      "found expectations for actions that do not exist in the input actions list: [view]",
    ],
  ])("refuses %s", (input, expected, want) => {
    expect(() => expanded(input, expected)).toThrow(`invalid test "t": ${want}`);
  });

  it("looks at expectations before it looks up what they are about, as Cerbos does", () => {
    const input = "{principals: [ann], resources: [gone], actions: [view]}";
    expect(() => expanded(input, `{principal: ann, resource: one, ${ALLOW}}`)).toThrow(
      'found an expectation for principal "ann" and resource "one", but at least one of these is not present in input',
    );
  });

  it("refuses expectations that contradict each other, and accepts those that repeat each other", () => {
    const input = "{principals: [ann], resourceGroups: [both], actions: [view]}";
    const deny = "{principal: ann, resource: one, actions: {view: EFFECT_DENY}}";
    const allow = `{principal: ann, resourceGroups: [both], ${ALLOW}}`;
    expect(expanded(input, allow, allow)).toHaveLength(2);
    expect(() => expanded(input, allow, deny)).toThrow(
      'found inconsistent expectations for principal "ann" performing action "view" on resource "one"',
    );
  });
});
