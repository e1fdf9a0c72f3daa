/** Writes trees as msgpack in every way that msgpack allows: headers wider than needed, numbers as other numbers. */
import type { Random } from "../differential/random.ts";
import { isList, isObject, isRaw, type Node } from "./tree.ts";

const FIX_MAP = 0x80;
const FIX_ARRAY = 0x90;
const FIX_STRING = 0xa0;
const STRING_8 = 0xd9;
const ARRAY_16 = 0xdc;
const MAP_16 = 0xde;
const FLOAT_32 = 0xca;
const FLOAT_64 = 0xcb;
const UINT_8 = 0xcc;
const INT_8 = 0xd0;

/** The bytes of a tree; `wide` is how often a header is wider than it need be, 0 to 1. */
export function writeMsgpack(node: Node, wide: number, random: Random): Buffer {
  const writer = new PackWriter(wide, random);
  writer.value(node);
  return writer.bytes();
}

class PackWriter {
  readonly #wide: number;
  readonly #random: Random;
  #bytes = Buffer.alloc(1024);
  #length = 0;

  constructor(wide: number, random: Random) {
    this.#wide = wide;
    this.#random = random;
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  value(node: Node): void {
    if (isList(node)) {
      this.#head(FIX_ARRAY, 15, ARRAY_16, 1, node.length);
      for (const item of node) this.value(item);
    } else if (isObject(node)) {
      this.#head(FIX_MAP, 15, MAP_16, 1, node.members.length);
      for (const [key, value] of node.members) {
        if (isRaw(key)) this.#raw(key.msgpack);
        else this.#string(key);
        this.value(value);
      }
    } else if (isRaw(node)) this.#raw(node.msgpack);
    else if (typeof node === "string") this.#string(node);
    else if (typeof node === "number") this.#number(node);
    else this.#byte(node === null ? 0xc0 : node ? 0xc3 : 0xc2);
  }

  /** `first` is the code of the narrowest wide header, whose length field has 2^`power` bytes. */
  #head(fix: number, fixLimit: number, first: number, power: number, length: number): void {
    let width = length <= fixLimit ? -1 : power;
    while (width >= 0 && length >= 2 ** (8 * 2 ** width)) width += 1;
    while (width < 2 && this.#wide > 0 && this.#random.chance(this.#wide)) width = Math.max(width + 1, power);
    if (width < 0) this.#byte(fix | length);
    else {
      this.#byte(first + width - power);
      this.#uint(length, 2 ** width);
    }
  }

  #string(text: string): void {
    const bytes = Buffer.from(text);
    this.#head(FIX_STRING, 31, STRING_8, 0, bytes.length);
    this.#raw(bytes);
  }

  #number(value: number): void {
    const isWhole = Number.isInteger(value) && Math.abs(value) < 2 ** 53 && !Object.is(value, -0);
    const asFloat = !isWhole || (this.#wide > 0 && this.#random.chance(this.#wide / 2));
    if (asFloat) {
      const isNarrow = this.#random.chance(0.3) && (Math.fround(value) === value || this.#wide > 0);
      this.#byte(isNarrow ? FLOAT_32 : FLOAT_64);
      this.#reserve(8);
      if (isNarrow) this.#bytes.writeFloatBE(value, this.#length);
      else this.#bytes.writeDoubleBE(value, this.#length);
      this.#length += isNarrow ? 4 : 8;
      return;
    }
    let power = 0;
    const fits = (): boolean =>
      value >= 0 ? value < 2 ** (8 * 2 ** power) : value >= -(2 ** (8 * 2 ** power - 1));
    while (!fits()) power += 1;
    while (power < 3 && this.#wide > 0 && this.#random.chance(this.#wide)) power += 1;
    if (power === 0 && value >= -32 && value < 128) this.#byte(value & 0xff);
    else {
      this.#byte((value >= 0 ? UINT_8 : INT_8) + power);
      this.#uint(value, 2 ** power);
    }
  }

  #uint(value: number, width: number): void {
    this.#reserve(8);
    const bits = BigInt.asUintN(64, BigInt(value));
    for (let index = width - 1; index >= 0; index -= 1) {
      this.#bytes[this.#length++] = Number((bits >> BigInt(index * 8)) & 0xffn);
    }
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.alloc((this.#length + more) * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
