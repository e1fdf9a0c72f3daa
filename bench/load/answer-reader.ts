/**
 * Finds the answers in what a keep-alive connection receives: heads are searched for status and Content-Length, bodies are
 * counted and not looked at. Answers come in the order of the requests. Chunked answers are not understood.
 */

const HEAD_END = Buffer.from("\r\n\r\n", "latin1");
const NO_BYTES = Buffer.alloc(0);

/** Called for every complete answer, with the length of its body. */
export type Answered = (ok: boolean, bodyLength: number) => void;

export class AnswerReader {
  readonly #answered: Answered;
  /** A head that has not ended yet. */
  #early = NO_BYTES;
  /** Bytes of the current body still to come; -1 while waiting for a head. */
  #missing = -1;
  #bodyLength = 0;
  #ok = false;

  constructor(answered: Answered) {
    this.#answered = answered;
  }

  /** Takes what was received; keeps none of it, so that its memory can be used again. */
  read(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#early.byteLength > 0) {
      bytes = Buffer.concat([this.#early, chunk]);
      this.#early = NO_BYTES;
    }
    let at = 0;
    while (at < bytes.byteLength || this.#missing === 0) {
      if (this.#missing < 0) {
        const headEnd = bytes.indexOf(HEAD_END, at);
        if (headEnd < 0) {
          this.#early = Buffer.from(bytes.subarray(at));
          return;
        }
        this.#readHead(bytes.toString("latin1", at, headEnd));
        at = headEnd + HEAD_END.byteLength;
      }
      const taken = Math.min(this.#missing, bytes.byteLength - at);
      this.#missing -= taken;
      at += taken;
      if (this.#missing > 0) return;
      this.#missing = -1;
      this.#answered(this.#ok, this.#bodyLength);
    }
  }

  #readHead(head: string): void {
    this.#ok = head.startsWith("HTTP/1.1 2");
    const at = head.search(/content-length: /i);
    this.#bodyLength = at < 0 ? 0 : Number.parseInt(head.slice(at + 16), 10);
    this.#missing = this.#bodyLength;
  }
}
