/**
 * The syntax tree: what the parser makes of the text and the checker turns into typed expressions. Operators are calls
 * with the names that cel-spec gives them (`_+_`); macros are still plain calls.
 */
import type { CelConstant, Span } from "./expression.ts";

interface SyntaxNode {
  readonly span: Span;
  /** Height of the tree below and with this node, at most MAX_TREE_DEPTH. */
  readonly depth: number;
}

export type Syntax = SyntaxNode &
  (
    | { readonly kind: "literal"; readonly value: CelConstant }
    /** `name` or, with `root`, `.name`, which skips macro variables. */
    | { readonly kind: "identifier"; readonly name: string; readonly root: boolean }
    | {
        readonly kind: "select";
        readonly operand: Syntax;
        readonly field: string;
        readonly fieldSpan: Span;
        readonly optional: boolean;
      }
    /** A function, a method of `target`, or an operator. `nameSpan` is the name or the operator itself. */
    | {
        readonly kind: "call";
        readonly name: string;
        readonly nameSpan: Span;
        readonly target?: Syntax;
        readonly args: readonly Syntax[];
      }
    /** `&&` and `||`, flattened: two or more arguments. */
    | { readonly kind: "and" | "or"; readonly args: readonly Syntax[] }
    | {
        readonly kind: "list";
        readonly items: readonly { readonly value: Syntax; readonly optional: boolean }[];
      }
    | {
        readonly kind: "map";
        readonly entries: readonly {
          readonly key: Syntax;
          readonly value: Syntax;
          readonly optional: boolean;
        }[];
      }
    /** `google.protobuf.Int32Value{value: 1}`. */
    | {
        readonly kind: "message";
        readonly name: string;
        readonly fields: readonly {
          readonly name: string;
          readonly value: Syntax;
          readonly optional: boolean;
        }[];
      }
  );
