/** Glob patterns with what they must and must not match; the separator is `:` (COMPAT.md section 3). */

export interface GlobCase {
  readonly pattern: string;
  readonly text: string;
  readonly want: boolean;
}

const TABLE: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["*", ["", "a", "a:b:c"], []],
  ["view:*", ["view:", "view:a"], ["view", "view:a:b", "xview:a"]],
  ["view:**", ["view:", "view:a:b"], ["view"]],
  ["view:**:z", ["view:a:z", "view:a:b:z"], ["view:z", "view:a:b"]],
  ["*:read", ["doc:read", ":read"], ["a:doc:read", "doc:reads"]],
  ["a*b*c", ["abc", "axxbyyc", "abbc", "abcbc"], ["a:bc", "ab", "abcd"]],
  ["*a*b", ["ab", "xaab"], ["xa:ab"]],
  ["**a*b", ["x:ab", "a:axb"], ["ab:"]],
  ["a?c*", ["abc", "a\u{1f600}cx"], ["ac", "a:c"]],
  ["[ab]*", ["a", "bx"], ["c", ""]],
  ["[!ab]*", ["c", "\u{e9}"], ["a", ""]],
  ["[a-c]x*", ["ax", "cx"], ["dx"]],
  ["{get,list}:*", ["get:x", "list:"], ["put:x", "get"]],
  ["{a*,b}c", ["axc", "bc"], ["b:c", "a:c"]],
  [String.raw`\*x*`, ["*x", "*xy"], ["ax"]],
  ["caf\u{e9}*", ["caf\u{e9}", "caf\u{e9}s"], ["cafe"]],
];

export const GLOB_CASES: readonly GlobCase[] = TABLE.flatMap(([pattern, matching, others]) =>
  [
    matching.map((text) => ({ pattern, text, want: true })),
    others.map((text) => ({ pattern, text, want: false })),
  ].flat(),
);
