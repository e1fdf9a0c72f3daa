/** Where a text stops being JSON (RFC 8259). `JSON.parse` does not always say; asked on the error path only. */

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y;
// oxlint-disable-next-line no-control-regex -- strings have none
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"/y;

/** What may stand at a place: a value, a key, a colon, or what follows a value. */
type Wanted = "value" | "value or ]" | "key" | "key or }" | "colon" | "end";

/** The position at which `text` cannot go on as JSON: that of a token, or the text's length. */
export function jsonFault(text: string): number {
  const open: ("[" | "{")[] = [];
  let wanted: Wanted = "value";
  let at = 0;
  const takes = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    if (!pattern.test(text)) return false;
    at = pattern.lastIndex;
    return true;
  };
  for (;;) {
    takes(SPACE);
    const char = text.charAt(at);
    const closes = char === "]" ? "[" : char === "}" ? "{" : "";
    if (wanted === "colon") {
      if (char !== ":") return at;
      at++;
      wanted = "value";
    } else if (wanted === "key" || (wanted === "key or }" && char !== "}")) {
      if (!takes(STRING)) return at;
      wanted = "colon";
    } else if (closes !== "" && wanted !== "value") {
      if (open.pop() !== closes) return at;
      at++;
      wanted = "end";
    } else if (wanted === "end") {
      if (char !== "," || open.length === 0) return at;
      at++;
      wanted = open.at(-1) === "[" ? "value" : "key";
    } else if (char === "[" || char === "{") {
      open.push(char);
      at++;
      wanted = char === "[" ? "value or ]" : "key or }";
    } else {
      if (!takes(STRING) && !takes(SCALAR)) return at;
      wanted = "end";
    }
  }
}
