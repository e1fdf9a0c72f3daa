/**
 * Whether a role policy's resource pattern may match a resource kind. Used only to judge missing scopes: bracket and
 * brace syntax counts as matching anything. The globs that decide requests are compiled in stage 4.
 */

/** `*` stays within a segment between colons, `**` does not; a lone `*` matches all. Time is length times length. */
export function mayMatch(pattern: string, kind: string): boolean {
  if (pattern === "*" || /[[{\\]/.test(pattern)) {
    return true;
  }
  if (!pattern.includes("*")) {
    return pattern === kind;
  }
  const tokens = pattern.match(/\*\*+|[\s\S]/g) ?? [];
  // reachable[i]: the tokens so far can match the first i characters.
  let reachable = new Uint8Array(kind.length + 1);
  reachable[0] = 1;
  for (const token of tokens) {
    const next = new Uint8Array(kind.length + 1);
    for (let at = 0; at <= kind.length; at++) {
      const previous = at > 0 ? kind[at - 1] : undefined;
      if (token === "*" || token.startsWith("**")) {
        const extended = at > 0 && next[at - 1] === 1 && (token !== "*" || previous !== ":");
        next[at] = reachable[at] === 1 || extended ? 1 : 0;
      } else if (previous !== undefined && reachable[at - 1] === 1) {
        next[at] = previous === token || (token === "?" && previous !== ":") ? 1 : 0;
      }
    }
    reachable = next;
  }
  return reachable[kind.length] === 1;
}
