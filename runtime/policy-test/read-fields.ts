/**
 * Reads the fields of a suite file: names in camelCase or snake_case, types as protobuf's JSON form has them. Problems of
 * form are collected with their places; what values mean is judged elsewhere.
 */
import type { Json } from "../guest/messages.ts";
import type { SuiteField, SuiteNode, SuitePlace, SuiteProblem } from "./suite-tree.ts";

/** One map of a file whose fields are known. */
export class FieldReader {
  readonly #node: SuiteNode;
  readonly #problems: SuiteProblem[];
  readonly #fields = new Map<string, SuiteField>();

  /** Reports fields that are not among `known` (camelCase) and fields given twice. */
  constructor(node: SuiteNode, known: readonly string[], problems: SuiteProblem[]) {
    this.#node = node;
    this.#problems = problems;
    if (node.kind !== "map") {
      if (!isNull(node)) this.#report(node.place, `expected object got ${typeName(node)}`);
      return;
    }
    for (const [written, field] of node.fields) {
      const name = known.find((each) => each === written || snakeCase(each) === written);
      if (name === undefined) this.#report(field.keyPlace, `unknown field "${written}"`);
      else if (this.#fields.has(name)) this.#report(field.keyPlace, `field "${name}" is given twice`);
      else this.#fields.set(name, field);
    }
  }

  /**
   * The place Cerbos gives to a whole map: in braces its own key, `keyPlace` when it has one; otherwise the colon of its
   * first key.
   */
  mapPlace(keyPlace: SuitePlace | null): SuitePlace {
    if (this.#node.kind !== "map") return this.#node.place;
    if (this.#node.isFlow) return keyPlace ?? this.#node.place;
    const [first] = this.#node.fields;
    if (first === undefined) return this.#node.place;
    const [name, { keyPlace: start }] = first;
    return { line: start.line, column: start.column + name.length };
  }

  keyPlace(name: string): SuitePlace | null {
    return this.#fields.get(name)?.keyPlace ?? null;
  }

  has(name: string): boolean {
    return this.node(name) !== null;
  }

  node(name: string): SuiteNode | null {
    const node = this.#fields.get(name)?.node;
    return node === undefined || isNull(node) ? null : node;
  }

  text(name: string): string {
    const node = this.node(name);
    return node === null ? "" : this.textOf(node);
  }

  textOf(node: SuiteNode): string {
    if (node.kind === "scalar" && typeof node.value !== "object" && !isFloat(node)) return node.text;
    if (isNull(node)) return "";
    this.#report(node.place, `expected string value got ${typeName(node)}`);
    return "";
  }

  flag(name: string): boolean {
    const node = this.node(name);
    if (node === null) return false;
    if (node.kind === "scalar" && typeof node.value === "boolean") return node.value;
    this.#report(node.place, "expected true or false");
    return false;
  }

  items(name: string): readonly SuiteNode[] {
    const node = this.#fields.get(name)?.node;
    if (node === undefined) return [];
    if (node.kind === "list") return node.items;
    this.#report(node.place, `expected sequence got ${typeName(node)}`);
    return [];
  }

  texts(name: string): readonly string[] {
    return this.items(name).map((item) => this.textOf(item));
  }

  /** A list of names: none twice, none empty. `path` is what messages call the map. */
  names(name: string, path: string, content: SuiteProblem[]): readonly string[] {
    const items = this.items(name);
    const texts = items.map((item) => this.textOf(item));
    const at = `${path === "" ? "" : `${path}.`}${name}`;
    if (new Set(texts).size < texts.length) {
      const message = `${at}: repeated value must contain unique items`;
      content.push({ place: this.keyPlace(name), message });
    }
    for (const [index, text] of texts.entries()) {
      if (text !== "") continue;
      content.push({
        place: items[index]?.place ?? null,
        message: `${at}[${index}]: must be at least 1 characters`,
      });
    }
    return texts;
  }

  /** The fields of a map with names of the user's choice. */
  entries(name: string): readonly (readonly [string, SuiteField])[] {
    const node = this.node(name);
    if (node === null) return [];
    if (node.kind === "map") return [...node.fields];
    this.#report(node.place, `expected map got ${typeName(node)}`);
    return [];
  }

  /** A map of JSON values. */
  values(name: string): Readonly<Record<string, Json>> {
    return Object.fromEntries(this.entries(name).map(([key, { node }]) => [key, toJson(node)]));
  }

  #report(place: SuitePlace, message: string): void {
    this.#problems.push({ place, message });
  }
}

/** A tree as a JSON value; every number is a double. */
export function toJson(node: SuiteNode): Json {
  switch (node.kind) {
    case "map":
      return Object.fromEntries([...node.fields].map(([key, field]) => [key, toJson(field.node)]));
    case "list":
      return node.items.map(toJson);
    case "scalar":
      return typeof node.value === "bigint" ? Number(node.value) : node.value;
  }
}

/** A map key in the path of a message; Cerbos writes it in camelCase there, whatever it is. */
export function quotedKey(name: string): string {
  return JSON.stringify(name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()));
}

function typeName(node: SuiteNode): string {
  if (node.kind !== "scalar") return node.kind === "map" ? "Mapping" : "Sequence";
  if (node.value === null) return "Null";
  if (typeof node.value === "boolean") return "Bool";
  if (typeof node.value === "string") return "String";
  return isFloat(node) ? "Float" : "Integer";
}

function isNull(node: SuiteNode): boolean {
  return node.kind === "scalar" && node.value === null;
}

function isFloat(node: SuiteNode & { kind: "scalar" }): boolean {
  return typeof node.value === "number" && !/^[-+]?(\d+|0x[\da-f]+|0o[0-7]+)$/i.test(node.text);
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
