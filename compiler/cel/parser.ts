/**
 * Tokens to syntax tree: recursive descent over the grammar of cel-spec langdef ("Syntax") with cel-go's additions
 * (optional selection, backtick fields). Every method carries its production. Macros are not expanded here and names
 * not resolved. The first problem ends the parse: it is kept, and from then on the parser sees only the end of the
 * text, so that every loop stops without exceptions.
 */
import type { CelConstant, Span } from "./expression.ts";
import { lex, type Token } from "./lexer.ts";
import { MAX_NESTING, MAX_TREE_DEPTH } from "./limits.ts";
import { numberValue } from "./number-literals.ts";
import type { CelCode, Problem } from "./problem.ts";
import type { Syntax } from "./syntax.ts";

export type Parsed =
  | { readonly ok: true; readonly syntax: Syntax }
  | { readonly ok: false; readonly problem: Problem };

/** Words that langdef keeps for later; they may be field names but nothing else. */
const RESERVED = new Set([
  "as",
  "break",
  "const",
  "continue",
  "else",
  "for",
  "function",
  "if",
  "import",
  "let",
  "loop",
  "package",
  "namespace",
  "return",
  "var",
  "void",
  "while",
]);

/** Words of the grammar; not even field names. */
const KEYWORDS = new Set(["true", "false", "null", "in"]);

const RELATIONS: Readonly<Record<string, string>> = {
  "<": "_<_",
  "<=": "_<=_",
  ">=": "_>=_",
  ">": "_>_",
  "==": "_==_",
  "!=": "_!=_",
};
const SUMS: Readonly<Record<string, string>> = { "+": "_+_", "-": "_-_" };
const PRODUCTS: Readonly<Record<string, string>> = { "*": "_*_", "/": "_/_", "%": "_%_" };

/** Parses one expression. Never throws, whatever the text. */
export function parse(text: string): Parsed {
  const lexed = lex(text);
  if (!lexed.ok) return lexed;
  return new Parser(text, lexed.tokens).parse();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #position = 0;
  #nesting = 0;
  #problem: Problem | undefined;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#tokens = tokens;
  }

  /** `Start = Expr EOF` */
  parse(): Parsed {
    const syntax = this.#parseExpr();
    if (this.#token.kind !== "end") this.#unexpected("an operator or the end");
    return this.#problem === undefined ? { ok: true, syntax } : { ok: false, problem: this.#problem };
  }

  /** `Expr = ConditionalOr ["?" ConditionalOr ":" Expr]` */
  #parseExpr(): Syntax {
    this.#nesting++;
    if (this.#nesting > MAX_NESTING) this.#tooDeep();
    const condition = this.#parseConditionalOr();
    const question = this.#take("?");
    let result = condition;
    if (question !== undefined) {
      const then = this.#parseConditionalOr();
      this.#expect(":");
      result = this.#call("_?_:_", question, [condition, then, this.#parseExpr()]);
    }
    this.#nesting--;
    return result;
  }

  /** `ConditionalOr = ConditionalAnd {"||" ConditionalAnd}` */
  #parseConditionalOr(): Syntax {
    const args = [this.#parseConditionalAnd()];
    while (this.#take("||") !== undefined) args.push(this.#parseConditionalAnd());
    return this.#logic("or", args);
  }

  /** `ConditionalAnd = Relation {"&&" Relation}` */
  #parseConditionalAnd(): Syntax {
    const args = [this.#parseRelation()];
    while (this.#take("&&") !== undefined) args.push(this.#parseRelation());
    return this.#logic("and", args);
  }

  /** `Relation = Addition {("<" | "<=" | ">=" | ">" | "==" | "!=" | "in") Addition}` */
  #parseRelation(): Syntax {
    let left = this.#parseAddition();
    for (;;) {
      const token = this.#token;
      const isIn = token.kind === "identifier" && token.name === "in";
      const operator = isIn ? "@in" : RELATIONS[token.kind];
      if (operator === undefined) return left;
      this.#advance();
      left = this.#call(operator, token, [left, this.#parseAddition()]);
    }
  }

  /** `Addition = Multiplication {("+" | "-") Multiplication}` */
  #parseAddition(): Syntax {
    let left = this.#parseMultiplication();
    for (;;) {
      const token = this.#token;
      const operator = SUMS[token.kind];
      if (operator === undefined) return left;
      this.#advance();
      left = this.#call(operator, token, [left, this.#parseMultiplication()]);
    }
  }

  /** `Multiplication = Unary {("*" | "/" | "%") Unary}` */
  #parseMultiplication(): Syntax {
    let left = this.#parseUnary();
    for (;;) {
      const token = this.#token;
      const operator = PRODUCTS[token.kind];
      if (operator === undefined) return left;
      this.#advance();
      left = this.#call(operator, token, [left, this.#parseUnary()]);
    }
  }

  /** `Unary = Member | "!" {"!"} Member | "-" {"-"} Member`; an even number of signs cancels out. */
  #parseUnary(): Syntax {
    const first = this.#token;
    if (first.kind !== "!" && first.kind !== "-") return this.#parseMember();
    let signs = 0;
    while (this.#token.kind === first.kind && !this.#atSignedNumber()) {
      this.#advance();
      signs++;
    }
    if (first.kind === "!" && this.#token.kind === "-" && !this.#atSignedNumber()) {
      this.#unexpected("a value");
    }
    const operand = this.#parseMember();
    if (signs % 2 === 0) return operand;
    return this.#call(first.kind === "!" ? "!_" : "-_", first, [operand]);
  }

  /**
   * `Member = Primary {"." ["?"] SELECTOR ["(" [ExprList] ")"] | "[" ["?"] Expr "]" | "{" [FieldInits] [","] "}"}`;
   * the last form only after a plain qualified name.
   */
  #parseMember(): Syntax {
    const parenthesised = this.#token.kind === "(";
    let member = this.#parsePrimary();
    for (;;) {
      if (this.#take(".") !== undefined) {
        member = this.#parseSelector(member);
      } else if (this.#take("[") !== undefined) {
        member = this.#parseIndex(member);
      } else if (this.#token.kind === "{" && !parenthesised) {
        const name = qualifiedName(member);
        if (name === undefined) return member;
        member = this.#parseMessage(name, member.span.start);
      } else {
        return member;
      }
    }
  }

  /** `Selector = ["?"] (IDENT | "`" ESC_IDENT "`") | IDENT "(" [ExprList] ")"`, after the dot. */
  #parseSelector(operand: Syntax): Syntax {
    const optional = this.#take("?") !== undefined;
    const token = this.#token;
    if (token.kind === "quoted") {
      this.#advance();
    } else if (token.kind !== "identifier" || KEYWORDS.has(token.name)) {
      this.#unexpected("a field name");
      return operand;
    } else {
      this.#advance();
      if (!optional && this.#take("(") !== undefined) {
        const args = this.#parseExprList(")");
        return this.#call(token.name, token, args, operand);
      }
    }
    return this.#node(operand.span.start, [operand], {
      kind: "select",
      operand,
      field: token.name,
      fieldSpan: { start: token.start, end: token.end },
      optional,
    });
  }

  /** `Index = "[" ["?"] Expr "]"`, after the bracket. */
  #parseIndex(operand: Syntax): Syntax {
    const bracket = this.#previous;
    const optional = this.#take("?") !== undefined;
    const index = this.#parseExpr();
    this.#expect("]");
    return this.#call(optional ? "_[?_]" : "_[_]", bracket, [operand, index], undefined, operand.span.start);
  }

  /** `Primary = ["."] IDENT ["(" [ExprList] ")"] | "(" Expr ")" | List | Map | Literal` */
  #parsePrimary(): Syntax {
    const token = this.#token;
    if (this.#take("(") !== undefined) {
      const inner = this.#parseExpr();
      this.#expect(")");
      return inner;
    }
    if (this.#take("[") !== undefined) return this.#parseList(token.start);
    if (this.#take("{") !== undefined) return this.#parseMap(token.start);
    if (this.#take(".") !== undefined) return this.#parseIdentifier(token.start, true);
    if (token.kind !== "identifier") return this.#parseNumberOrText();
    return KEYWORDS.has(token.name)
      ? this.#parseKeyword(token.name)
      : this.#parseIdentifier(token.start, false);
  }

  /** `Identifier = ["."] IDENT ["(" [ExprList] ")"]`, after the dot. */
  #parseIdentifier(start: number, root: boolean): Syntax {
    const token = this.#token;
    if (token.kind !== "identifier" || KEYWORDS.has(token.name)) {
      this.#unexpected("a name");
      return this.#placeholder();
    }
    this.#advance();
    if (RESERVED.has(token.name)) this.#fail("EDICT3007", { name: token.name }, token);
    if (this.#take("(") !== undefined) {
      const args = this.#parseExprList(")");
      return this.#call(token.name, token, args, undefined, start);
    }
    return this.#node(start, [], { kind: "identifier", name: token.name, root });
  }

  /** `Keyword = "true" | "false" | "null"` */
  #parseKeyword(name: string): Syntax {
    if (name === "in") {
      this.#unexpected("a value");
      return this.#placeholder();
    }
    const { start } = this.#token;
    this.#advance();
    const value: CelConstant = name === "null" ? { kind: "null" } : { kind: "bool", value: name === "true" };
    return this.#node(start, [], { kind: "literal", value });
  }

  /** `Literal = ["-"] INT_LIT | UINT_LIT | ["-"] FLOAT_LIT | STRING_LIT | BYTES_LIT` */
  #parseNumberOrText(): Syntax {
    const first = this.#token;
    const negative = this.#atSignedNumber();
    if (negative) this.#advance();
    const token = this.#token;
    if (token.kind === "text") {
      this.#advance();
      return this.#node(first.start, [], { kind: "literal", value: token.value });
    }
    if (token.kind !== "int" && token.kind !== "uint" && token.kind !== "double") {
      this.#unexpected("a value");
      return this.#placeholder();
    }
    this.#advance();
    const value = numberValue(token.kind, token.digits, negative);
    if (value === undefined) {
      const number = this.#text.slice(first.start, token.end);
      this.#fail("EDICT3006", { number, type: token.kind }, { start: first.start, end: token.end });
      return this.#placeholder();
    }
    return this.#node(first.start, [], { kind: "literal", value });
  }

  /** `ExprList = Expr {"," Expr}`, then the closing bracket; no comma at the end. */
  #parseExprList(close: ")"): readonly Syntax[] {
    const args: Syntax[] = [];
    if (this.#take(close) !== undefined) return args;
    do {
      args.push(this.#parseExpr());
    } while (this.#take(",") !== undefined);
    this.#expect(close);
    return args;
  }

  /** `List = "[" [["?"] Expr {"," ["?"] Expr}] [","] "]"`, after the bracket. */
  #parseList(start: number): Syntax {
    const items: { value: Syntax; optional: boolean }[] = [];
    for (let more = !this.#at("]") && !this.#at(","); more; more = this.#takeSeparator("]")) {
      const optional = this.#take("?") !== undefined;
      items.push({ value: this.#parseExpr(), optional });
    }
    this.#take(",");
    this.#expect("]");
    return this.#node(
      start,
      items.map((item) => item.value),
      { kind: "list", items },
    );
  }

  /** `Map = "{" [MapInits] [","] "}"`, `MapInits = ["?"] Expr ":" Expr {"," ["?"] Expr ":" Expr}`, after the brace. */
  #parseMap(start: number): Syntax {
    const entries: { key: Syntax; value: Syntax; optional: boolean }[] = [];
    for (let more = !this.#at("}") && !this.#at(","); more; more = this.#takeSeparator("}")) {
      const optional = this.#take("?") !== undefined;
      const key = this.#parseExpr();
      this.#expect(":");
      entries.push({ key, value: this.#parseExpr(), optional });
    }
    this.#take(",");
    this.#expect("}");
    return this.#node(
      start,
      entries.flatMap(({ key, value }) => [key, value]),
      { kind: "map", entries },
    );
  }

  /** `Message = QUALIFIED_NAME "{" [["?"] FIELD ":" Expr {"," ["?"] FIELD ":" Expr}] [","] "}"` */
  #parseMessage(name: string, start: number): Syntax {
    this.#expect("{");
    const fields: { name: string; value: Syntax; optional: boolean }[] = [];
    for (let more = !this.#at("}") && !this.#at(","); more; more = this.#takeSeparator("}")) {
      const optional = this.#take("?") !== undefined;
      const field = this.#token;
      if (field.kind !== "quoted" && (field.kind !== "identifier" || KEYWORDS.has(field.name))) {
        this.#unexpected("a field name");
        return this.#placeholder();
      }
      this.#advance();
      this.#expect(":");
      fields.push({ name: field.name, value: this.#parseExpr(), optional });
    }
    this.#take(",");
    this.#expect("}");
    return this.#node(
      start,
      fields.map((field) => field.value),
      { kind: "message", name, fields },
    );
  }

  get #token(): Token {
    return this.#tokens[this.#position] ?? END;
  }

  get #next(): Token {
    return this.#tokens[this.#position + 1] ?? END;
  }

  get #previous(): Token {
    return this.#tokens[this.#position - 1] ?? END;
  }

  #at(kind: Token["kind"]): boolean {
    return this.#token.kind === kind;
  }

  #advance(): void {
    if (this.#position < this.#tokens.length - 1) this.#position++;
  }

  #take(kind: Token["kind"]): Token | undefined {
    const token = this.#token;
    if (token.kind !== kind) return undefined;
    this.#advance();
    return token;
  }

  /** Takes a comma, unless it is the last one before the closing bracket. */
  #takeSeparator(close: Token["kind"]): boolean {
    if (!this.#at(",") || this.#next.kind === close) return false;
    this.#advance();
    return true;
  }

  #expect(kind: Token["kind"]): void {
    if (this.#take(kind) === undefined) this.#unexpected(`\`${kind}\``);
  }

  #atSignedNumber(): boolean {
    return this.#token.kind === "-" && (this.#next.kind === "int" || this.#next.kind === "double");
  }

  /** Keeps the first problem and moves to the end. */
  #fail(code: CelCode, params: Problem["params"], { start, end }: Span): void {
    this.#problem ??= { code, params, span: { start, end } };
    this.#position = this.#tokens.length - 1;
  }

  #unexpected(expected: string): void {
    const { kind, start, end } = this.#token;
    if (kind === "end") this.#fail("EDICT3002", { expected }, { start, end });
    else this.#fail("EDICT3001", { found: this.#text.slice(start, end), expected }, { start, end });
  }

  #tooDeep(): void {
    this.#fail("EDICT3008", { limit: MAX_NESTING }, this.#token);
  }

  #placeholder(): Syntax {
    return { kind: "literal", value: { kind: "null" }, span: { start: 0, end: 0 }, depth: 1 };
  }

  #logic(kind: "and" | "or", args: readonly Syntax[]): Syntax {
    const [first] = args;
    if (args.length === 1 && first !== undefined) return first;
    return this.#node(first?.span.start ?? 0, args, { kind, args });
  }

  #call(
    name: string,
    { start, end }: Span,
    args: readonly Syntax[],
    target?: Syntax,
    from = Math.min(target?.span.start ?? start, args[0]?.span.start ?? start, start),
  ): Syntax {
    const nameSpan = { start, end };
    const children = target === undefined ? args : [target, ...args];
    const call = target === undefined ? { name, nameSpan, args } : { name, nameSpan, target, args };
    return this.#node(from, children, { kind: "call", ...call });
  }

  /** Completes a node that ends before the current token. */
  #node(start: number, children: readonly Syntax[], fields: Bare<Syntax>): Syntax {
    let depth = 0;
    for (const child of children) if (child.depth > depth) depth = child.depth;
    if (depth >= MAX_TREE_DEPTH) {
      this.#fail("EDICT3008", { limit: MAX_TREE_DEPTH }, this.#previous);
      return this.#placeholder();
    }
    return { ...fields, span: { start, end: this.#previous.end }, depth: depth + 1 };
  }
}

/** A node without what every node has. */
type Bare<Node> = Node extends unknown ? Omit<Node, "span" | "depth"> : never;

const END: Token = { kind: "end", start: 0, end: 0 };

/** `a.b.c` of plain names, else undefined. */
export function qualifiedName(syntax: Syntax): string | undefined {
  const parts: string[] = [];
  let node = syntax;
  while (node.kind === "select" && !node.optional) {
    parts.push(node.field);
    node = node.operand;
  }
  if (node.kind !== "identifier") return undefined;
  parts.push(node.name);
  return parts.reverse().join(".");
}
