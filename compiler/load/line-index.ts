/** Turns offsets into lines and columns. Lines end at LF (so at CRLF too), as editors count them. */

/** 1-based, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export class LineIndex {
  /** Offset of the first character of each line. */
  private readonly starts: readonly number[];

  constructor(text: string) {
    const starts = [0];
    for (let at = nextLineStart(text, 0); at >= 0; at = nextLineStart(text, at)) {
      starts.push(at);
    }
    this.starts = starts;
  }

  /** The position of an offset; offsets past the end belong to the last line. */
  position(offset: number): Position {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.starts[middle] ?? 0) <= offset) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return { line: low + 1, column: offset - (this.starts[low] ?? 0) + 1 };
  }
}

/** Offset after the next line break at or after `from`, -1 when there is none. */
function nextLineStart(text: string, from: number): number {
  const lf = text.indexOf("\n", from);
  return lf < 0 ? -1 : lf + 1;
}
