/**
 * Typed expressions back to CEL text, for explanations and golden files. The text means the same and checks to the same
 * expression; it is not the text that was written: long names are short, spaces regular, macros as the checker saw them.
 */
import { overloads } from "./builtins/overload-table.ts";
import type { CelConstant, CelExpr, InputName, MacroName } from "./expression.ts";

/** How tightly an expression holds together; an operand that holds less than its place asks for gets parentheses. */
const LEVEL = {
  conditional: 0,
  or: 1,
  and: 2,
  relation: 3,
  sum: 4,
  product: 5,
  unary: 6,
  member: 7,
} as const;

interface Text {
  readonly text: string;
  readonly level: number;
}

interface Infix {
  readonly symbol: string;
  readonly level: number;
}

const INFIX: ReadonlyMap<string, Infix> = new Map<string, Infix>([
  ["_==_", { symbol: "==", level: LEVEL.relation }],
  ["_!=_", { symbol: "!=", level: LEVEL.relation }],
  ["_<_", { symbol: "<", level: LEVEL.relation }],
  ["_<=_", { symbol: "<=", level: LEVEL.relation }],
  ["_>_", { symbol: ">", level: LEVEL.relation }],
  ["_>=_", { symbol: ">=", level: LEVEL.relation }],
  ["@in", { symbol: "in", level: LEVEL.relation }],
  ["_+_", { symbol: "+", level: LEVEL.sum }],
  ["_-_", { symbol: "-", level: LEVEL.sum }],
  ["_*_", { symbol: "*", level: LEVEL.product }],
  ["_/_", { symbol: "/", level: LEVEL.product }],
  ["_%_", { symbol: "%", level: LEVEL.product }],
]);

const INPUT_TEXT: Readonly<Record<InputName, string>> = {
  request: "request",
  principal: "P",
  "principal.id": "P.id",
  "principal.roles": "P.roles",
  "principal.attr": "P.attr",
  "principal.policyVersion": "P.policyVersion",
  "principal.scope": "P.scope",
  resource: "R",
  "resource.kind": "R.kind",
  "resource.id": "R.id",
  "resource.attr": "R.attr",
  "resource.policyVersion": "R.policyVersion",
  "resource.scope": "R.scope",
  auxData: "request.auxData",
  "auxData.jwt": "request.auxData.jwt",
  "auxData.jwts": "request.auxData.jwts",
  action: "request.action",
  "action.name": "request.action.name",
  "action.properties": "request.action.properties",
  context: "request.context",
  runtime: "runtime",
  "runtime.effectiveDerivedRoles": "runtime.effectiveDerivedRoles",
  globals: "G",
  now: "now()",
};

const MACRO_TEXT: Readonly<Record<MacroName, string>> = {
  all: "all",
  exists: "exists",
  existsOne: "exists_one",
  map: "map",
  filter: "filter",
  transformList: "transformList",
  transformMap: "transformMap",
  transformMapEntry: "transformMapEntry",
  sortBy: "sortBy",
};

/** CEL text of an expression. */
export function unparse(expr: CelExpr): string {
  return print(expr).text;
}

function at(level: number, expr: CelExpr): string {
  const printed = print(expr);
  return printed.level < level ? `(${printed.text})` : printed.text;
}

function member(text: string): Text {
  return { text, level: LEVEL.member };
}

function print(expr: CelExpr): Text {
  switch (expr.kind) {
    case "literal":
      return printLiteral(expr.value);
    case "input":
      return member(INPUT_TEXT[expr.input]);
    case "variable":
      return member(`V.${fieldText(expr.name)}`);
    case "constant":
      return member(`C.${fieldText(expr.name)}`);
    case "definitions":
      return member(expr.of === "variable" ? "V" : "C");
    case "local":
      return member(expr.name);
    case "select": {
      const { operand, field } = expr;
      // A field of what may be absent may be absent itself, without another question mark.
      const mark = expr.optional && operand.type.kind !== "optional" ? ".?" : ".";
      return member(`${at(LEVEL.member, operand)}${mark}${fieldText(field)}`);
    }
    case "has":
      return member(`has(${at(LEVEL.member, expr.operand)}.${fieldText(expr.field)})`);
    case "and":
    case "or": {
      const level = LEVEL[expr.kind];
      const symbol = expr.kind === "and" ? " && " : " || ";
      return { text: expr.args.map((arg) => at(level + 1, arg)).join(symbol), level };
    }
    case "conditional": {
      const condition = at(LEVEL.or, expr.condition);
      const then = at(LEVEL.or, expr.then);
      return {
        text: `${condition} ? ${then} : ${at(LEVEL.conditional, expr.otherwise)}`,
        level: LEVEL.conditional,
      };
    }
    case "call":
      return printCall(expr);
    case "list":
      return member(
        `[${expr.items.map(({ value, optional }) => `${optional ? "?" : ""}${unparse(value)}`).join(", ")}]`,
      );
    case "map": {
      const entries = expr.entries.map(
        ({ key, value, optional }) => `${optional ? "?" : ""}${unparse(key)}: ${unparse(value)}`,
      );
      return member(`{${entries.join(", ")}}`);
    }
    case "macro": {
      const parts = [
        ...expr.variables,
        ...(expr.filter === undefined ? [] : [unparse(expr.filter)]),
        unparse(expr.body),
      ];
      return member(`${at(LEVEL.member, expr.range)}.${MACRO_TEXT[expr.macro]}(${parts.join(", ")})`);
    }
    case "bind":
      return member(`cel.bind(${expr.name}, ${unparse(expr.value)}, ${unparse(expr.body)})`);
  }
}

function printCall(expr: CelExpr & { kind: "call" }): Text {
  const { function: name, args } = expr;
  const [first, second] = args;
  const infix = INFIX.get(name);
  if (infix !== undefined && first !== undefined && second !== undefined) {
    const { level, symbol } = infix;
    return { text: `${at(level, first)} ${symbol} ${at(level + 1, second)}`, level };
  }
  if ((name === "!_" || name === "-_") && first !== undefined) {
    const operand = at(LEVEL.member, first);
    // `-1` would be a literal, and a second sign would cancel the first.
    const text = /^[-!\d.]/.test(operand) ? `(${operand})` : operand;
    return { text: `${name === "!_" ? "!" : "-"}${text}`, level: LEVEL.unary };
  }
  if ((name === "_[_]" || name === "_[?_]") && first !== undefined && second !== undefined) {
    return member(`${at(LEVEL.member, first)}[${name === "_[?_]" ? "?" : ""}${unparse(second)}]`);
  }
  // The instant that timeSince compares with is not written.
  const written = name === "timeSince" ? args.slice(0, 1) : args;
  // `id` as a function takes more than the member, and `matches` as a function takes patterns that fail when evaluated.
  const isMember =
    name !== "id" &&
    name !== "matches" &&
    overloads.get(name)?.some(({ style }) => style === "member") === true;
  const [receiver, ...others] = written;
  if (!isMember || receiver === undefined) return member(`${name}(${written.map(unparse).join(", ")})`);
  return member(`${at(LEVEL.member, receiver)}.${name}(${others.map(unparse).join(", ")})`);
}

function printLiteral(value: CelConstant): Text {
  switch (value.kind) {
    case "null":
      return member("null");
    case "bool":
      return member(String(value.value));
    case "int":
      return member(String(value.value));
    case "uint":
      return member(`${value.value}u`);
    case "double":
      return member(doubleText(value.value));
    case "string":
      return member(`"${escapeText(value.value)}"`);
    case "bytes":
      return member(`b"${[...value.value].map(byteText).join("")}"`);
    case "type":
      return member(value.name);
  }
}

function doubleText(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const text = String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function escapeText(text: string): string {
  return text.replace(/["\\\p{Cc}\u2028\u2029]/gu, (char) => {
    if (char === '"' || char === "\\") return `\\${char}`;
    if (char === "\n") return "\\n";
    if (char === "\t") return "\\t";
    if (char === "\r") return "\\r";
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

function byteText(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[ !#-[\]-~]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
}

/** A field name, between backticks where it is not an identifier. */
function fieldText(field: string): string {
  return /^[A-Za-z_]\w*$/.test(field) && !["true", "false", "null", "in"].includes(field)
    ? field
    : `\`${field}\``;
}
