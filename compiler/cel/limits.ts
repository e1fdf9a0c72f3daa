/** Bounds on hostile expressions. Reaching one is a diagnostic, never a crash; the first two are those of cel-go. */

/** Longest expression, in UTF-16 units. */
export const MAX_TEXT_LENGTH = 100_000;

/** Deepest nesting of brackets, calls and `?:`, in levels. Bounds the recursion of the parser. */
export const MAX_NESTING = 250;

/**
 * Deepest syntax tree, in nodes: left-leaning chains such as `a + b + c` grow it without nesting. Bounds the recursion
 * of the checker and of every later stage.
 */
export const MAX_TREE_DEPTH = 500;

/** Steps of type comparison and substitution per expression. Types can share parts, so a short text can name a huge one. */
export const MAX_TYPE_STEPS = 500_000;

/** Problems reported for one expression; the rest would only repeat the cause. */
export const MAX_PROBLEMS = 20;
