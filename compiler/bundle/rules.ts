/**
 * The rules section: what explanations need and decisions do not, as JSON: rules, derived roles and conditions with their
 * places. Files, policy keys and texts are listed once and referred to by index; a policy lists the texts and conditions that it uses, so
 * that the text of its rules depends on nothing else and can be kept from one bundle to the next.
 */
import type { Place } from "../diagnostics/diagnostic.ts";
import { NONE, type Leaf, type Program, type RuleInfo } from "../ir/program.ts";

/** The rules of a policy by themselves: its own texts and conditions are named by index in these lists. */
interface Fragment {
  readonly file: string;
  readonly policy: string;
  /** Index of the first row of each distinct condition. */
  readonly conditionRows: readonly number[];
  readonly texts: readonly string[];
  readonly json: string;
}

/** Fragments by the first of the rules, which is the same object as long as the policy is. */
export type RuleFragments = WeakMap<RuleInfo, Fragment>;

/** What all kinds of blocks have. */
interface Block {
  readonly firstRule: number;
  readonly ruleCount: number;
  readonly rows: readonly {
    readonly rule: number;
    readonly condition: number;
    readonly effect?: "allow" | "deny";
  }[];
  conditionOf(row: number): number;
}

/** Writes the section. `derivedRoles` maps the image's derived roles to the program's. */
export function writeRules(
  program: Program,
  derivedRoles: readonly number[],
  fragments: RuleFragments = new WeakMap(),
): string {
  const files = new Indexer();
  const policies = new Indexer();
  const texts = new Indexer();
  const place = (at: Place): [number, number, number] => [files.index(at.file), at.line, at.column];
  // A condition's leaves stand in the file of its rule, so a line and a column say where.
  const leaves = (of: readonly Leaf[]): number[] =>
    of.flatMap((leaf) => [texts.index(leaf.text), leaf.place.line, leaf.place.column]);
  const rules: string[] = [];
  for (const block of [...program.resources, ...program.principals, ...program.roles]) {
    const first = program.rules[block.firstRule];
    if (first === undefined || block.ruleCount === 0) continue;
    let fragment = fragments.get(first);
    if (fragment === undefined) {
      fragment = writeFragment(program.rules, block);
      fragments.set(first, fragment);
    }
    const conditions = fragment.conditionRows.map((row) => block.conditionOf(row));
    const head = `${policies.index(fragment.policy)},${files.index(fragment.file)}`;
    const own = fragment.texts.map((text) => texts.index(text));
    rules.push(`[${head},[${conditions.join()}],[${own.join()}],${fragment.json}]`);
  }
  const derived = derivedRoles.map((id) => {
    const role = program.derivedRoles[id];
    return role === undefined
      ? []
      : [role.name, role.origin, ...place(role.place), role.condition, leaves(role.leaves)];
  });
  const conditions = program.conditions.map((condition) =>
    condition.kind === "expr" ? ["expr"] : [condition.kind, condition.of],
  );
  return (
    `{"files":${JSON.stringify(files.names)},"policies":${JSON.stringify(policies.names)},` +
    `"texts":${JSON.stringify(texts.names)},"rules":[${rules.join()}],` +
    `"derivedRoles":${JSON.stringify(derived)},"conditions":${JSON.stringify(conditions)}}`
  );
}

function writeFragment(rules: readonly RuleInfo[], block: Block): Fragment {
  const facts = new Map<number, { readonly effect: string; readonly condition: number }>();
  const texts = new Indexer();
  const conditions = new Map<number, number>();
  const conditionRows: number[] = [];
  block.rows.forEach(({ rule, effect, condition }, row) => {
    if (condition !== NONE && !conditions.has(condition)) {
      conditions.set(condition, conditionRows.push(row) - 1);
    }
    facts.set(rule, { effect: effect ?? "role", condition: conditions.get(condition) ?? NONE });
  });
  const own = rules.slice(block.firstRule, block.firstRule + block.ruleCount);
  const json = JSON.stringify(
    own.map(({ name, place, leaves }, index) => {
      const fact = facts.get(block.firstRule + index);
      return [
        name,
        fact?.effect ?? "allow",
        place.line,
        place.column,
        place.path,
        fact?.condition ?? NONE,
        leaves.flatMap((leaf) => [texts.index(leaf.text), leaf.place.line, leaf.place.column]),
      ];
    }),
  );
  const [first] = own;
  return {
    file: first?.place.file ?? "",
    policy: first?.policyKey ?? "",
    conditionRows,
    texts: texts.names,
    json,
  };
}

/** Numbers strings in order of first use. */
class Indexer {
  readonly names: string[] = [];
  readonly #indices = new Map<string, number>();

  index(name: string): number {
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const index = this.names.length;
    this.names.push(name);
    this.#indices.set(name, index);
    return index;
  }
}
