/**
 * Checks a value against a compiled schema: the keywords that combine schemas, follow references, and remember what they
 * evaluated. Rules for one type of value are in check-members.ts and check-scalars.ts. The order of keywords and the words of
 * errors are those of the Go library that Cerbos validates with; objects are walked in their own order, where Go's order is
 * random. Stops when enough errors are known, and throws `Unfinished` when the work exceeds its budget.
 */
import { type Budget, MAX_DEPTH, MAX_ERRORS, Unfinished } from "./budget.ts";
import { checkArray, checkObject } from "./check-members.ts";
import { checkNumber, checkString } from "./check-scalars.ts";
import { canonical, typeOf } from "./equality.ts";
import { pointerToken, quote } from "./go-text.ts";
import type { SchemaNode } from "./schema-node.ts";

/** One thing that is wrong. */
export interface Violation {
  /** JSON pointer to the value, percent-encoded; empty for the whole. */
  readonly instance: string;
  /** Where the keyword stands, along the references that led there; empty unless asked for. */
  readonly keyword: string;
  readonly message: string;
}

/** What is left of a value once a schema has looked at it. */
export interface Outcome {
  /** Empty: valid. */
  readonly violations: Violation[];
  /** Members or indexes that no keyword has looked at; null: all of them were looked at, or nobody asks. */
  names: Set<string> | null;
  indexes: Set<number> | null;
}

interface Frame {
  readonly step: string;
  readonly node: SchemaNode;
  /** Ends the look-up of dynamic anchors: between `if` and the end of `then` and `else`. */
  isLeft: boolean;
}

export interface CheckOptions {
  readonly budget: Budget;
  /** Whether any schema asks for unevaluated members or items. */
  readonly tracks: boolean;
  /** Whether violations say where their keyword stands. */
  readonly locates?: boolean;
  /** Pointer to the value in its document; empty when it is the document. */
  readonly at?: string;
}

/** The violations of a value, none when it is valid. Throws `Unfinished`. */
export function checkValue(node: SchemaNode, value: unknown, options: CheckOptions): Violation[] {
  return new Check(options).visit(node, value, "", 0).violations;
}

export class Check {
  readonly budget: Budget;
  readonly tracks: boolean;
  readonly #locates: boolean;
  readonly #at: string;
  readonly #path: string[] = [];
  readonly #scope: Frame[] = [];

  constructor({ budget, tracks, locates = false, at = "" }: CheckOptions) {
    this.budget = budget;
    this.tracks = tracks;
    this.#locates = locates;
    this.#at = at;
  }

  violation(keyword: string, message: string): Violation {
    const instance = this.#path.length === 0 ? this.#at : `${this.#at}/${this.#path.join("/")}`;
    return { instance, keyword: this.#locates ? this.#placeOf(keyword) : "", message };
  }

  /** Where a keyword of the schema in force stands: the steps from the root of the check. */
  #placeOf(keyword: string): string {
    const steps = this.#scope.slice(1).map(({ step }) => `/${step}`);
    return steps.join("") + (keyword === "" ? "" : `/${keyword}`);
  }

  /** Checks a member or an item; its violations are added to `into`. Returns whether it is valid. */
  inner(node: SchemaNode, value: unknown, step: string, name: string, into: Violation[]): boolean {
    this.#path.push(pointerToken(name));
    const { violations } = this.visit(node, value, step, 0);
    this.#path.pop();
    return add(into, violations);
  }

  /** Checks the same value with another schema; what that one evaluated is evaluated, if the value is valid. */
  same(node: SchemaNode, value: unknown, step: string, depth: number, outcome: Outcome): Violation[] {
    const { violations, names, indexes } = this.visit(node, value, step, depth);
    if (this.tracks && violations.length === 0) {
      this.budget.spend((outcome.names?.size ?? 0) + (outcome.indexes?.size ?? 0));
      keep(outcome.names, names);
      keep(outcome.indexes, indexes);
    }
    return violations;
  }

  /** @param depth how many schemas in force look at this very value: none of them may come again */
  visit(node: SchemaNode, value: unknown, step: string, depth: number): Outcome {
    const scope = this.#scope;
    this.budget.spend(1 + depth / 4);
    if (scope.length >= MAX_DEPTH)
      throw new Unfinished("the attributes are nested too deeply for the schema");
    for (let at = scope.length - depth; at < scope.length; at++) {
      if (scope[at]?.node === node) throw new Unfinished("the schema refers to itself without end");
    }
    scope.push({ step, node, isLeft: false });
    const outcome = this.#outcomeOf(value);
    this.#rules(node, value, depth + 1, outcome);
    scope.pop();
    return outcome;
  }

  #outcomeOf(value: unknown): Outcome {
    const outcome: Outcome = { violations: [], names: null, indexes: null };
    if (this.tracks && typeof value === "object" && value !== null) {
      const names = Object.keys(value);
      this.budget.spend(names.length);
      if (Array.isArray(value)) outcome.indexes = new Set(value.keys());
      else outcome.names = new Set(names);
    }
    return outcome;
  }

  #rules(node: SchemaNode, value: unknown, depth: number, outcome: Outcome): void {
    const { violations } = outcome;
    if (node.always !== null) {
      if (!node.always) violations.push(this.violation("", "not allowed"));
      return;
    }
    const type = typeOf(value);
    if (type === undefined) throw new Unfinished("an attribute is no JSON value");
    const { types } = node;
    if (
      types.length > 0 &&
      !types.includes(type) &&
      !(type === "number" && types.includes("integer") && Number.isInteger(value))
    ) {
      violations.push(this.violation("type", `expected ${types.join(" or ")}, but got ${type}`));
      return;
    }
    this.#fixedValues(node, value, violations);
    if (typeof value === "string") {
      if (node.format !== null) {
        this.budget.spend(formatCost(node.format.name, value.length));
        if (!node.format.test(value)) {
          const message = `${quote(value)} is not valid ${quote(node.format.name)}`;
          violations.push(this.violation("format", message));
        }
      }
      if (node.strings !== null) checkString(this, node.strings, value, violations);
    } else if (typeof value === "number") {
      if (node.numbers !== null) checkNumber(this, node.numbers, value, violations);
    } else if (Array.isArray(value)) {
      if (node.arrays !== null) checkArray(this, node.arrays, value, outcome);
    } else if (type === "object" && node.objects !== null) {
      checkObject(this, node.objects, value as Readonly<Record<string, unknown>>, depth, outcome);
    }
    this.#references(node, value, depth, outcome);
    this.#combinations(node, value, depth, outcome);
    this.#unevaluated(node, value, outcome);
  }

  #fixedValues(node: SchemaNode, value: unknown, violations: Violation[]): void {
    const { constant, enumeration } = node;
    if (constant === null && enumeration === null) return;
    const key = canonical(value, this.budget);
    if (constant !== null && constant.key !== key) violations.push(this.violation("const", constant.message));
    if (enumeration !== null && !enumeration.keys.has(key)) {
      violations.push(this.violation("enum", enumeration.message));
    }
  }

  #references(node: SchemaNode, value: unknown, depth: number, outcome: Outcome): void {
    const { ref, recursiveRef, dynamicRef } = node;
    if (ref !== null) add(outcome.violations, this.same(ref, value, "$ref", depth, outcome));
    if (recursiveRef !== null) {
      let target = recursiveRef;
      if (target.recursiveAnchor) {
        target = this.#scope.find((frame) => frame.node.recursiveAnchor)?.node ?? target;
      }
      add(outcome.violations, this.same(target, value, "$recursiveRef", depth, outcome));
    }
    if (dynamicRef !== null) {
      const target = this.#dynamicTarget(node, dynamicRef);
      add(outcome.violations, this.same(target, value, "$dynamicRef", depth, outcome));
    }
  }

  /** The outermost schema in force that has the anchor, below the last one that was left. */
  #dynamicTarget(node: SchemaNode, fallback: SchemaNode): SchemaNode {
    const name = node.dynamicRefAnchor;
    if (name === "" || fallback.dynamicAnchor !== name) return fallback;
    let target = fallback;
    this.budget.spend(this.#scope.length / 8);
    for (let at = this.#scope.length - 1; at >= 0; at--) {
      const frame = this.#scope[at];
      if (frame === undefined || frame.isLeft) break;
      for (const anchor of frame.node.dynamicAnchors) {
        if (anchor.dynamicAnchor === name && anchor !== fallback) {
          target = anchor;
          break;
        }
      }
    }
    return target;
  }

  #combinations(node: SchemaNode, value: unknown, depth: number, outcome: Outcome): void {
    const { violations } = outcome;
    if (node.not !== null && this.same(node.not, value, "not", depth, outcome).length === 0) {
      violations.push(this.violation("not", "not failed"));
    }
    for (const [index, one] of node.allOf.entries()) {
      if (violations.length >= MAX_ERRORS) return;
      add(violations, this.same(one, value, `allOf/${index}`, depth, outcome));
    }
    this.#anyOf(node, value, depth, outcome);
    this.#oneOf(node, value, depth, outcome);
    this.#condition(node, value, depth, outcome);
  }

  #anyOf({ anyOf }: SchemaNode, value: unknown, depth: number, outcome: Outcome): void {
    if (anyOf.length === 0) return;
    const causes: Violation[] = [];
    let matches = false;
    for (const [index, one] of anyOf.entries()) {
      if (add(causes, this.same(one, value, `anyOf/${index}`, depth, outcome))) matches = true;
    }
    if (!matches) add(outcome.violations, causes);
  }

  #oneOf({ oneOf }: SchemaNode, value: unknown, depth: number, outcome: Outcome): void {
    if (oneOf.length === 0) return;
    const causes: Violation[] = [];
    let matched = -1;
    for (const [index, one] of oneOf.entries()) {
      if (!add(causes, this.same(one, value, `oneOf/${index}`, depth, outcome))) continue;
      if (matched >= 0) {
        const message = `valid against schemas at indexes ${matched} and ${index}`;
        outcome.violations.push(this.violation("oneOf", message));
        break;
      }
      matched = index;
    }
    if (matched < 0) add(outcome.violations, causes);
  }

  #condition(node: SchemaNode, value: unknown, depth: number, outcome: Outcome): void {
    if (node.condition === null) return;
    const holds = this.same(node.condition, value, "if", depth, outcome).length === 0;
    const frame = this.#scope.at(-1);
    if (frame !== undefined) frame.isLeft = true;
    const branch = holds ? node.then : node.otherwise;
    if (branch !== null) {
      add(outcome.violations, this.same(branch, value, holds ? "then" : "else", depth, outcome));
    }
    if (frame !== undefined) frame.isLeft = false;
  }

  #unevaluated(node: SchemaNode, value: unknown, outcome: Outcome): void {
    const { violations, names, indexes } = outcome;
    const members = node.objects?.unevaluated ?? null;
    if (members !== null && names !== null) {
      const object = value as Readonly<Record<string, unknown>>;
      for (const name of names) {
        if (violations.length >= MAX_ERRORS) break;
        this.inner(members, object[name], "unevaluatedProperties", name, violations);
      }
      outcome.names = null;
    }
    const items = node.arrays?.unevaluated ?? null;
    if (items !== null && indexes !== null) {
      const array = value as readonly unknown[];
      for (const index of indexes) {
        if (violations.length >= MAX_ERRORS) break;
        this.inner(items, array[index], "unevaluatedItems", String(index), violations);
      }
      outcome.indexes = null;
    }
  }
}

/** Steps for testing a text of some length: compiling a regular expression takes time by the square of it. */
function formatCost(name: string, length: number): number {
  return name === "regex" ? length * length : length / 4;
}

/** Adds violations up to the limit; returns whether there were none. */
function add(into: Violation[], violations: readonly Violation[]): boolean {
  for (const violation of violations) {
    if (into.length >= MAX_ERRORS) break;
    into.push(violation);
  }
  return violations.length === 0;
}

/** Takes out of `left` what is not in `other`. */
function keep<T>(left: Set<T> | null, other: ReadonlySet<T> | null): void {
  if (left === null) return;
  for (const one of left) if (other === null || !other.has(one)) left.delete(one);
}
