/**
 * Reads the few parts of a WASM module that linking needs: types, imports, functions, exports and bodies, and where in a body calls
 * and global reads stand. Knows the instructions that asc makes of generated code; any other one is a bug there.
 */
import { invariant } from "../diagnostics/invariant.ts";

export const SECTION_TYPE = 1;
export const SECTION_IMPORT = 2;
export const SECTION_FUNCTION = 3;
export const SECTION_EXPORT = 7;
export const SECTION_CODE = 10;

export const KIND_FUNCTION = 0;
const KIND_TABLE = 1;
export const KIND_MEMORY = 2;
const KIND_GLOBAL = 3;

export const OP_CALL = 0x10;
export const OP_GLOBAL_GET = 0x23;

/** A cursor over the bytes of a module. */
class Cursor {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    invariant(byte !== undefined, "modules that asc writes are complete");
    return byte;
  }

  /** An unsigned LEB128 number below 2^32. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  /** Skips a list of single bytes. */
  skipBytes(): void {
    // In two steps: `+=` would read the old position before the count moves it.
    const length = this.u32();
    this.at += length;
  }

  skipNumber(): void {
    while (this.byte() >= 0x80);
  }

  name(): string {
    const length = this.u32();
    this.at += length;
    return Buffer.from(this.#bytes.subarray(this.at - length, this.at)).toString("utf8");
  }
}

/** An imported function or global. */
export interface WasmImport {
  readonly name: string;
  /** Encoded type without its leading byte: parameters and results. */
  readonly type: string;
}

export interface WasmParts {
  readonly functionImports: readonly WasmImport[];
  readonly globalImports: readonly string[];
  /** Exported functions: name to body, its size not included. */
  readonly bodies: ReadonlyMap<string, Uint8Array>;
}

/** Takes a module apart. */
export function readModule(module: Uint8Array): WasmParts {
  const cursor = new Cursor(module, 8);
  const types: string[] = [];
  const functionImports: WasmImport[] = [];
  const globalImports: string[] = [];
  const exported: [string, number][] = [];
  const bodies: Uint8Array[] = [];
  while (cursor.at < module.length) {
    const section = cursor.byte();
    const size = cursor.u32();
    const end = cursor.at + size;
    if (section === SECTION_TYPE) times(cursor, () => types.push(readType(module, cursor)));
    else if (section === SECTION_IMPORT) {
      times(cursor, () => {
        cursor.name();
        const name = cursor.name();
        const kind = cursor.byte();
        if (kind === KIND_FUNCTION) functionImports.push({ name, type: types[cursor.u32()] ?? "" });
        else if (kind === KIND_GLOBAL) {
          globalImports.push(name);
          cursor.at += 2;
        } else {
          invariant(kind !== KIND_TABLE, "generated code imports no table");
          const limits = cursor.byte();
          cursor.skipNumber();
          if ((limits & 1) !== 0) cursor.skipNumber();
        }
      });
    } else if (section === SECTION_EXPORT) {
      times(cursor, () => {
        const name = cursor.name();
        const kind = cursor.byte();
        const index = cursor.u32();
        if (kind === KIND_FUNCTION) exported.push([name, index]);
      });
    } else if (section === SECTION_CODE) {
      times(cursor, () => {
        const length = cursor.u32();
        bodies.push(module.subarray(cursor.at, cursor.at + length));
        cursor.at += length;
      });
    }
    cursor.at = end;
  }
  const found = new Map<string, Uint8Array>();
  for (const [name, index] of exported) {
    const body = bodies[index - functionImports.length];
    if (body !== undefined) found.set(name, body);
  }
  return { functionImports, globalImports, bodies: found };
}

function times(cursor: Cursor, read: () => void): void {
  for (let count = cursor.u32(); count > 0; count--) read();
}

function readType(module: Uint8Array, cursor: Cursor): string {
  invariant(cursor.byte() === 0x60, "generated code has function types only");
  const start = cursor.at;
  cursor.skipBytes();
  cursor.skipBytes();
  return Buffer.from(module.subarray(start, cursor.at)).toString("hex");
}

/** An instruction that names a function or a global of its module. */
export interface Mention {
  readonly opcode: typeof OP_CALL | typeof OP_GLOBAL_GET;
  readonly index: number;
  /** Where the instruction starts and ends in the body. */
  readonly start: number;
  readonly end: number;
}

/** Everything in a body that depends on the module around it. */
export function findMentions(body: Uint8Array): Mention[] {
  const cursor = new Cursor(body);
  const mentions: Mention[] = [];
  times(cursor, () => {
    cursor.skipNumber();
    cursor.byte();
  });
  while (cursor.at < body.length) {
    const start = cursor.at;
    const opcode = cursor.byte();
    if (opcode === OP_CALL || opcode === OP_GLOBAL_GET) {
      const index = cursor.u32();
      mentions.push({ opcode, index, start, end: cursor.at });
    } else skipImmediates(cursor, opcode);
  }
  return mentions;
}

function skipImmediates(cursor: Cursor, opcode: number): void {
  if (opcode >= 0x02 && opcode <= 0x04) {
    // A block's type is one value type or none; a number of the type section would mean several values.
    invariant(cursor.byte() >= 0x40, "generated code has no blocks with several values");
  } else if (opcode === 0x0c || opcode === 0x0d || (opcode >= 0x20 && opcode <= 0x22)) {
    cursor.skipNumber();
  } else if (opcode === 0x0e) {
    for (let count = cursor.u32(); count >= 0; count--) cursor.skipNumber();
  } else if (opcode === 0x1c) {
    cursor.skipBytes();
  } else if (opcode >= 0x28 && opcode <= 0x3e) {
    cursor.skipNumber();
    cursor.skipNumber();
  } else if (opcode === 0x41 || opcode === 0x42) {
    cursor.skipNumber();
  } else if (opcode === 0x43) {
    cursor.at += 4;
  } else if (opcode === 0x44) {
    cursor.at += 8;
  } else {
    const hasNone =
      opcode <= 0x01 ||
      opcode === 0x05 ||
      opcode === 0x0b ||
      opcode === 0x0f ||
      opcode === 0x1a ||
      opcode === 0x1b ||
      (opcode >= 0x45 && opcode <= 0xc4);
    invariant(hasNone, `instruction ${opcode.toString(16)} is known to the linker`);
  }
}
