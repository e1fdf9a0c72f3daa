/**
 * Cuts a stream of bytes into the texts of entities: lines (NDJSON), or the elements of one JSON array. Keeps no more than one of them. Whether
 * a text is an entity is found out by entity-reader.ts.
 */
import { DirectoryError } from "../errors.ts";
import { MAX_ENTITY_BYTES } from "./options.ts";

const LINE_FEED = 10;
const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_MAP = 123;
const CLOSE_MAP = 125;

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf] as const;

/** Where a text begins; 1-based, columns in bytes. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

type Form =
  /** Nothing but white space so far. */
  | "start"
  | "lines"
  /** In an array: before an element or its end, inside an element, and behind the array. */
  | "before"
  | "element"
  | "end";

export class EntityCutter {
  readonly #take: (text: Uint8Array, place: TextPlace) => void;
  readonly #name: string;
  #form: Form = "start";
  #kept: Buffer[] = [];
  #keptLength = 0;
  #line = 1;
  /** Bytes of the line in front of the chunk at hand. */
  #before = 0;
  #place: TextPlace = { line: 1, column: 1 };
  #depth = 0;
  #inText = false;
  #escaped = false;
  /** Whether an element has to follow. */
  #owes = false;
  #isFirst = true;

  /** `name` is what errors call the stream. `take` gets bytes that are valid until it returns. */
  constructor(name: string, take: (text: Uint8Array, place: TextPlace) => void) {
    this.#name = name;
    this.#take = take;
  }

  /** Takes the next bytes. Throws `DirectoryError`, and whatever `take` throws. */
  push(given: Buffer): void {
    let chunk = given;
    if (this.#isFirst && chunk.byteLength > 0) {
      this.#isFirst = false;
      if (BYTE_ORDER_MARK.every((byte, index) => chunk[index] === byte)) chunk = chunk.subarray(3);
    }
    let at = 0;
    if (this.#form === "start") at = this.#begin(chunk);
    if (this.#form === "lines") this.#pushLines(chunk, at);
    else if (this.#form !== "start") this.#pushList(chunk, at);
  }

  /** To be called at the end of the stream. */
  end(): void {
    if (this.#form === "lines") {
      if (this.#keptLength > 0) this.#finish(Buffer.alloc(0));
    } else if (this.#form === "before" || this.#form === "element") {
      throw this.#problem(this.#line, this.#before + 1, "the array does not end");
    }
  }

  /** Skips white space and finds out the form; returns where it went on to. */
  #begin(chunk: Buffer): number {
    for (let at = 0; at < chunk.byteLength; at++) {
      const byte = chunk[at] ?? 0;
      if (isSpace(byte)) {
        this.#count(byte);
        continue;
      }
      if (byte === OPEN_LIST) {
        this.#form = "before";
        this.#before++;
        return at + 1;
      }
      this.#form = "lines";
      this.#place = { line: this.#line, column: this.#before + 1 };
      return at;
    }
    return chunk.byteLength;
  }

  #pushLines(chunk: Buffer, from: number): void {
    let start = from;
    for (;;) {
      const end = chunk.indexOf(LINE_FEED, start);
      if (end < 0) break;
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
      this.#line++;
      this.#place = { line: this.#line, column: 1 };
    }
    this.#keep(chunk.subarray(start));
  }

  #pushList(chunk: Buffer, from: number): void {
    let start = from;
    for (let at = from; at < chunk.byteLength; at++) {
      const byte = chunk[at] ?? 0;
      if (this.#form === "element") {
        if (this.#endsElement(byte)) {
          this.#finish(chunk.subarray(start, at));
          this.#form = byte === COMMA ? "before" : "end";
          this.#owes = byte === COMMA;
        }
      } else if (!isSpace(byte)) {
        if (this.#form === "end")
          throw this.#problem(this.#line, this.#before + 1, "more follows behind the array");
        if (byte === CLOSE_LIST && !this.#owes) this.#form = "end";
        else if (byte === COMMA || byte === CLOSE_LIST) {
          throw this.#problem(this.#line, this.#before + 1, "an entity is missing");
        } else {
          this.#form = "element";
          this.#place = { line: this.#line, column: this.#before + 1 };
          start = at;
          this.#endsElement(byte);
        }
      }
      this.#count(byte);
    }
    if (this.#form === "element") this.#keep(chunk.subarray(start));
  }

  /** Follows strings and brackets; true for the comma or bracket behind an element. */
  #endsElement(byte: number): boolean {
    if (this.#inText) {
      if (this.#escaped) this.#escaped = false;
      else if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inText = false;
      return false;
    }
    if (byte === QUOTE) this.#inText = true;
    else if (byte === OPEN_LIST || byte === OPEN_MAP) this.#depth++;
    else if (this.#depth === 0) return byte === COMMA || byte === CLOSE_LIST;
    else if (byte === CLOSE_LIST || byte === CLOSE_MAP) this.#depth--;
    return false;
  }

  #count(byte: number): void {
    if (byte !== LINE_FEED) this.#before++;
    else {
      this.#line++;
      this.#before = 0;
    }
  }

  #keep(bytes: Buffer): void {
    if (bytes.byteLength === 0) return;
    this.#keptLength += bytes.byteLength;
    this.#requireShort(this.#keptLength);
    // The chunk belongs to somebody else.
    this.#kept.push(Buffer.from(bytes));
  }

  #finish(rest: Buffer): void {
    this.#requireShort(this.#keptLength + rest.byteLength);
    const text = this.#kept.length === 0 ? rest : Buffer.concat([...this.#kept, rest]);
    this.#kept = [];
    this.#keptLength = 0;
    this.#take(text, this.#place);
  }

  #requireShort(length: number): void {
    if (length <= MAX_ENTITY_BYTES) return;
    const { line, column } = this.#place;
    throw this.#problem(line, column, `an entity is longer than ${MAX_ENTITY_BYTES} bytes`);
  }

  #problem(line: number, column: number, message: string): DirectoryError {
    return new DirectoryError("EDICT_DIRECTORY_INVALID", `${this.#name}:${line}:${column}: ${message}`);
  }
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === 13 || byte === LINE_FEED;
}
