/** A rule of a resource policy names at least one role or derived role: without any it could never apply. */
import { defaultRuleName } from "../names.ts";
import type { Definition } from "../registry.ts";

export function ruleWithoutRoles({ message, reader }: Definition): void {
  for (const [index, rule] of (message.resourcePolicy?.rules ?? []).entries()) {
    if ((rule.roles?.length ?? 0) === 0 && (rule.derivedRoles?.length ?? 0) === 0) {
      reader.atKey("EDICT2101", { rule: rule.name?.value || defaultRuleName(index) }, rule.spot);
    }
  }
}
