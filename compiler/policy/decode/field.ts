/**
 * Decoders: small functions from a node to a typed value, put together like the fields of a message. They report
 * problems and go on, so that one run shows all of them; `undefined` stands for a value that was not given or not usable.
 * What may stand where follows Cerbos (COMPAT.md sections 1 and 2); what the fields mean is not their business.
 */
import { describeNode, isWholeNumber, type MapEntry, type Node } from "../../load/node.ts";
import type { JsonValue } from "../policy-set.ts";
import type { Reader, Spot } from "./spot.ts";

export type Decoder<T> = (spot: Spot, reader: Reader) => T | undefined;

/** A string and where it stands. */
export interface Text {
  readonly value: string;
  readonly spot: Spot;
}

/** What a text must look like, in words for the message. */
export interface TextShape {
  readonly pattern: RegExp;
  readonly what: string;
  readonly advice: string;
}

/** A string field: also takes whole numbers and booleans as written, and null as "". */
export function text(shape?: TextShape): Decoder<Text> {
  return (spot, reader) => {
    const value = textOf(spot.node);
    if (value === undefined) {
      const advice = spot.node.kind === "scalar" ? "quote the value" : "give it a single value";
      reader.atValue("EDICT2002", { expected: "a string", found: describeNode(spot.node), advice }, spot);
      return undefined;
    }
    if (shape !== undefined && value !== "" && !shape.pattern.test(value)) {
      reader.atKey("EDICT2012", { value, what: shape.what, advice: shape.advice }, spot);
    }
    return { value, spot };
  };
}

/** A node as a string field reads it; undefined when it is no string. */
export function textOf(node: Node): string | undefined {
  if (node.kind !== "scalar") {
    return undefined;
  }
  if (typeof node.value === "number" && !isWholeNumber(node)) {
    return undefined;
  }
  return node.value === null ? "" : node.text;
}

/** A text in a list: as `text`, but never empty. */
export function item(shape?: TextShape): Decoder<Text> {
  const decode = text(shape);
  return (spot, reader) => {
    const decoded = decode(spot, reader);
    if (decoded?.value === "") {
      reader.atKey("EDICT2015", {}, spot);
    }
    return decoded;
  };
}

/** `true` or `false`, not in quotes. */
export const flag: Decoder<boolean> = (spot, reader) => {
  if (spot.node.kind === "scalar" && typeof spot.node.value === "boolean") {
    return spot.node.value;
  }
  const advice = "write `true` or `false` without quotes";
  reader.atValue("EDICT2002", { expected: "a boolean", found: describeNode(spot.node), advice }, spot);
  return undefined;
};

/** One of a few names, or its number; the first (number 0) means "not given". */
export function oneOf<const Name extends string>(names: readonly Name[]): Decoder<Name> {
  return (spot, reader) => {
    const { node } = spot;
    const value = node.kind === "scalar" ? node.value : undefined;
    const whole = node.kind === "scalar" && isWholeNumber(node);
    const name = whole ? names[Number(value)] : names.find((candidate) => candidate === value);
    if (name !== undefined || value === null) {
      return name ?? names[0];
    }
    if (typeof value !== "string" && typeof value !== "number") {
      const advice = `use one of ${quoteAll(names.slice(1))}`;
      reader.atValue("EDICT2002", { expected: "a name", found: describeNode(node), advice }, spot);
    } else {
      reader.atValue("EDICT2005", { value, values: quoteAll(names.slice(1)) }, spot);
    }
    return undefined;
  };
}

/** Any number of entries. */
export function list<T>(
  decode: Decoder<T>,
  options: { readonly unique?: boolean } = {},
): Decoder<readonly T[]> {
  return (spot, reader) => {
    const { node } = spot;
    if (node.kind !== "list") {
      const advice = node.kind === "scalar" ? "write it as a list, as in `[a, b]`" : "write it as a list";
      reader.atUse("EDICT2002", { expected: "a list", found: describeNode(node), advice }, spot);
      return undefined;
    }
    const decoded: T[] = [];
    const seen = new Set<string>();
    let repeated: string | undefined;
    for (const [index, child] of node.items.entries()) {
      const at: Spot = { parent: spot, segment: index, node: child, keyOffset: child.offset };
      const value = decode(at, reader);
      if (value !== undefined) {
        decoded.push(value);
      }
      if (options.unique === true && child.kind === "scalar") {
        repeated ??= seen.has(child.text) ? child.text : undefined;
        seen.add(child.text);
      }
    }
    // Once per list and at the list, as Cerbos does it.
    if (repeated !== undefined) {
      reader.atKey("EDICT2014", { value: repeated }, spot);
    }
    return decoded;
  };
}

export interface NamedValue<T> {
  readonly key: string;
  readonly value: T;
  /** Spot of the value; its key offset is that of the name. */
  readonly spot: Spot;
}

/** A map with names of the author's choice. */
export function mapOf<T>(decode: Decoder<T>): Decoder<readonly NamedValue<T>[]> {
  return (spot, reader) => {
    const entries = mapEntries(spot, reader);
    if (entries === undefined) {
      return undefined;
    }
    const decoded: NamedValue<T>[] = [];
    for (const entry of entries) {
      const at = childSpot(spot, entry);
      if (!entry.keyIsString) {
        const params = {
          expected: "a string as the key",
          found: `\`${entry.key}\``,
          advice: "quote the key",
        };
        reader.atKey("EDICT2002", params, at);
      }
      const value = decode(at, reader);
      if (value !== undefined) {
        decoded.push({ key: entry.key, value, spot: at });
      }
    }
    return decoded;
  };
}

/** The entries of a map, or a report that it is none. */
export function mapEntries(spot: Spot, reader: Reader): readonly MapEntry[] | undefined {
  const { node } = spot;
  if (node.kind === "map") {
    return node.entries;
  }
  const advice =
    node.kind === "scalar" && node.value === null ? "give it fields or remove it" : "write it as a map";
  reader.atUse("EDICT2002", { expected: "a map", found: describeNode(node), advice }, spot);
  return undefined;
}

export function childSpot(parent: Spot, entry: MapEntry): Spot {
  return { parent, segment: entry.key, node: entry.value, keyOffset: entry.keyOffset };
}

/** Any value; numbers become doubles. */
export const anyValue: Decoder<{ readonly json: JsonValue }> = (spot, reader) => ({
  json: toJson(spot, reader),
});

function toJson(spot: Spot, reader: Reader): JsonValue {
  const { node } = spot;
  switch (node.kind) {
    case "scalar":
      if (typeof node.value === "number" && !Number.isFinite(node.value)) {
        const params = {
          expected: "a finite number",
          found: `\`${node.text}\``,
          advice: "quote it if it is a text",
        };
        reader.atValue("EDICT2002", params, spot);
      }
      return node.value;
    case "list":
      return node.items.map((child, index) =>
        toJson({ parent: spot, segment: index, node: child, keyOffset: child.offset }, reader),
      );
    case "map": {
      const json: { [key: string]: JsonValue } = {};
      for (const entry of node.entries) {
        const at = childSpot(spot, entry);
        if (!entry.keyIsString) {
          const params = {
            expected: "a string as the key",
            found: `\`${entry.key}\``,
            advice: "quote the key",
          };
          reader.atKey("EDICT2002", params, at);
        }
        // Plain assignment of `__proto__` would set the prototype instead of a key.
        Object.defineProperty(json, entry.key, {
          value: toJson(at, reader),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return json;
    }
  }
}

export function quoteAll(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}
