/** A variable or a constant that no expression uses: local ones of a policy, and exported ones of all that import them. */
import { diagnose } from "../../diagnostics/codes.ts";
import type { Diagnostic } from "../../diagnostics/diagnostic.ts";
import { keyPlace, type Spot } from "../../policy/decode/spot.ts";
import { NameUsage } from "../name-usage.ts";
import type { Definition } from "../../policy/registry.ts";
import type { Review } from "../review.ts";

export function unusedName(review: Review): readonly Diagnostic[] {
  const usage = new NameUsage(review);
  const found: Diagnostic[] = [];
  for (const definition of review.definitions) {
    const { message, key } = definition;
    const policy = bodyOf(definition);
    const used = usage.of(key);
    const variables = [...(policy?.variables?.local ?? []), ...(message.variables ?? [])];
    for (const { key: name, value } of variables) {
      if (!used.variables.has(name)) found.push(say("EDICT7007", name, definition, value.spot));
    }
    for (const { key: name, spot } of policy?.constants?.local ?? []) {
      if (!used.constants.has(name)) found.push(say("EDICT7008", name, definition, spot));
    }
  }
  return [...found, ...unusedExports(review, usage)];
}

function unusedExports({ definitions }: Review, usage: NameUsage): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const definition of definitions) {
    const { message, name: module } = definition;
    for (const { key: name, value } of message.exportVariables?.definitions ?? []) {
      const importers = definitions.filter((other) => imports(bodyOf(other)?.variables?.import, module));
      if (importers.some(({ key }) => usage.of(key).variables.has(name))) continue;
      found.push(say("EDICT7007", name, definition, value.spot));
    }
    for (const { key: name, spot } of message.exportConstants?.definitions ?? []) {
      const importers = definitions.filter((other) => imports(bodyOf(other)?.constants?.import, module));
      if (importers.some(({ key }) => usage.of(key).constants.has(name))) continue;
      found.push(say("EDICT7008", name, definition, spot));
    }
  }
  return found;
}

function bodyOf({
  message,
}: Definition): Definition["message"]["resourcePolicy" | "principalPolicy" | "rolePolicy" | "derivedRoles"] {
  return message.resourcePolicy ?? message.principalPolicy ?? message.rolePolicy ?? message.derivedRoles;
}

function imports(list: readonly { readonly value: string }[] | undefined, module: string): boolean {
  return (list ?? []).some(({ value }) => value === module);
}

function say(code: "EDICT7007" | "EDICT7008", name: string, { reader }: Definition, spot: Spot): Diagnostic {
  return diagnose(code, { name }, keyPlace(reader.document, spot), name.length);
}
