/**
 * Equal texts as one string. Tens of thousands of policies repeat the same keys, roles, actions, expressions and paths;
 * kept once, they take a fraction of the memory and compare by pointer.
 */

/** Longer texts are rarely repeated and costly to hash. */
const MAX_LENGTH = 512;

export class StringTable {
  private readonly strings = new Map<string, string>();

  /** The first string given that is equal to this one. */
  intern(text: string): string {
    if (text.length > MAX_LENGTH) {
      return text;
    }
    const known = this.strings.get(text);
    if (known !== undefined) {
      return known;
    }
    this.strings.set(text, text);
    return text;
  }
}
