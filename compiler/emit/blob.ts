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
    const known = ASCII.test(content) ? this.#known.get(content) : undefined;
    if (known !== undefined) return { address: known, length: content.length };
    const start = this.#room(content.length * 3);
    const length = this.#bytes.write(content, start, "utf8");
    return { address: this.#settle(start, length), length };
  }

  /** Address of a block of u32 words equal to `words`. */
  words(words: readonly number[]): number {
    const start = this.#room(words.length * 4);
    for (let index = 0; index < words.length; index++) {
      this.#view.setUint32(start + index * 4, (words[index] ?? 0) >>> 0, true);
    }
    return this.#settle(start, words.length * 4);
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

  /** The finished image. */
  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(0, this.#length));
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

  /** Keeps what was written at the end, or takes it back when it is there already; returns its address. */
  #settle(start: number, size: number): number {
    const key = this.#bytes.toString("latin1", start, start + size);
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#bytes.fill(0, start, start + size);
      return known;
    }
    this.#length = align(start + size);
    this.#known.set(key, IMAGE_BASE + start);
    return IMAGE_BASE + start;
  }
}

// oxlint-disable-next-line no-control-regex -- control characters are ASCII too
const ASCII = /^[\x00-\x7f]*$/u;

function align(size: number): number {
  return (size + 7) & ~7;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
