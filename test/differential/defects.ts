/**
 * Defects of the Cerbos binary that explain a difference (COMPAT.md section 6, docs/differences.md). Each is recognised
 * by imitating it: a difference is explained only if the interpreter with that defect answers exactly as the binary.
 * Defects that cannot be imitated, because they depend on hashes or load order, are not here; the generators avoid them.
 */
import type { Program } from "../../compiler/ir/program.ts";
import { differences } from "./compare.ts";
import { check } from "./interpreter/decide.ts";
import type { CheckRequest, CheckResponse, ResourceEntry } from "./interpreter/request.ts";
import type { EngineSettings } from "./interpreter/settings.ts";
import { NO_JSON_FORM } from "./interpreter/values.ts";

export interface Defect {
  readonly name: string;
  /** The case in test/cases/ that shows it. */
  readonly shownBy: string;
  /** Settings under which the interpreter has the defect, one for each way it can show. */
  imitations(program: Program): readonly Partial<EngineSettings>[];
}

/** More roles than this are not permuted: 5! orders are tried. */
const MAX_PERMUTED = 5;

const LOST_DENIAL: Defect = {
  name: "a role policy's denial is lost at a scope without a row for the role (COMPAT.md 6.8)",
  shownBy: "role-policy-lost-denial",
  imitations: () => [{ lostRoleDenials: true }],
};

const RANDOM_PARENTS: Defect = {
  name: "which of several denying role policies of one role set is named changes from start to start",
  shownBy: "role-policy-denied-twice",
  imitations: (program) => roleOrders(program).map((roleOrder) => ({ roleOrder })),
};

const BOTH: Defect = {
  name: "a lost denial beside a denial named at random",
  shownBy: LOST_DENIAL.shownBy,
  imitations: (program) => roleOrders(program).map((roleOrder) => ({ roleOrder, lostRoleDenials: true })),
};

export const DEFECTS: readonly Defect[] = [LOST_DENIAL, RANDOM_PARENTS, BOTH];

/**
 * The defects that explain why the binary answered `body`, resource by resource; undefined when some resource's answer
 * is explained by none.
 */
export function explanation(
  program: Program,
  request: CheckRequest,
  settings: Partial<EngineSettings>,
  body: CheckResponse,
): ReadonlySet<Defect> | undefined {
  const found = new Set<Defect>();
  if (body.results?.length !== request.resources.length) return undefined;
  for (const [index, entry] of request.resources.entries()) {
    const result = { ...body, results: [body.results[index]] };
    const agrees = (imitated: Partial<EngineSettings>): boolean =>
      answersAlike(program, request, entry, { ...settings, ...imitated }, result);
    if (agrees({})) continue;
    const defect = DEFECTS.find((each) => each.imitations(program).some(agrees));
    if (defect === undefined) return undefined;
    found.add(defect);
  }
  return found;
}

function answersAlike(
  program: Program,
  request: CheckRequest,
  entry: ResourceEntry,
  settings: Partial<EngineSettings>,
  result: unknown,
): boolean {
  return differences(result, check(program, { ...request, resources: [entry] }, settings)).length === 0;
}

/** Every order of the roles that have role policies with rules. */
function roleOrders(program: Program): readonly (readonly string[])[] {
  const roles = [...new Set(program.roles.filter(({ rows }) => rows.length > 0).map(({ role }) => role))];
  return permutations(roles.slice(0, MAX_PERMUTED));
}

function permutations(items: readonly string[]): readonly (readonly string[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((rest) => [item].concat(rest)),
  );
}

/** Whether an output is a number without a JSON form, which edict reports as that output's error. */
export function hasNoJsonForm({ results }: CheckResponse): boolean {
  return results.some(({ outputs = [] }) => outputs.some(({ error }) => error === NO_JSON_FORM));
}
