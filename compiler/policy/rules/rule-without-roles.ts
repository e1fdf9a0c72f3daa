/** A rule of a resource policy names at least one role or derived role: without any it could never apply. */
import type { Node } from "../../load/node.ts";
import { defaultRuleName } from "../names.ts";
import { peekEntry } from "../peek.ts";
import type { Definition } from "../registry.ts";

export function ruleWithoutRoles({ message, reader }: Definition): void {
  for (const [index, rule] of (message.resourcePolicy?.rules ?? []).entries()) {
    const unread = ["roles", "derivedRoles"].some((field) => isUnread(rule.spot.node, field));
    if ((rule.roles?.length ?? 0) === 0 && (rule.derivedRoles?.length ?? 0) === 0 && !unread) {
      reader.atKey("EDICT2101", { rule: rule.name?.value || defaultRuleName(index) }, rule.spot);
    }
  }
}

/** Whether a list is there but could not be read, which has been reported as such. */
function isUnread(rule: Node, field: string): boolean {
  const value = peekEntry(rule, field)?.value;
  return value !== undefined && (value.kind !== "list" || value.items.length > 0);
}
