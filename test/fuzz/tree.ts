/**
 * Messages as trees that can say what JavaScript values cannot: repeated keys, bytes that stand as they are, texts in
 * escapes, lengths that lie. The writers (write-json.ts, write-msgpack.ts) turn them into bytes.
 */

/** Bytes for each format, written as they are in the place of a value or a key. */
export interface Raw {
  readonly json: string | Uint8Array;
  readonly msgpack: Uint8Array;
}

/** An object, its members in order; keys may repeat. */
export interface ObjectNode {
  members: [key: string | Raw, value: Node][];
}

export type Node = null | boolean | number | string | Node[] | ObjectNode | Raw;

export function isList(node: Node | undefined): node is Node[] {
  return Array.isArray(node);
}

export function isObject(node: Node | undefined): node is ObjectNode {
  return typeof node === "object" && node !== null && "members" in node;
}

export function isRaw(node: Node | string | undefined): node is Raw {
  return typeof node === "object" && node !== null && "msgpack" in node;
}

/** The tree of a plain value. */
export function treeOf(value: unknown): Node {
  if (Array.isArray(value)) return value.map(treeOf);
  if (typeof value === "object" && value !== null) {
    return { members: Object.entries(value).map(([key, item]) => [key, treeOf(item)]) };
  }
  return value === undefined ? null : (value as Node);
}

export function copyOf(node: Node): Node {
  if (isList(node)) return node.map(copyOf);
  if (isObject(node)) return { members: node.members.map(([key, value]) => [key, copyOf(value)]) };
  return node;
}

/** The value of the last member of that name. */
export function memberOf(node: Node | undefined, name: string): Node | undefined {
  return isObject(node) ? node.members.findLast(([key]) => key === name)?.[1] : undefined;
}

/** Sets the member of that name, or adds it at the end. */
export function setMember(node: ObjectNode, name: string, value: Node): void {
  const found = node.members.find(([key]) => key === name);
  if (found === undefined) node.members.push([name, value]);
  else found[1] = value;
}
