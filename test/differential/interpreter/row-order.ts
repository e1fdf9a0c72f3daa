/** The order in which rows are looked at: as written, or as a start of the real Cerbos may shuffle them. */

interface Row {
  readonly rule: number;
  readonly derivedRole: number;
}

/**
 * The rows of one rule (its roles, each of its derived roles) with those of `first` in front, in that order; rules stay where
 * they are. An empty `first` changes nothing.
 */
export function ordered<T extends Row>(rows: readonly T[], first: readonly number[]): readonly T[] {
  if (first.length === 0) return rows;
  const rank = ({ derivedRole }: Row): number => {
    const at = first.indexOf(derivedRole);
    return at < 0 ? first.length : at;
  };
  const rules = [...new Set(rows.map(({ rule }) => rule))];
  return rules.flatMap((rule) =>
    rows.filter((row) => row.rule === rule).toSorted((a, b) => rank(a) - rank(b)),
  );
}

/** The rows of one principal policy with the entries whose resource is in `first` in front, in that order. */
export function entriesOrdered<T extends { readonly resource: string }>(
  rows: readonly T[],
  first: readonly string[],
): readonly T[] {
  if (first.length === 0) return rows;
  const rank = ({ resource }: T): number => {
    const at = first.indexOf(resource);
    return at < 0 ? first.length : at;
  };
  return rows.toSorted((a, b) => rank(a) - rank(b));
}
