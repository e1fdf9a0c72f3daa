/** Small policy sets for tests: texts in, what stages 1 and 2 say out. */
import type { Diagnostic } from "../../../compiler/diagnostics/diagnostic.ts";
import { load } from "../../../compiler/load/index.ts";
import { resolve } from "../../../compiler/policy/index.ts";
import type { PolicySet } from "../../../compiler/policy/policy-set.ts";

export type Files = Readonly<Record<string, string>>;

/** Runs stages 1 and 2; diagnostics of both, in their order. */
export function check(files: Files): { set: PolicySet; diagnostics: readonly Diagnostic[] } {
  const loaded = load(Object.entries(files).map(([path, text]) => ({ path, text })));
  const { set, diagnostics } = resolve(loaded);
  return { set, diagnostics: [...loaded.diagnostics, ...diagnostics] };
}

/** Each problem as `EDICT2001 file:line:column $.path`. */
export function problems(files: Files): string[] {
  return check(files).diagnostics.map(
    ({ code, place: { file, line, column, path } }) => `${code} ${file}:${line}:${column} ${path}`,
  );
}

/** Each message of a policy set, without places. */
export function messages(files: Files): string[] {
  return check(files).diagnostics.map(({ message }) => message);
}

/** A resource policy; `body` is what follows the version, each line indented by two. */
export function resourcePolicy(name: string, body = "", version = "default"): string {
  return `apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: ${name}\n  version: ${version}\n${body}`;
}

/** A resource policy whose only rule has these extra lines, each indented by six. */
export function resourceRule(extra: string): string {
  return resourcePolicy("album", `  rules:\n    - actions: [view]\n      effect: EFFECT_ALLOW\n${extra}`);
}

/** A derivedRoles policy that defines roles without conditions. */
export function derivedRoles(name: string, ...roles: string[]): string {
  const definitions = roles.map((role) => `    - name: ${role}\n      parentRoles: [user]\n`).join("");
  return `apiVersion: api.cerbos.dev/v1\nderivedRoles:\n  name: ${name}\n  definitions:\n${definitions}`;
}

/** A policy that exports variables or constants; `definitions` are lines of `name: value`. */
export function exported(
  kind: "exportVariables" | "exportConstants",
  name: string,
  definitions: string,
): string {
  const lines = definitions.split("\n").map((line) => `    ${line}\n`);
  return `apiVersion: api.cerbos.dev/v1\n${kind}:\n  name: ${name}\n  definitions:\n${lines.join("")}`;
}
