/**
 * Rule tables: the blocks of resource, principal and role policies as the guest reads them (layouts in
 * assembly/decide/tables.ts). Everything that does not name its policy is shared between equal policies, so a thousand
 * generated copies of a policy cost one set of rows and a thousand small blocks.
 */
import { globMatches, isGlob, parseGlob } from "../ir/glob.ts";
import type {
  ExprId,
  OutputIds,
  PrincipalBlock,
  Program,
  ResourceBlock,
  ResourceRow,
  RoleBlock,
} from "../ir/program.ts";
import type { Blob } from "./blob.ts";
import { hashSymbols } from "./hash.ts";
import { Matchers } from "./matchers.ts";
import { Symbols, tableCapacity } from "./symbols.ts";

const EFFECT_WORD = { allow: 1, deny: 2 } as const;

/** Flags of a block and of a row list. */
const FLAG_PARENTAL_CONSENT = 1;
const FLAG_DENY = 1;
const FLAG_OUTPUTS = 2;

/** A key of three symbols and the address it leads to. */
interface IndexEntry {
  readonly key: readonly [number, number, number];
  readonly value: number;
}

/** A row and the role patterns by which it matches. */
type PatternRow = ResourceRow & { readonly matching: readonly string[] };

/** Where the parts of a resource policy are that equal policies share. */
interface RowLists {
  /** From the block's first rule to that of its first row; -1 without rows. */
  readonly offset: number;
  readonly rows: number;
  readonly actions: number;
  readonly otherwise: number;
  readonly derivedCount: number;
  readonly derived: number;
}

type PlainRows = Pick<RowLists, "offset" | "rows">;

export class Tables {
  readonly symbols = new Symbols();
  readonly #blob: Blob;
  readonly #program: Program;
  readonly #matchers: Matchers;
  readonly #roleSets: number[] = [];
  readonly #roleSetIds = new Map<string, number>();
  readonly #derivedRoles: number[][] = [];
  readonly #derivedRoleIds = new Map<string, number>();
  /** Image index of derived role -> index in the program (the first of equal ones). */
  readonly derivedRoleOrder: number[] = [];
  /** Rows are named by output index, not by expression. */
  readonly #outputIndices: ReadonlyMap<ExprId, number>;
  readonly #rowLists = new Map<object, RowLists>();
  /** Addresses of the rows of principal and role policies. */
  readonly #plainRows = new Map<object, PlainRows>();

  /** @param outputs expressions of outputs, by output index */
  constructor(blob: Blob, program: Program, outputs: readonly ExprId[]) {
    this.#blob = blob;
    this.#program = program;
    this.#outputIndices = new Map(outputs.map((id, index) => [id, index]));
    this.#matchers = new Matchers(blob, this.symbols);
  }

  /** Writes the index of resource policies and returns its address. */
  resources(): number {
    return this.#index(
      this.#program.resources.map((block) => ({
        key: [this.symbols.id(block.resource), this.symbols.id(block.version), this.symbols.id(block.scope)],
        value: this.#resourceBlock(block),
      })),
    );
  }

  /** Writes the index of principal policies. */
  principals(): number {
    return this.#index(
      this.#program.principals.map((block) => ({
        key: [this.symbols.id(block.principal), this.symbols.id(block.version), this.symbols.id(block.scope)],
        value: this.#principalBlock(block),
      })),
    );
  }

  /** Writes the set of (version, scope) at which some principal policy has rules. */
  principalPresence(): number {
    const seen = new Map<string, IndexEntry>();
    for (const block of this.#program.principals) {
      const key = [this.symbols.id(block.version), this.symbols.id(block.scope), 0] as const;
      seen.set(key.join(), { key, value: 1 });
    }
    return this.#index([...seen.values()]);
  }

  /** Writes the index of role policies. */
  roles(): number {
    return this.#index(
      this.#program.roles.map((block) => ({
        key: [this.symbols.id(block.role), this.symbols.id(block.version), this.symbols.id(block.scope)],
        value: this.#roleBlock(block),
      })),
    );
  }

  /** Writes, per (version, scope), the matcher list of the kinds that role policies there speak of. */
  rolePresence(): number {
    const patterns = new Map<string, { key: readonly [number, number, number]; patterns: Set<string> }>();
    for (const block of this.#program.roles) {
      const key = [this.symbols.id(block.version), this.symbols.id(block.scope), 0] as const;
      const entry = patterns.get(key.join()) ?? { key, patterns: new Set<string>() };
      patterns.set(key.join(), entry);
      for (const row of block.rows) entry.patterns.add(row.resource);
    }
    return this.#index(
      [...patterns.values()].map((entry) => ({
        key: entry.key,
        value: this.#matchers.list([...entry.patterns]),
      })),
    );
  }

  /** Writes, per (role, scope), the symbols of the role's parent roles, transitively within the scope. */
  parentRoles(): number {
    const direct = new Map<string, Map<string, Set<string>>>();
    for (const block of this.#program.roles) {
      const inScope = direct.get(block.scope) ?? new Map<string, Set<string>>();
      direct.set(block.scope, inScope);
      const parents = inScope.get(block.role) ?? new Set<string>();
      inScope.set(block.role, parents);
      for (const parent of block.parentRoles) parents.add(parent);
    }
    const entries: IndexEntry[] = [];
    for (const [scope, inScope] of direct) {
      for (const role of inScope.keys()) {
        const all = ancestors(role, inScope).map((name) => this.symbols.id(name));
        if (all.length === 0) continue;
        const key = [this.symbols.id(role), this.symbols.id(scope), 0] as const;
        entries.push({ key, value: this.#blob.words([all.length, ...all]) });
      }
    }
    return this.#index(entries);
  }

  /** Writes the addresses of all role sets (matcher lists), by role set id. */
  roleSets(): { address: number; count: number } {
    return { address: this.#blob.words(this.#roleSets), count: this.#roleSets.length };
  }

  /** Writes the derived roles: 4 words each (name, parent role set, role set for listing, condition + 1). */
  derivedRoles(): { address: number; count: number } {
    return { address: this.#blob.words(this.#derivedRoles.flat()), count: this.#derivedRoles.length };
  }

  #resourceBlock(block: ResourceBlock): number {
    let lists = this.#rowLists.get(block.shape);
    if (lists === undefined) {
      lists = this.#resourceRows(block);
      this.#rowLists.set(block.shape, lists);
    }
    // No two have the same first rule, unless they have no rows.
    return this.#blob.ownWords([
      this.symbols.id(block.scope),
      block.requireParentalConsent ? FLAG_PARENTAL_CONSENT : 0,
      lists.offset < 0 ? 0 : block.firstRule + lists.offset,
      block.rowCount,
      lists.rows,
      lists.actions,
      lists.otherwise,
      lists.derivedCount,
      lists.derived,
      block.schemaSet + 1,
    ]);
  }

  /** Everything of a block that does not name its policy. */
  #resourceRows(block: ResourceBlock): RowLists {
    const all = block.rows;
    const first = all[0]?.rule ?? 0;
    const rows = all.flatMap((row) => this.#perPattern(row));
    const words = rows.flatMap((row) => this.#resourceRow(row, first));
    const written = {
      offset: all.length === 0 ? -1 : first - block.firstRule,
      rows: this.#blob.words(words),
      actions: this.#actionTable(rows),
      otherwise: this.#rowList(rows, (row) => row.actions.some(isGlob)),
    };
    const derived = block.derivedRoles.map((id) => this.#derivedRole(id));
    return { ...written, derivedCount: derived.length, derived: this.#blob.words(derived) };
  }

  /**
   * Cerbos evaluates a rule once per action pattern and role pattern that match, which shows only in repeated outputs:
   * rows with outputs are written once per pair, all others once.
   */
  #perPattern(row: ResourceRow): PatternRow[] {
    const parents =
      row.derivedRole < 0 ? row.roles : (this.#program.derivedRoles[row.derivedRole]?.parentRoles ?? []);
    if (row.outputs.activated < 0 && row.outputs.notMet < 0) return [{ ...row, matching: parents }];
    const rolePatterns = parents.includes("*") ? [["*"]] : parents.map((parent) => [parent]);
    return rolePatterns.flatMap((matching) =>
      row.actions.map((action) => ({ ...row, actions: [action], matching })),
    );
  }

  #resourceRow(row: PatternRow, first: number): number[] {
    const globs = row.actions.includes("*") ? [] : row.actions.filter(isGlob);
    return [
      row.rule - first,
      EFFECT_WORD[row.effect],
      this.#roleSet(row.matching),
      row.derivedRole < 0 ? 0 : this.#derivedRole(row.derivedRole) + 1,
      row.condition + 1,
      ...this.#outputs(row),
      globs.length === 0 ? 0 : this.#matchers.list(globs),
    ];
  }

  /** Per exact action of the policy: the rows that match it, wildcards and globs included. */
  #actionTable(rows: readonly ResourceRow[]): number {
    const exact = new Set(rows.flatMap((row) => row.actions.filter((action) => !isGlob(action))));
    const capacity = tableCapacity(exact.size);
    const words = Array.from({ length: 2 + capacity * 2 }, () => 0);
    words[0] = capacity - 1;
    for (const action of exact) {
      const symbol = this.symbols.id(action);
      let index = hashSymbols(symbol, 0, 0) & (capacity - 1);
      while (words[2 + index * 2] !== 0) index = (index + 1) & (capacity - 1);
      words[2 + index * 2] = symbol;
      words[3 + index * 2] = this.#rowList(rows, (row) =>
        row.actions.some((pattern) => matches(pattern, action)),
      );
    }
    return this.#blob.words(words);
  }

  #rowList(rows: readonly ResourceRow[], wanted: (row: ResourceRow) => boolean): number {
    const indices = rows.flatMap((row, index) => (wanted(row) ? [index] : []));
    let flags = 0;
    for (const index of indices) {
      const row = rows[index];
      if (row?.effect === "deny") flags |= FLAG_DENY;
      if (row !== undefined && (row.outputs.activated >= 0 || row.outputs.notMet >= 0)) flags |= FLAG_OUTPUTS;
    }
    return this.#blob.words([indices.length, flags, ...indices]);
  }

  #principalBlock(block: PrincipalBlock): number {
    const { offset, rows } = this.#rowsOf(block, (row, first) => [
      row.rule - first,
      EFFECT_WORD[row.effect],
      ...this.#matchers.matcher(row.resource),
      ...this.#matchers.matcher(row.action),
      row.condition + 1,
      ...this.#outputs(row),
      0,
    ]);
    return this.#blob.words([
      this.symbols.id(block.scope),
      block.requireParentalConsent ? FLAG_PARENTAL_CONSENT : 0,
      offset < 0 ? 0 : block.firstRule + offset,
      block.rowCount,
      rows,
    ]);
  }

  #roleBlock(block: RoleBlock): number {
    const { offset, rows } = this.#rowsOf(block, (row, first) => [
      row.rule - first,
      this.#matchers.list(row.allowActions, "always"),
      ...this.#matchers.matcher(row.resource),
      row.condition + 1,
      ...this.#outputs(row),
      0,
    ]);
    const key = this.#blob.text(block.key);
    return this.#blob.words([
      this.symbols.id(block.scope),
      0,
      offset < 0 ? 0 : block.firstRule + offset,
      block.rowCount,
      rows,
      key.address,
      key.length,
    ]);
  }

  /** The rows of a block as they are written for the first one of its shape. */
  #rowsOf<Row extends { readonly rule: number }>(
    block: { readonly shape: object; readonly firstRule: number; readonly rows: readonly Row[] },
    words: (row: Row, first: number) => readonly number[],
  ): PlainRows {
    let known = this.#plainRows.get(block.shape);
    if (known === undefined) {
      const first = block.rows[0]?.rule ?? 0;
      const rows = this.#blob.words(block.rows.flatMap((row) => words(row, first)));
      known = { rows, offset: block.rows.length === 0 ? -1 : first - block.firstRule };
      this.#plainRows.set(block.shape, known);
    }
    return known;
  }

  /** Output functions and the rule's name, which only outputs need at run time. */
  #outputs(row: { readonly rule: number; readonly outputs: OutputIds }): readonly number[] {
    if (row.outputs.activated < 0 && row.outputs.notMet < 0) return [0, 0, 0, 0];
    const name = this.#blob.text(this.#program.rules[row.rule]?.name ?? "");
    const index = (id: ExprId): number => (this.#outputIndices.get(id) ?? -1) + 1;
    return [index(row.outputs.activated), index(row.outputs.notMet), name.address, name.length];
  }

  /** `literal`: a derived role shows as effective by the text of its parent roles or `*`, never by a glob (COMPAT.md 3). */
  #roleSet(patterns: readonly string[], literal = false): number {
    const key = JSON.stringify([patterns, literal && patterns.some(isGlob)]);
    const known = this.#roleSetIds.get(key);
    if (known !== undefined) return known;
    const id = this.#roleSets.length;
    this.#roleSets.push(this.#matchers.list(patterns, literal ? "never" : "starred"));
    this.#roleSetIds.set(key, id);
    return id;
  }

  #derivedRole(programId: number): number {
    const role = this.#program.derivedRoles[programId];
    if (role === undefined) return 0;
    const words = [
      this.symbols.id(role.name),
      this.#roleSet(role.parentRoles),
      this.#roleSet(role.parentRoles, true),
      role.condition + 1,
    ];
    const key = words.join();
    const known = this.#derivedRoleIds.get(key);
    if (known !== undefined) return known;
    const id = this.#derivedRoles.length;
    this.#derivedRoles.push(words);
    this.derivedRoleOrder.push(programId);
    this.#derivedRoleIds.set(key, id);
    return id;
  }

  /** Writes an open-addressing index from three symbols to an address; 0 when there is nothing in it. */
  #index(entries: readonly IndexEntry[]): number {
    if (entries.length === 0) return 0;
    const capacity = tableCapacity(entries.length);
    const words = new Uint32Array(2 + capacity * 4);
    words[0] = capacity - 1;
    for (const { key, value } of entries) {
      const [first, second, third] = key;
      let index = hashSymbols(first, second, third) & (capacity - 1);
      while (words[2 + index * 4 + 3] !== 0) index = (index + 1) & (capacity - 1);
      const entry = 2 + index * 4;
      words[entry] = first;
      words[entry + 1] = second;
      words[entry + 2] = third;
      words[entry + 3] = value;
    }
    return this.#blob.words(words);
  }
}

function matches(pattern: string, action: string): boolean {
  if (!isGlob(pattern)) return pattern === action;
  const sequences = parseGlob(pattern);
  return sequences !== undefined && globMatches(sequences, action);
}

/** Parents of `role`, transitively, in declaration order and depth first: the order in which denials are attributed. */
function ancestors(role: string, parents: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const found = new Set<string>();
  const open = [...(parents.get(role) ?? [])].toReversed();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === role || found.has(name)) continue;
    found.add(name);
    open.push(...[...(parents.get(name) ?? [])].toReversed());
  }
  return [...found];
}
