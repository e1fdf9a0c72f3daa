/**
 * The rules section: what explanations need and decisions do not, as JSON: rules, derived roles and conditions with their
 * places. Files and policy keys are listed once and referred to by index.
 */
import type { Place } from "../diagnostics/diagnostic.ts";
import { NONE, type Leaf, type Program } from "../ir/program.ts";

/** Writes the section. `derivedRoles` maps the image's derived roles to the program's. */
export function writeRules(program: Program, derivedRoles: readonly number[]): string {
  const files = new Indexer();
  const policies = new Indexer();
  const texts = new Indexer();
  const effects = ruleFacts(program);
  const place = (at: Place): [number, number, number] => [files.index(at.file), at.line, at.column];
  // A condition's leaves stand in the file of its rule, so a line and a column say where.
  const leaves = (of: readonly Leaf[]): number[] =>
    of.flatMap((leaf) => [texts.index(leaf.text), leaf.place.line, leaf.place.column]);
  const rules = program.rules.map((rule, id) => {
    const fact = effects.get(id);
    return [
      policies.index(rule.policyKey),
      rule.name,
      fact?.effect ?? "allow",
      ...place(rule.place),
      rule.place.path,
      fact?.condition ?? NONE,
      leaves(rule.leaves),
    ];
  });
  const derived = derivedRoles.map((id) => {
    const role = program.derivedRoles[id];
    return role === undefined
      ? []
      : [role.name, role.origin, ...place(role.place), role.condition, leaves(role.leaves)];
  });
  const conditions = program.conditions.map((condition) =>
    condition.kind === "expr" ? ["expr"] : [condition.kind, condition.of],
  );
  return JSON.stringify({
    files: files.names,
    policies: policies.names,
    texts: texts.names,
    rules,
    derivedRoles: derived,
    conditions,
  });
}

interface RuleFact {
  readonly effect: "allow" | "deny" | "role";
  readonly condition: number;
}

function ruleFacts(program: Program): Map<number, RuleFact> {
  const facts = new Map<number, RuleFact>();
  for (const block of [...program.resources, ...program.principals]) {
    for (const row of block.rows) facts.set(row.rule, { effect: row.effect, condition: row.condition });
  }
  for (const block of program.roles) {
    for (const row of block.rows) facts.set(row.rule, { effect: "role", condition: row.condition });
  }
  return facts;
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
