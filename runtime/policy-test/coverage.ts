/**
 * Which parts of the policies a test run reached: rules that held, both results of every expression of their conditions,
 * derived roles that became active, and outputs that were given. Learns from the guest's traces; it decides nothing.
 */
import {
  OUTCOME_FALSE,
  OUTCOME_TRUE,
  TRACE_DERIVED_ROLE,
  TRACE_RULE,
  TRACE_WORDS,
} from "../../assembly/abi.ts";
import type { ConditionLeaf, RuleIndex, SourcePlace } from "../bundle/rule-index.ts";
import type { Examination } from "../guest/engine.ts";

/** `condition-true` and `condition-false` are the two results of one expression; an error counts as false. */
export type CoverageKind =
  | "rule"
  | "derived role"
  | "condition-true"
  | "condition-false"
  | "output-activated"
  | "output-not-met";

/** One thing that a test can reach. */
export interface CoverageItem {
  readonly kind: CoverageKind;
  readonly place: SourcePlace;
  /** The rule's policy and name, the derived role's name, or the expression. */
  readonly name: string;
  hits: number;
}

/** Which outputs a rule has. */
export interface RuleOutputs {
  readonly activated: SourcePlace | null;
  readonly notMet: SourcePlace | null;
}

interface Subject {
  readonly held: CoverageItem;
  readonly condition: number;
  readonly leaves: readonly { readonly whenTrue: CoverageItem; readonly whenFalse: CoverageItem }[];
  readonly activated: CoverageItem | null;
  readonly notMet: CoverageItem | null;
}

/** Gathers coverage of one bundle over many decisions. */
export class Coverage {
  readonly #index: RuleIndex;
  readonly #items = new Map<string, CoverageItem>();
  readonly #rules: readonly Subject[];
  readonly #derivedRoles: readonly Subject[];

  /** `outputs` has an entry per rule, in the order of the index. */
  constructor(index: RuleIndex, outputs: readonly RuleOutputs[]) {
    this.#index = index;
    this.#rules = index.rules.map((rule, id) => {
      const name = `${rule.policy}#${rule.name === "" ? rule.yamlPath : rule.name}`;
      const own = outputs[id];
      return {
        held: this.#item("rule", rule.place, name),
        condition: rule.condition,
        leaves: this.#leaves(rule.leaves),
        activated: own?.activated == null ? null : this.#item("output-activated", own.activated, name),
        notMet: own?.notMet == null ? null : this.#item("output-not-met", own.notMet, name),
      };
    });
    this.#derivedRoles = index.derivedRoles.map((role) => ({
      held: this.#item("derived role", role.place, role.name),
      condition: role.condition,
      leaves: this.#leaves(role.leaves),
      activated: null,
      notMet: null,
    }));
  }

  /** Everything that can be reached, by file, line and column. */
  get items(): readonly CoverageItem[] {
    return [...this.#items.values()].sort(
      (left, right) =>
        compare(left.place.file, right.place.file) ||
        left.place.line - right.place.line ||
        left.place.column - right.place.column ||
        compare(left.kind, right.kind),
    );
  }

  /** Learns from one decision; call it before the engine's next. */
  add(examination: Examination): void {
    const outcomes = new Map<number, boolean>();
    const holds = (condition: number): boolean => {
      const known = outcomes.get(condition);
      if (known !== undefined) return known;
      const result = examination.evaluateCondition(condition) === OUTCOME_TRUE;
      outcomes.set(condition, result);
      return result;
    };
    const { trace } = examination;
    for (let at = 0; at + TRACE_WORDS <= trace.length; at += TRACE_WORDS) {
      const [event = 0, id = 0, second = 0, third = 0] = trace.subarray(at, at + TRACE_WORDS);
      if (event === TRACE_DERIVED_ROLE) {
        this.#reach(this.#derivedRoles[id], second, holds);
      } else if (event === TRACE_RULE && third >> 8 === OUTCOME_TRUE) {
        this.#reach(this.#rules[id], third & 0xff, holds);
      }
    }
  }

  #reach(subject: Subject | undefined, outcome: number, holds: (condition: number) => boolean): void {
    if (subject === undefined) return;
    if (outcome === OUTCOME_TRUE) {
      subject.held.hits++;
      if (subject.activated !== null) subject.activated.hits++;
    } else if (outcome === OUTCOME_FALSE && subject.notMet !== null) {
      subject.notMet.hits++;
    }
    if (subject.condition >= 0) this.#walk(subject.condition, subject.leaves, 0, holds);
  }

  /** Evaluates as a short-circuiting condition does, so that only what was reached counts. */
  #walk(
    id: number,
    leaves: Subject["leaves"],
    first: number,
    holds: (condition: number) => boolean,
  ): boolean {
    const info = this.#index.conditions[id];
    if (info === undefined) return false;
    if (info.kind === "expr") {
      const result = holds(id);
      const leaf = leaves[first];
      const item = result ? leaf?.whenTrue : leaf?.whenFalse;
      if (item !== undefined) item.hits++;
      return result;
    }
    const endsOn = info.kind !== "all";
    let at = first;
    for (const child of info.children) {
      if (this.#walk(child, leaves, at, holds) === endsOn) return info.kind === "any";
      at += this.#leafCount(child);
    }
    return info.kind !== "any";
  }

  #leafCount(id: number): number {
    const info = this.#index.conditions[id];
    if (info === undefined || info.kind === "expr") return 1;
    return info.children.reduce((sum, child) => sum + this.#leafCount(child), 0);
  }

  #leaves(leaves: readonly ConditionLeaf[]): Subject["leaves"] {
    return leaves.map(({ text, place }) => ({
      whenTrue: this.#item("condition-true", place, text),
      whenFalse: this.#item("condition-false", place, text),
    }));
  }

  /** The same place is one item, however many policies import it. */
  #item(kind: CoverageKind, place: SourcePlace, name: string): CoverageItem {
    const key = `${kind} ${place.line}:${place.column} ${place.file}`;
    const item = this.#items.get(key) ?? { kind, place, name, hits: 0 };
    this.#items.set(key, item);
    return item;
  }
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
