/** Syntax trees and typed expressions as short text, so that tests can be tables. */
import type { CelExpr } from "../../../compiler/cel/expression.ts";
import { parse } from "../../../compiler/cel/parser.ts";
import type { Syntax } from "../../../compiler/cel/syntax.ts";

/** Every call in prefix form: `1 + 2 * 3` is `_+_(1, _*_(2, 3))`. */
export function syntaxText(syntax: Syntax): string {
  switch (syntax.kind) {
    case "literal":
      return literalText(syntax.value);
    case "identifier":
      return `${syntax.root ? "." : ""}${syntax.name}`;
    case "select":
      return `${syntaxText(syntax.operand)}${syntax.optional ? ".?" : "."}${syntax.field}`;
    case "call": {
      const receiver = syntax.target === undefined ? "" : `${syntaxText(syntax.target)}.`;
      return `${receiver}${syntax.name}(${syntax.args.map(syntaxText).join(", ")})`;
    }
    case "and":
    case "or":
      return `${syntax.kind}(${syntax.args.map(syntaxText).join(", ")})`;
    case "list":
      return `[${syntax.items.map(({ value, optional }) => `${optional ? "?" : ""}${syntaxText(value)}`).join(", ")}]`;
    case "map":
      return `{${syntax.entries
        .map(({ key, value, optional }) => `${optional ? "?" : ""}${syntaxText(key)}: ${syntaxText(value)}`)
        .join(", ")}}`;
    case "message":
      return `${syntax.name}{${syntax.fields
        .map(({ name, value, optional }) => `${optional ? "?" : ""}${name}: ${syntaxText(value)}`)
        .join(", ")}}`;
  }
}

/** A constant with its kind, so that `1`, `1u` and `1.0` differ. */
export function literalText(value: (CelExpr & { kind: "literal" })["value"]): string {
  switch (value.kind) {
    case "null":
      return "null";
    case "bool":
    case "int":
      return String(value.value);
    case "uint":
      return `${value.value}u`;
    case "double":
      return `${Object.is(value.value, -0) ? "-0" : value.value}d`;
    case "string":
      return JSON.stringify(value.value);
    case "bytes":
      return `b[${[...value.value].join(" ")}]`;
    case "type":
      return `<${value.name}>`;
  }
}

/** Tree of the text, or the code of its first problem. */
export function parsedText(text: string): string {
  const parsed = parse(text);
  return parsed.ok ? syntaxText(parsed.syntax) : parsed.problem.code;
}

/**
 * What an expression does, without its places and types, for comparing two that mean the same. Types may differ: what
 * `optMap` is printed as leaves more of them open.
 */
export function meaningOf(value: unknown): unknown {
  if (value === undefined) return undefined;
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) => {
      if (key === "span" || key === "type") return undefined;
      if (typeof inner === "bigint") return `${inner}n`;
      if (typeof inner === "number") return Object.is(inner, -0) ? "-0" : String(inner);
      return inner instanceof Uint8Array ? [...inner] : inner;
    }),
  );
}
