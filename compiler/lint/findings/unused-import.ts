/** An import that gives its policy nothing: no derived role, variable or constant of it is used there. */
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import type { Text } from "../../policy/decode/field.ts";
import { keyPlace } from "../../policy/decode/spot.ts";
import { moduleKey } from "../../policy/names.ts";
import type { Definition } from "../../policy/registry.ts";
import { NameUsage } from "../name-usage.ts";
import { nodesOf, type Review, rulesOf, sourcesOf } from "../review.ts";

export function unusedImport(review: Review): readonly Diagnostic[] {
  const usage = new NameUsage(review);
  const modules = new Map(review.definitions.map((definition) => [definition.key, definition]));
  const found: Diagnostic[] = [];
  for (const definition of review.definitions) {
    const { message, key, reader } = definition;
    const policy =
      message.resourcePolicy ?? message.principalPolicy ?? message.rolePolicy ?? message.derivedRoles;
    const unused = (list: readonly Text[] | undefined, isUsed: (name: string) => boolean): void => {
      for (const { value: name, spot } of list ?? []) {
        if (isUsed(name)) continue;
        found.push(diagnose("EDICT7010", { name }, keyPlace(reader.document, spot), name.length));
      }
    };
    const used = usage.of(key);
    unused(policy?.variables?.import, (name) => {
      const names = modules.get(moduleKey("export_variables", name))?.message.exportVariables?.definitions;
      return (names ?? []).some(({ key: variable }) => used.variables.has(variable));
    });
    unused(policy?.constants?.import, (name) => {
      const names = modules.get(moduleKey("export_constants", name))?.message.exportConstants?.definitions;
      return (names ?? []).some(({ key: constant }) => used.constants.has(constant));
    });
    const origins = originsOf(definition, review);
    unused(message.resourcePolicy?.importDerivedRoles, (name) => origins === undefined || origins.has(name));
  }
  return found;
}

/** The derivedRoles policies whose roles the rules of a policy name; undefined when it reads all effective ones. */
function originsOf({ key }: Definition, review: Review): ReadonlySet<string> | undefined {
  for (const { policy, condition, outputs } of rulesOf(review)) {
    if (policy !== key) continue;
    for (const source of [...sourcesOf(condition), outputs.ruleActivated, outputs.conditionNotMet]) {
      const expr = source === undefined ? undefined : review.expressions.get(source);
      for (const node of expr === undefined ? [] : nodesOf(expr)) {
        if (node.kind === "input" && node.input.startsWith("runtime")) return undefined;
      }
    }
  }
  const policy = review.set.resourcePolicies.find((candidate) => candidate.key === key);
  return new Set(policy?.rules.flatMap(({ derivedRoles }) => derivedRoles.map(({ origin }) => origin)));
}
