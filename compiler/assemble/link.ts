/**
 * Function objects to one WASM module: fills the holes and writes types, imports, exports and bodies. A pure function of the units
 * and their objects; what was compiled when, and in which company, leaves no trace.
 */
import { invariant } from "../diagnostics/invariant.ts";
import type { Unit } from "../emit/unit.ts";
import type { FunctionObject, Target } from "./function-object.ts";
import {
  KIND_FUNCTION,
  KIND_MEMORY,
  OP_CALL,
  SECTION_CODE,
  SECTION_EXPORT,
  SECTION_FUNCTION,
  SECTION_IMPORT,
  SECTION_TYPE,
} from "./wasm-reader.ts";

const OP_I32_CONST = 0x41;
const OP_I64_CONST = 0x42;

/** Encoded types without parameters, by result. */
const RESULT_TYPES = { i32: "00017f", u64: "00017e" } as const;

/** A unit and what its shape compiled to. */
export interface Compiled {
  readonly unit: Unit;
  readonly object: FunctionObject;
}

/** Links a module. Functions keep their order; shared functions come before those that call them. */
export function link(functions: readonly Compiled[]): Uint8Array {
  const imports = importedFunctions(functions);
  const types = new Map<string, number>();
  const typeIndex = (type: string): number => {
    const known = types.get(type) ?? types.size;
    types.set(type, known);
    return known;
  };
  const names = [...imports.keys()].sort();
  const importTypes = names.map((name) => typeIndex(imports.get(name) ?? ""));
  const indices = new Map(names.map((name, index) => [name, index]));
  const functionTypes = functions.map(({ unit }) => typeIndex(RESULT_TYPES[unit.result]));
  const shared = new Map<string, number>();
  functions.forEach(({ unit }, index) => shared.set(unit.name, names.length + index));
  const instruction = (target: Target, unit: Unit): number[] => {
    if ("call" in target) return [OP_CALL, ...unsigned(indices.get(target.call) ?? 0)];
    const value = unit.references[target.kind][target.index];
    invariant(value !== undefined, "an object refers only to what its shape refers to");
    if (target.kind === "L") return [OP_I64_CONST, ...signed(BigInt.asIntN(64, value))];
    if (target.kind !== "E") return [OP_I32_CONST, ...signed(value)];
    const index = shared.get(`e${value}`);
    invariant(index !== undefined, "shared functions are part of the module");
    return [OP_CALL, ...unsigned(index)];
  };

  const writer = new Writer();
  writer.bytes([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  writer.section(SECTION_TYPE, types.size, (section) => {
    for (const type of types.keys()) section.bytes([0x60, ...Buffer.from(type, "hex")]);
  });
  writer.section(SECTION_IMPORT, names.length + 1, (section) => {
    section.name("env").name("memory").bytes([KIND_MEMORY, 0x00, 0x00]);
    names.forEach((name, index) => {
      section
        .name("core")
        .name(name)
        .bytes([KIND_FUNCTION])
        .number(importTypes[index] ?? 0);
    });
  });
  if (functions.length === 0) return writer.finish();
  writer.section(SECTION_FUNCTION, functions.length, (section) => {
    for (const type of functionTypes) section.number(type);
  });
  const exported = functions.flatMap(({ unit }, index) =>
    unit.isExported ? [{ name: unit.name, index: names.length + index }] : [],
  );
  writer.section(SECTION_EXPORT, exported.length, (section) => {
    for (const { name, index } of exported) section.name(name).bytes([KIND_FUNCTION]).number(index);
  });
  writer.section(SECTION_CODE, functions.length, (section) => {
    for (const { unit, object } of functions) {
      const body = new Writer();
      let from = 0;
      for (const { at, target } of object.holes) {
        body.bytes(object.code.subarray(from, at)).bytes(instruction(target, unit));
        from = at;
      }
      body.bytes(object.code.subarray(from));
      section.number(body.length).bytes(body.finish());
    }
  });
  return writer.finish();
}

/** Name and type of every core function that is called. */
function importedFunctions(functions: readonly Compiled[]): Map<string, string> {
  const imports = new Map<string, string>();
  for (const { object } of functions) {
    for (const { target } of object.holes) if ("call" in target) imports.set(target.call, target.type);
  }
  return imports;
}

/** Bytes that grow. */
class Writer {
  #bytes = new Uint8Array(256);
  length = 0;

  bytes(content: ArrayLike<number>): this {
    const end = this.length + content.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(content, this.length);
    this.length = end;
    return this;
  }

  number(value: number): this {
    return this.bytes(unsigned(value));
  }

  name(text: string): this {
    const content = Buffer.from(text, "utf8");
    return this.number(content.length).bytes(content);
  }

  /** A section that is a list of `count` items. */
  section(id: number, count: number, write: (section: Writer) => void): void {
    const content = new Writer();
    content.number(count);
    write(content);
    this.bytes([id]).number(content.length).bytes(content.finish());
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return bytes;
}

/** Signed LEB128. */
function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    const isLast = (rest >> 6n === 0n && low < 0x40) || (rest >> 6n === -1n && low >= 0x40);
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}
