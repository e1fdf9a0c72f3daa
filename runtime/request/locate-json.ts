/**
 * Finds line, column and field path of a byte offset in a JSON request that the guest refused. A tolerant walk over
 * the bytes up to the offset: it never validates, never recurses, makes no object on the way and looks at each byte at most
 * twice, so hostile input costs no more than reading it.
 */
import { excerpt, isFreeForm, joinPath, type Location, MAX_STEPS, type Step } from "./field-path.ts";

/** Lines and columns are 1-based; columns count bytes, as Cerbos's messages do. */
export interface JsonLocation extends Location {
  readonly line: number;
  readonly column: number;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Locates `offset`, which may be anywhere from 0 to the length of `bytes`. */
export function locateJson(bytes: Uint8Array, offset: number): JsonLocation {
  const target = Math.max(0, Math.min(offset, bytes.length));
  const walk = new Walk(bytes, target);
  const { start, end } = walk.run();
  const { line, column } = lineAndColumn(bytes, start);
  const steps = walk.steps();
  return {
    offset: start,
    line,
    column,
    path: joinPath(steps),
    key: lastKey(steps),
    token: excerpt(bytes, start, end),
    freeForm: isFreeForm(steps),
  };
}

/** What stands in the place of an index in an object whose key has not been read, and in one whose key has. */
const NO_KEY = -1;
const HAS_KEY = -2;

/** The state of one walk: the open containers and where the current token lies. */
class Walk {
  /** Per open container the index of a list, or NO_KEY, or HAS_KEY. */
  readonly #open: number[] = [];
  /** Per open container with a key, where that key lies: a body may have millions, of which only the last ones are read. */
  readonly #keyStarts: number[] = [];
  readonly #keyEnds: number[] = [];
  readonly #bytes: Uint8Array;
  readonly #target: number;
  /** Containers opened beyond `MAX_STEPS`, which are counted only. */
  #unnamed = 0;
  #expectsKey = false;

  constructor(bytes: Uint8Array, target: number) {
    this.#bytes = bytes;
    this.#target = target;
  }

  /** The steps to the current place. */
  steps(): readonly Step[] {
    return this.#open.map((step, depth) => {
      if (step >= 0) return step;
      if (step === NO_KEY) return null;
      return keyText(this.#bytes, this.#keyStarts[depth] ?? 0, this.#keyEnds[depth] ?? 0);
    });
  }

  /** Walks until the token that holds the target offset; returns the token's extent. */
  run(): { start: number; end: number } {
    let position = 0;
    while (position < this.#target) {
      const byte = this.#bytes[position] ?? 0;
      if (isStructure(byte)) {
        this.#structure(byte);
        position++;
      } else if (isSpace(byte)) {
        position++;
      } else {
        const end = byte === QUOTE ? stringEnd(this.#bytes, position) : scalarEnd(this.#bytes, position);
        const isKey = byte === QUOTE && this.#expectsKey;
        if (isKey) this.#setKey(position, end);
        if (end > this.#target || end >= this.#bytes.length) return { start: position, end };
        position = end;
      }
    }
    return this.#atTarget(position);
  }

  /** The target is the first byte of a token, white space, or the end of input. */
  #atTarget(position: number): { start: number; end: number } {
    const byte = this.#bytes[position];
    if (byte === undefined) return { start: position, end: position };
    if (isStructure(byte) || isSpace(byte)) return { start: position, end: position + 1 };
    if (byte !== QUOTE) return { start: position, end: scalarEnd(this.#bytes, position) };
    const end = stringEnd(this.#bytes, position);
    if (this.#expectsKey) this.#setKey(position, end);
    return { start: position, end };
  }

  #structure(byte: number): void {
    switch (byte) {
      case OPEN_OBJECT:
        this.#enter(NO_KEY);
        this.#expectsKey = true;
        break;
      case OPEN_LIST:
        this.#enter(0);
        this.#expectsKey = false;
        break;
      case COMMA:
        this.#next();
        break;
      case COLON:
        this.#expectsKey = false;
        break;
      default:
        if (this.#unnamed > 0) this.#unnamed--;
        else this.#open.pop();
        this.#expectsKey = false;
    }
  }

  #enter(step: number): void {
    if (this.#open.length < MAX_STEPS) this.#open.push(step);
    else this.#unnamed++;
  }

  #next(): void {
    if (this.#unnamed > 0) return;
    const last = this.#open.length - 1;
    const step = this.#open[last] ?? 0;
    if (step >= 0 && last >= 0) {
      this.#open[last] = step + 1;
    } else if (last >= 0) {
      this.#open[last] = NO_KEY;
      this.#expectsKey = true;
    }
  }

  #setKey(start: number, end: number): void {
    const last = this.#open.length - 1;
    if (this.#unnamed > 0 || (this.#open[last] ?? 0) >= 0) return;
    this.#open[last] = HAS_KEY;
    this.#keyStarts[last] = start;
    this.#keyEnds[last] = end;
  }
}

function lastKey(steps: readonly Step[]): string {
  const step = steps.at(-1);
  return typeof step === "string" ? step : "";
}

/** The key's text: unescaped when it is well-formed, as it stands otherwise. */
function keyText(bytes: Uint8Array, start: number, end: number): string {
  const raw = excerpt(bytes, start, end);
  try {
    return JSON.parse(raw) as string;
  } catch {
    return raw.replaceAll('"', "");
  }
}

/** First byte after the string that starts at `start`, or the end of input. */
function stringEnd(bytes: Uint8Array, start: number): number {
  for (let position = start + 1; position < bytes.length; position++) {
    const byte = bytes[position];
    if (byte === BACKSLASH) position++;
    else if (byte === QUOTE) return position + 1;
  }
  return bytes.length;
}

/** First byte after the number, word or garbage that starts at `start`. */
function scalarEnd(bytes: Uint8Array, start: number): number {
  let position = start + 1;
  while (position < bytes.length) {
    const byte = bytes[position] ?? 0;
    if (byte === QUOTE || isStructure(byte) || isSpace(byte)) break;
    position++;
  }
  return position;
}

function isStructure(byte: number): boolean {
  return (
    byte === OPEN_OBJECT ||
    byte === CLOSE_OBJECT ||
    byte === OPEN_LIST ||
    byte === CLOSE_LIST ||
    byte === COMMA ||
    byte === COLON
  );
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function lineAndColumn(bytes: Uint8Array, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let position = 0; position < offset; position++) {
    if (bytes[position] === 0x0a) {
      line++;
      lineStart = position + 1;
    }
  }
  return { line, column: offset - lineStart + 1 };
}
