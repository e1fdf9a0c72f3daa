/**
 * Finds the field path of a byte offset in a msgpack request that the guest refused: the same tolerant, bounded walk
 * as locate-json.ts. Extension types are stepped over, not interpreted.
 */
import { excerpt, isFreeForm, joinPath, type Location, MAX_STEPS, type Step } from "./field-path.ts";

/** An open map or array. */
interface Frame {
  readonly isMap: boolean;
  /** Items not read yet; a map counts keys and values. */
  remaining: number;
  /** Items of a list that have been read, or where the map's last key starts; -1 for none. */
  at: number;
}

const MAP = 0;
const ARRAY = 1;
const STRING = 2;
const SCALAR = 3;

/** Reads the header of one item after the other into itself: a body may have millions. */
class Header {
  /** MAP, ARRAY, STRING or SCALAR. */
  kind = SCALAR;
  /** Items of an array, entries of a map. */
  count = 0;
  /** First byte of a string's text. */
  text = 0;
  /** Where the item ends; where a container's first item starts. */
  end = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Reads the item at `start` (msgpack specification, "Formats"). Nothing stands at the end of input. */
  read(start: number): void {
    const byte = this.#bytes[start];
    if (byte === undefined) this.#scalar(start);
    else if (byte <= 0x7f || byte >= 0xe0) this.#scalar(start + 1);
    else if (byte <= 0x8f) this.#container(MAP, byte & 0x0f, start + 1);
    else if (byte <= 0x9f) this.#container(ARRAY, byte & 0x0f, start + 1);
    else if (byte <= 0xbf) this.#string(start + 1, byte & 0x1f);
    else this.#wide(byte, start);
  }

  #wide(byte: number, start: number): void {
    switch (byte) {
      case 0xc4:
      case 0xc5:
      case 0xc6: {
        const size = 1 << (byte - 0xc4);
        this.#scalar(start + 1 + size + this.#unsigned(start + 1, size));
        break;
      }
      case 0xc7:
      case 0xc8:
      case 0xc9: {
        const size = 1 << (byte - 0xc7);
        this.#scalar(start + 2 + size + this.#unsigned(start + 1, size));
        break;
      }
      case 0xca:
        this.#scalar(start + 5);
        break;
      case 0xcb:
        this.#scalar(start + 9);
        break;
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        this.#scalar(start + 1 + (1 << (byte & 3)));
        break;
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        this.#scalar(start + 2 + (1 << (byte - 0xd4)));
        break;
      case 0xd9:
      case 0xda:
      case 0xdb: {
        const size = 1 << (byte - 0xd9);
        this.#string(start + 1 + size, this.#unsigned(start + 1, size));
        break;
      }
      case 0xdc:
      case 0xdd: {
        const size = 2 << (byte - 0xdc);
        this.#container(ARRAY, this.#unsigned(start + 1, size), start + 1 + size);
        break;
      }
      case 0xde:
      case 0xdf: {
        const size = 2 << (byte - 0xde);
        this.#container(MAP, this.#unsigned(start + 1, size), start + 1 + size);
        break;
      }
      default:
        // nil, false, true and the unused 0xc1
        this.#scalar(start + 1);
    }
  }

  #scalar(end: number): void {
    this.kind = SCALAR;
    this.end = end;
  }

  #string(text: number, length: number): void {
    this.kind = STRING;
    this.text = text;
    this.end = text + length;
  }

  #container(kind: number, count: number, end: number): void {
    this.kind = kind;
    this.count = count;
    this.end = end;
  }

  /** A big-endian number of 1, 2 or 4 bytes; bytes beyond the end count as 0. */
  #unsigned(start: number, size: number): number {
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 256 + (this.#bytes[start + index] ?? 0);
    return value;
  }
}

/** Locates `offset`, which may be anywhere from 0 to the length of `bytes`. */
export function locateMsgpack(bytes: Uint8Array, offset: number): Location {
  const target = Math.max(0, Math.min(offset, bytes.length));
  const header = new Header(bytes);
  const frames: Frame[] = [];
  let position = 0;
  let unnamed = 0;
  for (;;) {
    while (frames.length > 0 && frames.at(-1)?.remaining === 0) frames.pop();
    header.read(position);
    const frame = frames.at(-1);
    if (frame !== undefined && unnamed === 0) enter(frame, position);
    // INVARIANT: every token but the one at the end of input is at least one byte long, so this ends.
    if (position >= target || header.end > target || header.end >= bytes.length) break;
    if (frame !== undefined && unnamed === 0) frame.remaining--;
    if (header.kind === MAP || header.kind === ARRAY) {
      if (frames.length >= MAX_STEPS) unnamed++;
      else frames.push(open(header));
    }
    position = header.end;
  }
  const steps = frames.map((frame) => stepOf(frame, bytes));
  const last = steps.at(-1);
  return {
    offset: position,
    path: joinPath(steps),
    key: typeof last === "string" ? last : "",
    token: describeToken(bytes, position),
    freeForm: isFreeForm(steps),
  };
}

function open({ kind, count }: Header): Frame {
  const isMap = kind === MAP;
  return { isMap, remaining: isMap ? count * 2 : count, at: -1 };
}

/** Notes at which key or index of `frame` the token at `position` stands. */
function enter(frame: Frame, position: number): void {
  if (!frame.isMap) frame.at++;
  else if (frame.remaining % 2 === 0) frame.at = position;
}

function stepOf({ isMap, at }: Frame, bytes: Uint8Array): Step {
  if (at < 0) return null;
  if (!isMap) return at;
  const key = new Header(bytes);
  key.read(at);
  return key.kind === STRING ? excerpt(bytes, key.text, Math.min(key.end, bytes.length)) : null;
}

/** Strings by their text, anything else by its bytes in hex. */
function describeToken(bytes: Uint8Array, start: number): string {
  if (start >= bytes.length) return "";
  const token = new Header(bytes);
  token.read(start);
  const end = Math.min(token.end, bytes.length);
  if (token.kind === STRING) return JSON.stringify(excerpt(bytes, token.text, end));
  return `0x${Buffer.from(bytes.subarray(start, Math.min(end, start + 9))).toString("hex")}`;
}
