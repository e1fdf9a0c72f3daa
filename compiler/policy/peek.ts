/**
 * Reading single fields of a document without decoding it: enough to know what a policy is called before the policies
 * are decoded one by one. Reports nothing; decoding reports what is wrong with the same fields.
 */
import type { MapEntry, Node } from "../load/node.ts";
import { textOf } from "./decode/field.ts";
import { snakeCase } from "./decode/message.ts";

/** The entry of a field, in either spelling. */
export function peekEntry(node: Node | undefined, field: string): MapEntry | undefined {
  if (node?.kind !== "map") {
    return undefined;
  }
  const other = snakeCase(field);
  return node.entries.find(({ key }) => key === field || key === other);
}

/** A field as a string field would read it; undefined when it is not given or no string. */
export function peekText(node: Node | undefined, field: string): string | undefined {
  const entry = peekEntry(node, field);
  return entry === undefined ? undefined : textOf(entry.value);
}

/** The items of a list field. */
export function peekList(node: Node | undefined, field: string): readonly Node[] {
  const value = peekEntry(node, field)?.value;
  return value?.kind === "list" ? value.items : [];
}
