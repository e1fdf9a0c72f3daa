/** Names, keys and patterns of COMPAT.md section 3: sanitised kinds, scope chains, policy keys, globs. */

const SANITISABLE = /^[A-Za-z][\w@.\-/]*(?::[A-Za-z][\w@.\-/]*)*$/u;

/** The name as policy keys spell it: `album:object` -> `album_object`; names of other shapes stay as they are. */
export function sanitise(name: string): string {
  return SANITISABLE.test(name) ? name.replaceAll(/[^\w.]+/gu, "_") : name;
}

/** `<kind>.<name>.v<version>[/<scope>]`, the name sanitised. */
export function policyKey(
  kind: "resource" | "principal" | "role",
  name: string,
  version: string,
  scope: string,
): string {
  return `${kind}.${sanitise(name)}.v${version}${scope === "" ? "" : `/${scope}`}`;
}

/** The scope and its ancestors, leaf first: `a.b` -> `a.b`, `a`, ``. */
export function scopeChain(scope: string): readonly string[] {
  const chain: string[] = [];
  for (let at = scope; at !== ""; at = at.includes(".") ? at.slice(0, at.lastIndexOf(".")) : "")
    chain.push(at);
  return [...chain, ""];
}

/** Whether a name of a rule (action, role, resource) matches: as a glob when it holds a `*`, else literally. */
export function matchesName(pattern: string, text: string): boolean {
  return pattern.includes("*") ? matchesGlob(pattern, text) : pattern === text;
}

const compiled = new Map<string, RegExp | undefined>();

/** gobwas/glob with the separator `:`; a pattern that is exactly `*` matches everything. Malformed ones match nothing. */
export function matchesGlob(pattern: string, text: string): boolean {
  if (!compiled.has(pattern)) compiled.set(pattern, toRegExp(pattern));
  return compiled.get(pattern)?.test(text) ?? false;
}

const GLOB_PART = /\*\*+|\*|\?|\[(!?)([^\]]+)\]|\\([\s\S])|[{},]|[\s\S]/gu;

function toRegExp(pattern: string): RegExp | undefined {
  if (pattern === "*") return /^[\s\S]*$/u;
  let depth = 0;
  const source = pattern.replaceAll(
    GLOB_PART,
    (part: string, negated?: string, set?: string, escaped?: string) => {
      if (part.startsWith("**")) return "[\\s\\S]*";
      if (part === "*") return "[^:]*";
      if (part === "?") return "[^:]";
      if (set !== undefined) return `[${negated === "!" ? "^" : ""}${set.replaceAll(/[\\\]^[]/gu, "\\$&")}]`;
      if (escaped !== undefined) return literal(escaped);
      if (part === "{") {
        depth += 1;
        return "(?:";
      }
      if (part === "}" && depth > 0) {
        depth -= 1;
        return ")";
      }
      return part === "," && depth > 0 ? "|" : literal(part);
    },
  );
  try {
    return depth === 0 ? new RegExp(`^(?:${source})$`, "u") : undefined;
  } catch {
    return undefined;
  }
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, "\\$&");
}
