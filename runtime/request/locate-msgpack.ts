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
  step: Step;
}

/** One item's header: what it is and where it ends (for containers: where their first item starts). */
interface Token {
  readonly kind: "map" | "array" | "string" | "scalar";
  readonly count: number;
  /** First byte of a string's text. */
  readonly text: number;
  readonly end: number;
}

/** Locates `offset`, which may be anywhere from 0 to the length of `bytes`. */
export function locateMsgpack(bytes: Uint8Array, offset: number): Location {
  const target = Math.max(0, Math.min(offset, bytes.length));
  const frames: Frame[] = [];
  let position = 0;
  let end = 0;
  let unnamed = 0;
  for (;;) {
    while (frames.length > 0 && frames.at(-1)?.remaining === 0) frames.pop();
    const token = readToken(bytes, position);
    end = Math.min(token.end, bytes.length);
    const frame = frames.at(-1);
    if (frame !== undefined && unnamed === 0) enter(frame, bytes, token);
    // INVARIANT: every token but the one at the end of input is at least one byte long, so this ends.
    if (position >= target || token.end > target || token.end >= bytes.length) break;
    if (frame !== undefined && unnamed === 0) frame.remaining--;
    if (token.kind === "map" || token.kind === "array") {
      if (frames.length >= MAX_STEPS) unnamed++;
      else frames.push(open(token));
    }
    position = token.end;
  }
  const steps = frames.map((frame) => frame.step);
  const last = steps.at(-1);
  return {
    offset: position,
    path: joinPath(steps),
    key: typeof last === "string" ? last : "",
    token: describeToken(bytes, position, end),
    freeForm: isFreeForm(steps),
  };
}

function open(token: Token): Frame {
  const isMap = token.kind === "map";
  return { isMap, remaining: isMap ? token.count * 2 : token.count, step: null };
}

/** Notes which key or index of `frame` the token stands at. */
function enter(frame: Frame, bytes: Uint8Array, token: Token): void {
  if (!frame.isMap) frame.step = typeof frame.step === "number" ? frame.step + 1 : 0;
  else if (frame.remaining % 2 === 0) {
    frame.step =
      token.kind === "string" ? excerpt(bytes, token.text, Math.min(token.end, bytes.length)) : null;
  }
}

/** Strings by their text, anything else by its bytes in hex. */
function describeToken(bytes: Uint8Array, start: number, end: number): string {
  if (start >= bytes.length) return "";
  const token = readToken(bytes, start);
  if (token.kind === "string") return JSON.stringify(excerpt(bytes, token.text, end));
  return `0x${Buffer.from(bytes.subarray(start, Math.min(end, start + 9))).toString("hex")}`;
}

/** Reads the header of the item at `start` (msgpack specification, "Formats"). */
function readToken(bytes: Uint8Array, start: number): Token {
  const byte = bytes[start];
  if (byte === undefined) return scalar(start);
  if (byte <= 0x7f || byte >= 0xe0) return scalar(start + 1);
  if (byte <= 0x8f) return container("map", byte & 0x0f, start + 1);
  if (byte <= 0x9f) return container("array", byte & 0x0f, start + 1);
  if (byte <= 0xbf) return string(start + 1, byte & 0x1f);
  switch (byte) {
    case 0xc4:
    case 0xc5:
    case 0xc6: {
      const size = 1 << (byte - 0xc4);
      return scalar(start + 1 + size + unsigned(bytes, start + 1, size));
    }
    case 0xc7:
    case 0xc8:
    case 0xc9: {
      const size = 1 << (byte - 0xc7);
      return scalar(start + 2 + size + unsigned(bytes, start + 1, size));
    }
    case 0xca:
      return scalar(start + 5);
    case 0xcb:
      return scalar(start + 9);
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf:
      return scalar(start + 1 + (1 << (byte - 0xcc)));
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return scalar(start + 1 + (1 << (byte - 0xd0)));
    case 0xd4:
    case 0xd5:
    case 0xd6:
    case 0xd7:
    case 0xd8:
      return scalar(start + 2 + (1 << (byte - 0xd4)));
    case 0xd9:
    case 0xda:
    case 0xdb: {
      const size = 1 << (byte - 0xd9);
      return string(start + 1 + size, unsigned(bytes, start + 1, size));
    }
    case 0xdc:
      return container("array", unsigned(bytes, start + 1, 2), start + 3);
    case 0xdd:
      return container("array", unsigned(bytes, start + 1, 4), start + 5);
    case 0xde:
      return container("map", unsigned(bytes, start + 1, 2), start + 3);
    case 0xdf:
      return container("map", unsigned(bytes, start + 1, 4), start + 5);
    default:
      // nil, false, true and the unused 0xc1
      return scalar(start + 1);
  }
}

function scalar(end: number): Token {
  return { kind: "scalar", count: 0, text: 0, end };
}

function string(text: number, length: number): Token {
  return { kind: "string", count: 0, text, end: text + length };
}

function container(kind: "map" | "array", count: number, end: number): Token {
  return { kind, count, text: 0, end };
}

/** A big-endian number of 1, 2 or 4 bytes; bytes beyond the end count as 0. */
function unsigned(bytes: Uint8Array, start: number, size: number): number {
  let value = 0;
  for (let index = 0; index < size; index++) value = value * 256 + (bytes[start + index] ?? 0);
  return value;
}
