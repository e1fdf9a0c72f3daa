/** The overload table: every function and operator of the language, by name, in the order in which rows are tried. */
import { cerbos } from "./cerbos.ts";
import { conversions } from "./conversions.ts";
import { hierarchies } from "./hierarchies.ts";
import { lists } from "./lists.ts";
import { network } from "./network.ts";
import { numbers } from "./numbers.ts";
import { operators } from "./operators.ts";
import { optionals } from "./optionals.ts";
import type { Overload } from "./overload.ts";
import { regex } from "./regex.ts";
import { spiffe } from "./spiffe.ts";
import { strings } from "./strings.ts";
import { times } from "./times.ts";

export const overloads: ReadonlyMap<string, readonly Overload[]> = byName([
  ...operators,
  ...conversions,
  ...strings,
  ...times,
  ...lists,
  ...numbers,
  ...optionals,
  ...hierarchies,
  ...regex,
  ...spiffe,
  ...network,
  ...cerbos,
]);

function byName(rows: readonly Overload[]): ReadonlyMap<string, readonly Overload[]> {
  const table = new Map<string, Overload[]>();
  for (const row of rows) {
    const known = table.get(row.name);
    if (known === undefined) table.set(row.name, [row]);
    else known.push(row);
  }
  return table;
}
