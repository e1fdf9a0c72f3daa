/**
 * A growing block of bytes with a fixed base address: the image under construction. Equal contents get one address,
 * which is what keeps the tables of thousands of generated policies small.
 */
import { IMAGE_BASE } from "../../assembly/abi.ts";

export class Blob {
  #bytes = Buffer.alloc(1 << 16);
  #view = viewOf(this.#bytes);
  #length = 0;
  /** Content, one character per byte, to address. */
  readonly #known = new Map<string, number>();
  /** Addresses of contents that are too long to be keys, by length. */
  readonly #knownLong = new Map<number, number[]>();

  /** Bytes used so far, a multiple of 8. */
  get length(): number {
    return this.#length;
  }

  /** Address of a block equal to `content`, 8-byte aligned; adds it when it is new. */
  bytes(content: Uint8Array): number {
    const start = this.#room(content.length);
    this.#bytes.set(content, start);
    return this.#settle(start, content.length);
  }

  /** Address and length in bytes of a text in UTF-8. */
  text(content: string): { readonly address: number; readonly length: number } {
    // The text is its own key when a character is a byte.
    const known = content.length <= LONGEST_KEY && ASCII.test(content) ? this.#known.get(content) : undefined;
    if (known !== undefined) return { address: known, length: content.length };
    const start = this.#room(content.length * 3);
    const length = this.#bytes.write(content, start, "utf8");
    return { address: this.#settle(start, length), length };
  }

  /** Address of a block of u32 words equal to `words`. */
  words(words: ArrayLike<number>): number {
    const start = this.#room(words.length * 4);
    this.#write(start, words);
    return this.#settle(start, words.length * 4);
  }

  /** As `words`, for what is hardly ever there already: no equal block is looked for, now or later. */
  ownWords(words: ArrayLike<number>): number {
    const start = this.#room(words.length * 4);
    this.#write(start, words);
    return this.#append(start, words.length * 4);
  }

  /** As `text`, for what is hardly ever there already. */
  ownText(content: string): { readonly address: number; readonly length: number } {
    const start = this.#room(content.length * 3);
    const length = this.#bytes.write(content, start, "utf8");
    return { address: this.#append(start, length), length };
  }

  /** Address of `size` zero bytes that nothing else shares. */
  reserve(size: number): number {
    const start = this.#room(size);
    this.#length = align(start + size);
    return IMAGE_BASE + start;
  }

  setWord(address: number, word: number): void {
    this.#view.setUint32(address - IMAGE_BASE, word >>> 0, true);
  }

  /** Bytes that were added before, as they are. */
  at(address: number, length: number): Uint8Array {
    const start = address - IMAGE_BASE;
    return this.#bytes.subarray(start, start + length);
  }

  /** The finished image, a view; nothing may be added afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where the next block goes; `size` bytes may be written there. */
  #room(size: number): number {
    const end = align(this.#length + size);
    if (end > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
      this.#view = viewOf(grown);
    }
    return this.#length;
  }

  #write(start: number, words: ArrayLike<number>): void {
    for (let index = 0; index < words.length; index++) {
      this.#view.setUint32(start + index * 4, (words[index] ?? 0) >>> 0, true);
    }
  }

  #append(start: number, size: number): number {
    this.#length = align(start + size);
    return IMAGE_BASE + start;
  }

  /** Keeps what was written at the end, or takes it back when it is there already; returns its address. */
  #settle(start: number, size: number): number {
    if (size > LONGEST_KEY) return this.#settleLong(start, size);
    const key = this.#bytes.toString("latin1", start, start + size);
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#bytes.fill(0, start, start + size);
      return known;
    }
    const address = this.#append(start, size);
    this.#known.set(key, address);
    return address;
  }

  #settleLong(start: number, size: number): number {
    const content = this.#bytes.subarray(start, start + size);
    const sameLength = this.#knownLong.get(size) ?? [];
    const known = sameLength.find((address) => content.equals(this.at(address, size)));
    if (known !== undefined) {
      content.fill(0);
      return known;
    }
    const address = this.#append(start, size);
    this.#knownLong.set(size, [...sameLength, address]);
    return address;
  }
}

/** Longest content in bytes that is looked up by itself; of those that are longer there are few. */
const LONGEST_KEY = 64 * 1024;

// oxlint-disable-next-line no-control-regex -- control characters are ASCII too
const ASCII = /^[\x00-\x7f]*$/u;

function align(size: number): number {
  return (size + 7) & ~7;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
