/**
 * Expressions of one policy set: each text is checked once, each source and each set of names visited once, whatever
 * the number of policies; undefined and cyclical variables are found, and problems get their places in files.
 */
import { compareDiagnostics, diagnose, type Params } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../diagnostics/diagnostic.ts";
import type { CelSource, DerivedRole, Match, Names, Outputs } from "../policy/policy-set.ts";
import type { Reference } from "./check-context.ts";
import { CheckCache } from "./check-cache.ts";
import { checkText, type CheckedText } from "./checker.ts";
import type { CelExpr, Span } from "./expression.ts";
import type { CelCode } from "./problem.ts";
import { placeOf } from "./source-place.ts";
import { undefinedReferences, variableCycles } from "./variables.ts";

export interface Checked {
  readonly expressions: Map<CelSource, CelExpr>;
  /** In the order of places. */
  readonly diagnostics: Diagnostic[];
  /** By policy: what `V` and `C` hold as a whole. */
  readonly used: ReadonlyMap<Names, UsedNames>;
}

/** The names that the expressions of a policy use by `V.name` and `C.name`, themselves or through variables; sorted. */
export interface UsedNames {
  readonly variables: readonly string[];
  readonly constants: readonly string[];
}

/** Checks one expression against the names of a policy; for tests and tools. */
export function checkExpression(source: CelSource): Checked {
  const checker = new SetChecker();
  checker.source(source);
  return checker.result();
}

/** Collects expressions and diagnostics over one policy set. */
export class SetChecker {
  readonly #texts: Map<string, CheckedText>;
  readonly #expressions: Map<CelSource, CelExpr>;
  readonly #visited = new Set<CelSource | Names | DerivedRole>();
  /** By policy, for `V` and `C` as a whole. */
  readonly #uses = new Map<Names, Reference[]>();
  /** By everything that is shown: an exported variable is met once per policy that imports it. */
  readonly #diagnostics = new Map<string, Diagnostic>();

  /** Whether some expression uses `V` or `C` as a whole. */
  hasWholes = false;

  /** @param cache whose texts and expressions are used and added to */
  constructor(cache = new CheckCache()) {
    this.#texts = cache.texts;
    this.#expressions = cache.expressions;
  }

  result(): Checked {
    const diagnostics = [...this.#diagnostics.values()].sort(compareDiagnostics);
    return { expressions: this.#expressions, diagnostics, used: this.#usedNames() };
  }

  derivedRole(role: DerivedRole): void {
    if (this.#isVisited(role)) return;
    this.names(role.names);
    this.match(role.condition);
  }

  match(match: Match | undefined): void {
    if (match === undefined) return;
    if (match.kind === "expr") this.source(match.expr);
    else for (const member of match.of) this.match(member);
  }

  outputs({ ruleActivated, conditionNotMet }: Outputs): void {
    if (ruleActivated !== undefined) this.source(ruleActivated);
    if (conditionNotMet !== undefined) this.source(conditionNotMet);
  }

  source(source: CelSource): void {
    if (this.#isVisited(source)) return;
    const checked = this.#expression(source);
    for (const { kind, name, span } of undefinedReferences(checked.references, source.names)) {
      this.#report(source, kind === "variable" ? "EDICT3023" : "EDICT3024", { name }, span);
    }
    const { names } = source;
    const uses = this.#uses.get(names) ?? [];
    if (uses.length === 0) this.#uses.set(names, uses);
    uses.push(...checked.references);
    this.names(names);
  }

  names(names: Names | undefined): void {
    if (names === undefined || names.variables.size === 0 || this.#isVisited(names)) return;
    for (const [variable, source] of names.variables) {
      const checked = this.#expression(source);
      // What Cerbos has computed by then depends on its order, which is none.
      for (const { name, span } of checked.wholes) this.#report(source, "EDICT3034", { name }, span);
      for (const { kind, name, span } of undefinedReferences(checked.references, names)) {
        this.#report(source, kind === "variable" ? "EDICT3025" : "EDICT3026", { name, variable }, span);
      }
    }
    for (const cycle of variableCycles(names, (source) => this.#check(source.text).references)) {
      this.#reportCycle(names, cycle);
    }
  }

  #usedNames(): ReadonlyMap<Names, UsedNames> {
    const used = new Map<Names, UsedNames>();
    for (const [names, references] of this.#uses) {
      const variables = new Set<string>();
      const constants = new Set<string>();
      const open = [...references];
      for (let reference = open.pop(); reference !== undefined; reference = open.pop()) {
        const { kind, name } = reference;
        if (kind === "constant") constants.add(name);
        else if (!variables.has(name)) {
          variables.add(name);
          const source = names.variables.get(name);
          if (source !== undefined) open.push(...this.#check(source.text).references);
        }
      }
      used.set(names, { variables: [...variables].sort(), constants: [...constants].sort() });
    }
    return used;
  }

  #isVisited(visited: CelSource | Names | DerivedRole): boolean {
    if (this.#visited.has(visited)) return true;
    this.#visited.add(visited);
    return false;
  }

  #check(text: string): CheckedText {
    let checked = this.#texts.get(text);
    if (checked === undefined) {
      checked = checkText(text);
      this.#texts.set(text, checked);
    }
    return checked;
  }

  #expression(source: CelSource): CheckedText {
    const checked = this.#check(source.text);
    if (checked.usesWholes) this.hasWholes = true;
    if (checked.expr !== undefined) this.#expressions.set(source, checked.expr);
    for (const { code, params, span } of checked.problems) this.#report(source, code, params, span);
    return checked;
  }

  #reportCycle(names: Names, cycle: readonly string[]): void {
    const [first = ""] = cycle;
    const source = names.variables.get(first);
    if (source === undefined) return;
    const whole = { start: 0, end: source.text.length };
    if (cycle.length === 1) {
      this.#report(source, "EDICT3027", { name: first }, whole);
      return;
    }
    const members = cycle.map((name) => {
      const place = names.variables.get(name)?.place;
      return place === undefined
        ? `\`${name}\``
        : `\`${name}\` (${place.file}:${place.line}:${place.column})`;
    });
    const text = `${members.slice(0, -1).join(", ")} and ${members.at(-1) ?? ""}`;
    this.#report(source, "EDICT3028", { members: text }, whole);
  }

  #report(source: CelSource, code: CelCode, params: Params, span: Span): void {
    const { place, length } = placeOf(source, span);
    const diagnostic = diagnose(code, params, place, length);
    const key = `${code} ${place.file} ${place.line} ${place.column} ${place.path} ${diagnostic.message}`;
    if (!this.#diagnostics.has(key)) this.#diagnostics.set(key, diagnostic);
  }
}
