/** The names that a program's policies know, for mutations: a plain scan of its tables. */
import type { Program } from "../../compiler/ir/program.ts";
import type { Vocabulary } from "./mutate.ts";

/** Collects the vocabulary of a program; `limit` bounds each list, so that large sets stay handy. */
export function vocabularyOf(program: Program, limit = 200): Vocabulary {
  const rows = program.resources.flatMap((block) => block.rows);
  const derived = program.derivedRoles.flatMap((role) => role.parentRoles);
  const roles = [
    ...rows.flatMap((row) => row.roles),
    ...derived,
    ...program.roles.map((block) => block.role),
  ];
  const blocks = [...program.resources, ...program.principals, ...program.roles];
  const literals = program.expressions.flatMap((expr) =>
    expr.op === "literal" && expr.value.kind === "string" ? [expr.value.value] : [],
  );
  const take = (names: readonly string[]): readonly string[] => [...new Set(names)].slice(0, limit);
  return {
    roles: take(roles),
    actions: take([...rows.flatMap((row) => row.actions), ...literalActions(program)]),
    kinds: take(program.resources.map((block) => block.resource)),
    principals: take(program.principals.map((block) => block.principal)),
    versions: take(blocks.map((block) => block.version)),
    scopes: take(blocks.flatMap((block) => [block.scope, `${block.scope}${block.scope === "" ? "" : "."}x`])),
    attributes: take(program.attributes.map((attribute) => attribute.key)),
    texts: take(literals),
  };
}

function literalActions(program: Program): readonly string[] {
  const rows = [
    ...program.principals.flatMap((block) => block.rows.map((row) => row.action)),
    ...program.roles.flatMap((block) => block.rows.flatMap((row) => row.allowActions)),
  ];
  return rows.flatMap((action) => [action, action.replaceAll("*", "x")]);
}
