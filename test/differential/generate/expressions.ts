/**
 * Random CEL expressions of a wanted type, well-typed as far as the overload table tells. Literals, attributes (present,
 * missing or of another type than the text assumes), variables, calls and macros, nested to a given depth. What neither
 * compiler accepts is found out afterwards (acceptance.ts).
 */
import type { CelType } from "../../../compiler/cel/expression.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  mapOf,
} from "../../../compiler/cel/types.ts";
import type { Random } from "../random.ts";
import { attributesOf, CLAIMS, type Shape } from "./attributes.ts";
import { candidates, instantiate, written } from "./calls.ts";
import { literal } from "./literals.ts";
import { macro, special } from "./macros.ts";
import { textPool, type TextPool } from "./texts.ts";
import { guarded, type Name, type Names, type Writing } from "./writing.ts";

/** Types that a type parameter may stand for. */
const SIMPLE: readonly CelType[] = [DYN, INT, DOUBLE, STRING, BOOL, UINT, TIMESTAMP, BYTES, DURATION];
const HASHABLE: readonly CelType[] = [STRING, STRING, STRING, INT, BOOL, UINT];

const CLAIM_OWNERS: readonly string[] = [
  "request.auxData.jwt",
  "request.aux_data.jwt",
  "request.auxData.jwts.a.claims",
  'request.auxData.jwts["b"].claims',
];

export class Writer implements Writing {
  readonly random: Random;
  readonly names: Names;
  /** Macro variables in scope, innermost last. */
  readonly locals: Name[] = [];
  #fresh = 0;

  constructor(random: Random, names: Names) {
    this.random = random;
    this.names = names;
  }

  /** An expression that is more than a literal or a name, where the type allows it. */
  writeTop(type: CelType, depth: number): string {
    const { random } = this;
    const deep = 1 + random.below(depth);
    if (random.chance(0.2)) return macro(this, type, deep) ?? this.write(type, deep);
    if (random.chance(0.25)) return special(this, type, deep) ?? this.write(type, deep);
    return this.call(type, deep) ?? this.write(type, deep);
  }

  /** An expression that can stand anywhere a primary can. */
  write(wanted: CelType, depth: number, pool: TextPool = "word"): string {
    const { random } = this;
    const type = withUsableKeys(wanted);
    if (type.kind !== "dyn" && random.chance(0.08)) return this.#dynamic(type, depth);
    if (depth <= 0 || random.chance(0.2)) return this.leaf(type, pool);
    if (random.chance(0.22)) return macro(this, type, depth) ?? this.leaf(type, pool);
    if (random.chance(0.18))
      return special(this, type, depth) ?? this.call(type, depth) ?? this.leaf(type, pool);
    return this.call(type, depth) ?? this.leaf(type, pool);
  }

  /** A value whose type only shows when it is there. */
  #dynamic(type: CelType, depth: number): string {
    const { random } = this;
    if (random.chance(0.5)) return this.attribute(["word", "n", "flag", "mixed", "null", "map"]);
    return `dyn(${this.write(random.chance(0.5) ? type : this.simpleType(), depth - 1)})`;
  }

  call(type: CelType, depth: number): string | undefined {
    const { random } = this;
    const candidate = random.pick(random.pick(candidates(type), []), undefined);
    if (candidate === undefined) return undefined;
    const { row } = candidate;
    const bindings = new Map(candidate.bindings);
    const args = row.parameters.map((parameter, index) => {
      const key = index === 1 && row.name === "_[_]";
      const wanted = instantiate(parameter, bindings, () => (key ? this.keyType() : this.simpleType()));
      if (key) return this.#key(wanted);
      // More than memory holds ends the binary.
      if (row.name === "lists.range") return String(random.below(6) - 1);
      return this.write(wanted, depth - 1, textPool(row.name, index));
    });
    return written(
      row,
      args.map((arg) => guarded(arg)),
    );
  }

  /**
   * A key that some map can have. A constant that can be no key (`m[null]`) makes Cerbos drop the whole rule without a
   * word, see docs/differences.md.
   */
  #key(type: CelType): string {
    const { kind } = type;
    return this.leaf(
      kind === "string" || kind === "int" || kind === "bool" || kind === "uint" ? type : STRING,
    );
  }

  leaf(wanted: CelType, pool: TextPool = "word"): string {
    const { random } = this;
    const type = withUsableKeys(wanted);
    const known = [...this.locals, ...this.names.definitions].filter(
      (name) => name.type.kind === type.kind && (type.kind !== "list" || same(name.type, type)),
    );
    if (known.length > 0 && random.chance(0.4)) return random.pick(known, { name: "", type }).name;
    if (random.chance(0.5)) {
      const read = this.#input(type, pool);
      if (read !== undefined) return read;
    }
    const { kind } = type;
    if (kind === "list") {
      return `[${Array.from({ length: random.below(4) }, () => this.leaf(type.element, pool)).join(", ")}]`;
    }
    if (kind === "map") {
      return random.chance(0.1) ? "{}" : `{${this.leaf(type.key)}: ${this.leaf(type.value)}}`;
    }
    if (kind === "optional") {
      return random.chance(0.2) ? "optional.none()" : `optional.of(${this.leaf(type.value)})`;
    }
    return literal(type, random, pool) ?? this.call(type, 1) ?? this.attribute(["mixed"]);
  }

  /** What the request offers for a type, converted where JSON has no such type. */
  #input(type: CelType, pool: TextPool): string | undefined {
    const { random } = this;
    switch (type.kind) {
      case "string":
        if (random.chance(0.1))
          return random.pick(
            ["P.id", "R.kind", "R.id", "P.scope", "R.policyVersion", "request.principal.id"],
            "P.id",
          );
        return this.attribute([pool]);
      case "double":
      case "dyn":
        return this.attribute(
          type.kind === "double" ? ["n"] : ["n", "word", "flag", "mixed", "record", "words", "null"],
        );
      case "bool":
        return this.attribute(["flag"]);
      case "int":
        return random.chance(0.5)
          ? `int(${this.attribute(["n"])})`
          : `size(${this.attribute(["words", "word", "map"])})`;
      case "uint":
        return `uint(${this.attribute(["n"])})`;
      case "timestamp":
        return `timestamp(${this.attribute(["instant"])})`;
      case "duration":
        return `duration(${this.attribute(["duration"])})`;
      case "list":
        if (this.names.runtime && type.element.kind === "string" && random.chance(0.15))
          return "runtime.effectiveDerivedRoles";
        if (type.element.kind === "string" && random.chance(0.2)) return "P.roles";
        return this.attribute(type.element.kind === "string" ? ["words"] : ["numbers", "mixed", "records"]);
      case "map":
        return this.attribute(["map", "record"]);
      case "bytes":
        return `bytes(${this.attribute(["word"])})`;
      case "null":
        return this.attribute(["null"]);
      case "optional":
        return `${random.pick(["P", "R"], "R")}.attr.?${random.pick([...attributesOf("n", "word"), "missing"], "n")}`;
      case "type":
        return `type(${this.attribute(["mixed", "n", "word"])})`;
      case "parameter":
      case "object":
        return undefined;
    }
  }

  /** An attribute whose usual value has one of these shapes. */
  attribute(shapes: readonly Shape[]): string {
    const { random } = this;
    const name = random.chance(0.02) ? "missing" : random.pick(attributesOf(...shapes), "mixed");
    if (CLAIMS.includes(name) && random.chance(0.08)) return `${random.pick(CLAIM_OWNERS, "")}.${name}`;
    const owner = random.pick(
      ["P.attr", "R.attr", "R.attr", "request.resource.attr", "request.principal.attr"],
      "R.attr",
    );
    return random.chance(0.1) ? `${owner}["${name}"]` : `${owner}.${name}`;
  }

  simpleType(): CelType {
    return this.random.pick(SIMPLE, INT);
  }

  keyType(): CelType {
    return this.random.pick(HASHABLE, STRING);
  }

  collectionType(): CelType {
    return this.random.chance(0.75) ? listOf(this.simpleType()) : mapOf(this.keyType(), this.simpleType());
  }

  freshName(): string {
    this.#fresh += 1;
    return `x${this.#fresh}`;
  }

  /** Writes with more names in scope. */
  within<T>(names: readonly Name[], write: () => T): T {
    this.locals.push(...names);
    try {
      return write();
    } finally {
      this.locals.length -= names.length;
    }
  }
}

/** A constant map with keys of other types (`{b"a": 1}`) makes Cerbos drop the whole rule too. */
function withUsableKeys(type: CelType): CelType {
  if (type.kind !== "map") return type;
  const isUsable = type.key.kind === "dyn" || HASHABLE.some(({ kind }) => kind === type.key.kind);
  return isUsable ? type : mapOf(STRING, type.value);
}

function same(a: CelType, b: CelType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
