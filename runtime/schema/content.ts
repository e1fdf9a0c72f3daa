/** The contents of strings: `contentEncoding` and `contentMediaType`, as far as Cerbos's library knows them (base64 and JSON). */

/** Media types whose content is looked at. */
export const JSON_TYPE = "application/json";
/** Encodings that are decoded. */
export const BASE64 = "base64";

/** Go's limit for JSON that is nested. */
const MAX_JSON_DEPTH = 10_000;

/** The text behind base64 with its padding, line breaks left out; null when it is none. */
export function decodeBase64(text: string): string | null {
  const packed = text.replaceAll(/[\r\n]/g, "");
  if (packed.length % 4 !== 0) return null;
  const padding = packed.endsWith("==") ? 2 : packed.endsWith("=") ? 1 : 0;
  if (/[^A-Za-z0-9+/]/.test(packed.slice(0, packed.length - padding))) return null;
  // A byte order mark is content here: JSON must not begin with it.
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.from(packed, "base64"));
}

/** The value of a JSON text, or undefined when it is none. */
export function readJson(text: string): unknown {
  if (text.length > MAX_JSON_DEPTH && isNestedTooDeeply(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (inString) {
      if (char === 0x5c) at++;
      else if (char === 0x22) inString = false;
    } else if (char === 0x22) inString = true;
    else if (char === 0x5b || char === 0x7b) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (char === 0x5d || char === 0x7d) depth--;
  }
  return false;
}
