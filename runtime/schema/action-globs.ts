/**
 * Whether actions match the globs of a schema's `ignoreWhen` (COMPAT.md section 3): `*` and `?` stop at colons, `**` does not,
 * `[...]` and `{a,b}` as elsewhere. Compiled once per bundle to a regular expression of linear time.
 */
import { RE2JS } from "@bufbuild/re2";

/** A test for one glob. A glob that cannot be read matches nothing, so that nothing is ignored. */
export function globTest(glob: string): (action: string) => boolean {
  if (glob === "*") return () => true;
  try {
    const pattern = RE2JS.compile(translate(glob), RE2JS.DOTALL);
    return (action) => pattern.matches(action);
  } catch {
    return () => false;
  }
}

function translate(glob: string): string {
  let out = "";
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    if (char === "*") {
      const isDouble = glob.charAt(at + 1) === "*";
      if (isDouble) at++;
      out += isDouble ? ".*" : "[^:]*";
    } else if (char === "?") out += "[^:]";
    else if (char === "{") {
      depth++;
      out += "(?:";
    } else if (char === "}" && depth > 0) {
      depth--;
      out += ")";
    } else if (char === "," && depth > 0) out += "|";
    else if (char === "[") {
      const end = glob.indexOf("]", at + 1);
      if (end < 0) throw new SyntaxError("unclosed class");
      const body = glob
        .slice(at + 1, end)
        .replace(/^!/u, "^")
        .replaceAll("\\", "\\\\");
      out += `[${body}]`;
      at = end;
    } else if (char === "\\" && at + 1 < glob.length) out += RE2JS.quote(glob.charAt(++at));
    else out += RE2JS.quote(char);
  }
  if (depth > 0) throw new SyntaxError("unclosed alternatives");
  return out;
}
