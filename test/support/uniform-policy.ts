/**
 * Policies that answer everything about resources of one kind alike: one whose effect changes shows
 * which version decided.
 */
import type { SourceFile } from "../../compiler/index.ts";

/** A policy with one rule, which answers everything about resources of a kind alike. */
export function uniformPolicy(kind: string, effect: "ALLOW" | "DENY"): string {
  return `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${kind}
  version: default
  rules: [{actions: ["*"], effect: EFFECT_${effect}, roles: ["*"]}]
`;
}

/** The same as a policy set. */
export function uniformSources(kind: string, effect: "ALLOW" | "DENY"): readonly SourceFile[] {
  return [{ path: `${kind}.yaml`, text: uniformPolicy(kind, effect) }];
}
