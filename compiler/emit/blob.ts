/**
 * A growing block of bytes with a fixed base address: the image under construction. Equal contents get one address,
 * which is what keeps the tables of thousands of generated policies small.
 */
import { IMAGE_BASE } from "../../assembly/abi.ts";

export class Blob {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  readonly #known = new Map<string, number>();

  /** Bytes used so far, a multiple of 8. */
  get length(): number {
    return this.#length;
  }

  /** Address of a block equal to `content`, 8-byte aligned; adds it when it is new. */
  bytes(content: Uint8Array): number {
    const key = Buffer.from(content.buffer, content.byteOffset, content.byteLength).toString("latin1");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const address = this.reserve(content.length);
    this.#bytes.set(content, address - IMAGE_BASE);
    this.#known.set(key, address);
    return address;
  }

  /** Address of a block of u32 words equal to `words`. */
  words(words: readonly number[]): number {
    const content = new Uint8Array(words.length * 4);
    const view = new DataView(content.buffer);
    words.forEach((word, index) => view.setUint32(index * 4, word >>> 0, true));
    return this.bytes(content);
  }

  /** Address of `size` zero bytes that nothing else shares. */
  reserve(size: number): number {
    const start = this.#length;
    const end = start + ((size + 7) & ~7);
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return IMAGE_BASE + start;
  }

  setWord(address: number, word: number): void {
    this.#view.setUint32(address - IMAGE_BASE, word >>> 0, true);
  }

  /** The finished image. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
