/**
 * The frames of `/v1/stream`, read and written by hand so that no object is made of a request or a response:
 *
 *   request   [id, request]     `request` is the msgpack map of POST /api/check/resources, or a `bin` that holds it
 *   answer    [id, response]    `response` is a map, or a `bin` when the request was one
 *             [id, response, note]    note: what HTTP would say in headers, as {denyReason: "evaluation-budget"}
 *             [id, nil, error]        error: {code, message, details}, and retryAfter in seconds where HTTP has that header
 *   notice    [nil, {bundle: "<short digest>"}]    before the first answer, and before the first one by another version
 *
 * One message holds frames one after the other; a request that is a map is the last of its message, because only a `bin` says
 * how long it is without being read. Ids are unsigned integers and come back byte for byte.
 */
import { pack } from "msgpackr";

const FIX_ARRAY_2 = 0x92;
const FIX_ARRAY_3 = 0x93;
const NIL = 0xc0;
const BIN_8 = 0xc4;
const BIN_16 = 0xc5;
const BIN_32 = 0xc6;
const UINT_8 = 0xcc;
const UINT_64 = 0xcf;

/** Most bytes that stand before a response in its frame: array, id of 9 bytes, `bin` of 5. */
const MAX_HEAD = 15;

/** Bytes kept from one message to the next. */
const KEPT_CAPACITY = 256 * 1024;

/** Reads the frames of one message, one after the other. */
export class FrameReader {
  /** Where the id's bytes are. */
  idStart = 0;
  idEnd = 0;
  /** Where the request's bytes are. */
  bodyStart = 0;
  bodyEnd = 0;
  isBin = false;

  /** Reads the frame at `at` and returns where the next one starts; -1 when it is no frame. */
  read(bytes: Uint8Array, at: number): number {
    const end = bytes.byteLength;
    if (bytes[at] !== FIX_ARRAY_2) return -1;
    this.idStart = at + 1;
    const first = bytes[at + 1] ?? NIL;
    if (first < 0x80) this.idEnd = at + 2;
    else if (first >= UINT_8 && first <= UINT_64) this.idEnd = at + 2 + (1 << (first - UINT_8));
    else return -1;
    const body = this.idEnd;
    if (body >= end) return -1;
    const kind = bytes[body] ?? NIL;
    this.isBin = kind >= BIN_8 && kind <= BIN_32;
    if (!this.isBin) {
      this.bodyStart = body;
      this.bodyEnd = end;
      return end;
    }
    const width = 1 << (kind - BIN_8);
    let length = 0;
    for (let index = 1; index <= width; index++) length = length * 256 + (bytes[body + index] ?? 0);
    this.bodyStart = body + 1 + width;
    this.bodyEnd = this.bodyStart + length;
    return this.bodyEnd > end ? -1 : this.bodyEnd;
  }
}

/** Collects answers until they are sent. Its bytes are overwritten after `clear`. */
export class FrameWriter {
  #bytes = new Uint8Array(KEPT_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written, and the memory that an unusually large answer took. */
  clear(): void {
    this.#length = 0;
    if (this.#bytes.byteLength > KEPT_CAPACITY) this.#bytes = new Uint8Array(KEPT_CAPACITY);
  }

  /** An answer whose response is msgpack already; `id` as its bytes. `note` is added when it is not null. */
  response(id: Uint8Array, response: Uint8Array, isBin: boolean, note: unknown = null): void {
    const extra = note === null ? null : pack(note);
    this.#reserve(MAX_HEAD + response.byteLength + (extra?.byteLength ?? 0));
    this.#byte(extra === null ? FIX_ARRAY_2 : FIX_ARRAY_3);
    this.#append(id);
    if (isBin) this.#binHead(response.byteLength);
    this.#append(response);
    if (extra !== null) this.#append(extra);
  }

  /** As `response`, for one that comes in pieces. */
  responseInPieces(
    id: Uint8Array,
    pieces: readonly Uint8Array[],
    isBin: boolean,
    note: unknown = null,
  ): void {
    const extra = note === null ? null : pack(note);
    const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
    this.#reserve(MAX_HEAD + length + (extra?.byteLength ?? 0));
    this.#byte(extra === null ? FIX_ARRAY_2 : FIX_ARRAY_3);
    this.#append(id);
    if (isBin) this.#binHead(length);
    for (const piece of pieces) this.#append(piece);
    if (extra !== null) this.#append(extra);
  }

  /** `packed` is msgpack already. */
  error(id: Uint8Array, packed: Uint8Array): void {
    this.#reserve(MAX_HEAD + packed.byteLength);
    this.#byte(FIX_ARRAY_3);
    this.#append(id);
    this.#byte(NIL);
    this.#append(packed);
  }

  /** Answers that are frames already. */
  frames(answers: Uint8Array): void {
    this.#reserve(answers.byteLength);
    this.#append(answers);
  }

  notice(content: unknown): void {
    const packed = pack([null, content]);
    this.#reserve(packed.byteLength);
    this.#append(packed);
  }

  #binHead(length: number): void {
    const width = length < 0x1_00 ? 1 : length < 0x1_00_00 ? 2 : 4;
    this.#byte(width === 1 ? BIN_8 : width === 2 ? BIN_16 : BIN_32);
    for (let shift = (width - 1) * 8; shift >= 0; shift -= 8) this.#byte((length >>> shift) & 0xff);
  }

  #byte(value: number): void {
    this.#bytes[this.#length++] = value;
  }

  #append(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.byteLength;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.byteLength) return;
    const grown = new Uint8Array(needed * 2);
    grown.set(this.bytes());
    this.#bytes = grown;
  }
}
