/** Writes trees as JSON text in every way that JSON allows: white space, escapes, forms of numbers. */
import type { Random } from "../differential/random.ts";
import { isList, isObject, isRaw, type Node, type Raw } from "./tree.ts";

/** How often something optional is done, 0 to 1. */
export interface JsonStyle {
  readonly space: number;
  readonly escape: number;
  readonly number: number;
}

export const PLAIN_JSON: JsonStyle = { space: 0, escape: 0, number: 0 };

const SPACES = [" ", "\n", "\t", "\r", "  ", "\r\n", " ".repeat(17), "\n".repeat(40)];

/** The bytes of a tree. */
export function writeJson(node: Node, style: JsonStyle, random: Random): Buffer {
  const writer = new JsonWriter(style, random);
  writer.value(node);
  return writer.bytes();
}

class JsonWriter {
  readonly #style: JsonStyle;
  readonly #random: Random;
  readonly #parts: Buffer[] = [];
  #text = "";

  constructor(style: JsonStyle, random: Random) {
    this.#style = style;
    this.#random = random;
  }

  bytes(): Buffer {
    if (this.#parts.length === 0) return Buffer.from(this.#text);
    return Buffer.concat([...this.#parts, Buffer.from(this.#text)]);
  }

  value(node: Node): void {
    this.#space();
    if (isList(node)) this.#list(node);
    else if (isObject(node)) this.#object(node.members);
    else if (isRaw(node)) this.#raw(node);
    else if (typeof node === "string") this.#string(node);
    else if (typeof node === "number") this.#text += this.#number(node);
    else this.#text += String(node);
    this.#space();
  }

  #list(items: readonly Node[]): void {
    this.#text += "[";
    for (const [index, item] of items.entries()) {
      if (index > 0) this.#text += ",";
      this.value(item);
    }
    this.#text += "]";
  }

  #object(members: readonly (readonly [string | Raw, Node])[]): void {
    this.#text += "{";
    for (const [index, [key, value]] of members.entries()) {
      if (index > 0) this.#text += ",";
      this.#space();
      if (isRaw(key)) this.#raw(key);
      else this.#string(key);
      this.#space();
      this.#text += ":";
      this.value(value);
    }
    this.#text += "}";
  }

  #raw({ json }: Raw): void {
    if (typeof json === "string") this.#text += json;
    else {
      this.#parts.push(Buffer.from(this.#text), Buffer.from(json));
      this.#text = "";
    }
  }

  #space(): void {
    if (this.#style.space > 0 && this.#random.chance(this.#style.space)) {
      this.#text += this.#random.pick(SPACES, " ");
    }
  }

  #string(text: string): void {
    if (this.#style.escape === 0) {
      this.#text += JSON.stringify(text);
      return;
    }
    let written = '"';
    for (const unit of text.length > 2000 ? [] : text.split("")) {
      if (this.#random.chance(this.#style.escape)) written += this.#escaped(unit);
      else if (/[\uD800-\uDFFF]/.test(unit)) written += `\\u${hex(unit)}`;
      else written += JSON.stringify(unit).slice(1, -1);
    }
    this.#text += text.length > 2000 ? JSON.stringify(text) : `${written}"`;
  }

  #escaped(unit: string): string {
    if (unit === "/" && this.#random.chance(0.5)) return "\\/";
    const code = hex(unit);
    return `\\u${this.#random.chance(0.5) ? code.toUpperCase() : code}`;
  }

  #number(value: number): string {
    const text = Object.is(value, -0) ? "-0" : String(value).replace("e+", "e");
    if (!Number.isFinite(value)) return "1e999";
    if (this.#style.number === 0 || !this.#random.chance(this.#style.number)) return text;
    const forms = [value.toExponential(), value.toExponential(20), text.replace("e", "E")];
    if (/^-?\d+$/.test(text))
      forms.push(`${text}.0`, `${text}e0`, `${text}0e-1`, `${text}.${"0".repeat(40)}`);
    return this.#random.pick(forms, text);
  }
}

function hex(unit: string): string {
  return unit.charCodeAt(0).toString(16).padStart(4, "0");
}
