/** Requests made up for the self-test: where policies are, few, and the same whatever the order of the files. */
import { describe, expect, it } from "vitest";
import { selfTestRequests } from "../../../compiler/bundle/self-test-requests.ts";
import { plan, type SourceFile } from "../../../compiler/index.ts";

function resourcePolicy(kind: string, scope = ""): SourceFile {
  return {
    path: `${kind}${scope}.yaml`,
    text: `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${kind}
  version: default
  scope: "${scope}"
  rules:
    - actions: [view, "edit:*"]
      effect: EFFECT_ALLOW
      roles: [user, editor]
      condition:
        match:
          all:
            of:
              - expr: R.attr.status == "OPEN"
              - expr: R.attr.size <= 20
              - expr: P.attr.team in ["red", "blue"]
              - expr: R.attr.public
    - actions: [delete]
      effect: EFFECT_ALLOW
      roles: [editor]
      condition:
        match:
          expr: R.attr.status == "CLOSED"
`,
  };
}

const PRINCIPAL: SourceFile = {
  path: "alice.yaml",
  text: `apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: alice
  version: default
  rules:
    - resource: album
      actions: [{action: publish, effect: EFFECT_ALLOW}]
`,
};

const ROLE: SourceFile = {
  path: "auditor.yaml",
  text: `apiVersion: api.cerbos.dev/v1
rolePolicy:
  role: auditor
  rules:
    - resource: album
      allowActions: [audit]
`,
};

function requestsOf(sources: readonly SourceFile[]): ReturnType<typeof selfTestRequests> {
  const { program, diagnostics } = plan(sources);
  if (program === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return selfTestRequests(program);
}

describe("requests made up for the self-test", () => {
  const sources = [
    resourcePolicy("album"),
    resourcePolicy("photo"),
    resourcePolicy("album", "acme"),
    PRINCIPAL,
    ROLE,
  ];

  it("have the kinds, scopes, roles, actions and principals that policies name, and some that none names", () => {
    const requests = requestsOf(sources);
    const resources = requests.flatMap((request) => request.resources);
    const kinds = resources.map(({ resource }) => `${resource.kind} ${resource.scope}`);
    expect(new Set(kinds)).toEqual(new Set(["album ", "photo ", "album acme"]));
    expect(new Set(requests.flatMap(({ principal }) => principal.roles))).toEqual(
      new Set(["user", "editor", "auditor", "self-test"]),
    );
    expect(new Set(resources.flatMap(({ actions }) => actions))).toEqual(
      new Set(["view", "edit:self-test", "delete", "publish", "audit", "self-test"]),
    );
    expect(new Set(requests.map(({ principal }) => principal.id))).toEqual(new Set(["self-test", "alice"]));
  });

  it("have attributes as the conditions want them, and none", () => {
    const attributes = requestsOf([resourcePolicy("album")]).map(({ principal, resources }) =>
      Object.assign({}, principal.attr, resources[0]?.resource.attr),
    );
    expect(attributes).toContainEqual({ status: "OPEN", size: 20, team: "red", public: true });
    expect(attributes).toContainEqual({ status: "CLOSED", size: 20, team: "red", public: true });
    expect(attributes).toContainEqual({});
  });

  it("are the same in any order of the files", () => {
    expect(requestsOf(sources.toReversed())).toEqual(requestsOf(sources));
  });

  it("stay few however many policies there are", () => {
    const many = Array.from({ length: 300 }, (_, index) => resourcePolicy(`kind${index}`));
    expect(requestsOf(many).length).toBeLessThan(300);
  });
});
