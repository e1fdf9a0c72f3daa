/**
 * Policies lowered by themselves, and how a program is put together from them. A lowered policy names expressions and conditions by
 * their ids in a graph that outlives the compilation; a program numbers them by first use, so that it depends on its policies alone
 * and never on what the graph has seen before. Blocks of a program make their rows when somebody asks.
 */
import type { Place } from "../diagnostics/diagnostic.ts";
import type { ConditionId, ExprId, OutputIds, RuleInfo } from "./program.ts";
import { NONE } from "./program.ts";

/** A use of a condition: its id in the graph, and how this policy writes it. */
export interface ConditionUse {
  readonly condition: ConditionId;
  readonly text: string;
  readonly place: Place;
}

/** What lowering asked the graph for, in order: expressions by id, and conditions. */
export type Use = ExprId | ConditionUse;

/** What every kind of row has. */
export interface AnyRow {
  /** In a lowered policy the index in `rules`, in a program the rule's id. */
  readonly rule: number;
  readonly condition: ConditionId;
  readonly outputs: OutputIds;
  /** Only in rows of resource policies. */
  readonly derivedRole?: number;
}

/** One policy; ids are those of the graph. */
export interface LoweredPolicy<Row extends AnyRow = AnyRow> {
  readonly rules: readonly RuleInfo[];
  readonly rows: readonly Row[];
  readonly uses: readonly Use[];
  /** Derived roles that the rows refer to, each once. */
  readonly derivedRoles: readonly number[];
  /** Expressions of outputs, each once, in the order of rows. */
  readonly outputs: readonly ExprId[];
  /** One object for all policies of a graph whose rows are equal. */
  readonly shape: object;
}

/** Graph ids to ids of one program; NONE stays NONE. */
export class Numbering {
  readonly expressions: Int32Array;
  readonly conditions: Int32Array;
  readonly derivedRoles: Int32Array;
  /** Graph ids in the order of the program. */
  readonly expressionOrder: ExprId[] = [];
  readonly conditionOrder: ConditionUse[] = [];
  readonly derivedRoleOrder: number[] = [];

  /** @param sizes of the graph */
  constructor(sizes: {
    readonly expressions: number;
    readonly conditions: number;
    readonly derivedRoles: number;
  }) {
    this.expressions = new Int32Array(sizes.expressions).fill(NONE);
    this.conditions = new Int32Array(sizes.conditions).fill(NONE);
    this.derivedRoles = new Int32Array(sizes.derivedRoles).fill(NONE);
  }

  /** Numbers what a policy uses and no policy before it did. */
  add({ uses, derivedRoles }: LoweredPolicy): void {
    for (const use of uses) {
      if (typeof use === "number") {
        if (this.expressions[use] !== NONE) continue;
        this.expressions[use] = this.expressionOrder.push(use) - 1;
      } else if (this.conditions[use.condition] === NONE) {
        this.conditions[use.condition] = this.conditionOrder.push(use) - 1;
      }
    }
    for (const role of derivedRoles) {
      if (this.derivedRoles[role] === NONE) this.derivedRoles[role] = this.derivedRoleOrder.push(role) - 1;
    }
  }

  expression(id: ExprId): ExprId {
    return this.expressions[id] ?? NONE;
  }

  condition(id: ConditionId): ConditionId {
    return this.conditions[id] ?? NONE;
  }

  derivedRole(id: number): number {
    return this.derivedRoles[id] ?? NONE;
  }
}

/** A block of a program over a lowered policy. */
export class LoweredBlock<Row extends AnyRow> {
  readonly lowered: LoweredPolicy<Row>;
  readonly firstRule: number;
  protected readonly numbering: Numbering;
  #rows: readonly Row[] | undefined;

  constructor(lowered: LoweredPolicy<Row>, firstRule: number, numbering: Numbering) {
    this.lowered = lowered;
    this.firstRule = firstRule;
    this.numbering = numbering;
  }

  /** With the ids of the program. */
  get rows(): readonly Row[] {
    this.#rows ??= this.lowered.rows.map((row) => ({
      ...row,
      rule: row.rule + this.firstRule,
      condition: this.numbering.condition(row.condition),
      outputs: {
        activated: this.numbering.expression(row.outputs.activated),
        notMet: this.numbering.expression(row.outputs.notMet),
      },
      ...(row.derivedRole === undefined ? {} : { derivedRole: this.numbering.derivedRole(row.derivedRole) }),
    }));
    return this.#rows;
  }

  get rowCount(): number {
    return this.lowered.rows.length;
  }

  get ruleCount(): number {
    return this.lowered.rules.length;
  }

  /** Condition of a row, by the ids of the program. */
  conditionOf(row: number): ConditionId {
    return this.numbering.condition(this.lowered.rows[row]?.condition ?? NONE);
  }

  get shape(): object {
    return this.lowered.shape;
  }

  /** Ids of the program. */
  get derivedRoles(): readonly number[] {
    return this.lowered.derivedRoles.map((id) => this.numbering.derivedRole(id));
  }

  /** Expressions of outputs, by the ids of the program. */
  get outputs(): readonly ExprId[] {
    // Few policies have any.
    return this.lowered.outputs.length === 0
      ? this.lowered.outputs
      : this.lowered.outputs.map((id) => this.numbering.expression(id));
  }
}
