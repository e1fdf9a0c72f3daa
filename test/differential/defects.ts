/**
 * Defects of the Cerbos binary that explain a difference (COMPAT.md section 6, docs/differences.md). Each is recognised
 * by imitating it: a difference is explained only if the interpreter with that defect answers exactly as the binary.
 * Defects that cannot be imitated, because they depend on hashes or load order, are not here; the generators avoid them.
 */
import { NONE, type Program } from "../../compiler/ir/program.ts";
import { differences } from "./compare.ts";
import { check } from "./interpreter/decide.ts";
import type { CheckRequest, CheckResponse, ResourceEntry } from "./interpreter/request.ts";
import type { EngineSettings } from "./interpreter/settings.ts";
import { NO_JSON_FORM } from "./interpreter/values.ts";

export interface Defect {
  readonly name: string;
  /** The case in test/cases/ that shows it. */
  readonly shownBy: string;
  /** Whether the binary's answer changes from start to start, so that starting it again can tell. */
  readonly varies: boolean;
  /** Settings under which the interpreter has the defect, one for each way it can show. */
  imitations(
    program: Program,
    settings: Partial<EngineSettings>,
    request: CheckRequest,
  ): readonly Partial<EngineSettings>[];
}

/** A rule of a generated set has rows for its roles and for at most two derived roles. */
const ROWS_OF_A_RULE = 3;
/** A principal policy of a generated set has at most this many entries. */
const ENTRIES_THAT_MATCH = 3;

/** More roles than this are not permuted: 5! orders are tried. */
const MAX_PERMUTED = 5;
/** Combinations of orders of several role sets that are tried. */
const MAX_COMBINATIONS = 2_000;

const LOST_DENIAL: Defect = {
  name: "a role policy's denial is lost at a scope without a row for the role (COMPAT.md 6.8)",
  shownBy: "role-policy-lost-denial",
  varies: false,
  imitations: () => [{ lostRoleDenials: true }],
};

const RANDOM_PARENTS: Defect = {
  name: "which of several denying role policies of one role set is named changes from start to start",
  shownBy: "role-policy-denied-twice",
  varies: true,
  imitations: (program, _, request) => roleOrders(program, request).map((orders) => ({ roleOrders: orders })),
};

const BOTH: Defect = {
  name: "a lost denial beside a denial named at random",
  shownBy: LOST_DENIAL.shownBy,
  varies: true,
  imitations: (program, _, request) =>
    roleOrders(program, request).map((orders) => ({ roleOrders: orders, lostRoleDenials: true })),
};

/** In strict mode an error ends the action; what its rule's other rows did before depends on their order. */
const RANDOM_ROWS: Defect = {
  name: "which rows of a rule are looked at before an error ends the action changes from start to start",
  shownBy: "derived-roles-order-strict",
  varies: true,
  imitations: (program, { onError }) =>
    onError === "strict"
      ? [false, true].flatMap((lostRoleDenials) =>
          rowOrders(program).map((rowOrder) => ({ rowOrder, lostRoleDenials, stoppedRule: "everything" })),
        )
      : [],
};

/** A DENY, or in strict mode an error, in one entry of a principal policy keeps the others from putting anything out. */
const RANDOM_ENTRIES: Defect = {
  name: "which of a principal policy's entries for a resource is looked at first changes from start to start",
  shownBy: "principal-policy-entries",
  varies: true,
  imitations: (program) => {
    const resources = program.principals.flatMap(({ rows }) => rows.map(({ resource }) => resource));
    const names = [...new Set(resources)];
    const orders = arrangements(names, Math.min(ENTRIES_THAT_MATCH, names.length));
    return [false, true].flatMap((lostRoleDenials) =>
      orders.map((entryOrder) => ({ entryOrder, lostRoleDenials })),
    );
  },
};

export const DEFECTS: readonly Defect[] = [LOST_DENIAL, RANDOM_PARENTS, BOTH, RANDOM_ROWS, RANDOM_ENTRIES];

/**
 * The defects that explain why the binary answered `body`, one for each resource, undefined where the answer is the
 * interpreter's; undefined for all when some resource's answer is explained by none.
 */
export function explanation(
  program: Program,
  request: CheckRequest,
  settings: Partial<EngineSettings>,
  body: CheckResponse,
): readonly (Defect | undefined)[] | undefined {
  const found: (Defect | undefined)[] = [];
  if (body.results?.length !== request.resources.length) return undefined;
  for (const [index, entry] of request.resources.entries()) {
    const result = { ...body, results: body.results.slice(index, index + 1) };
    const agrees = (imitated: Partial<EngineSettings>): boolean =>
      answersAlike(program, request, entry, { ...settings, ...imitated }, result);
    if (agrees({})) {
      found.push(undefined);
      continue;
    }
    const defect = DEFECTS.find((each) => each.imitations(program, settings, request).some(agrees));
    if (defect === undefined) return undefined;
    found.push(defect);
  }
  return found;
}

function answersAlike(
  program: Program,
  request: CheckRequest,
  entry: ResourceEntry,
  settings: Partial<EngineSettings>,
  result: CheckResponse,
): boolean {
  const one = { ...request, resources: [entry] };
  const most = check(program, one, settings);
  if (settings.stoppedRule !== "everything") return differences(result, most).length === 0;
  const least = check(program, one, { ...settings, stoppedRule: "nothing" });
  return (
    differences(result, most, { ignoreOutputs: true }).length === 0 &&
    isWithin(outputsOf(least), outputsOf(result)) &&
    isWithin(outputsOf(result), outputsOf(most))
  );
}

/** The outputs as texts, without the words of errors. */
function outputsOf({ results }: CheckResponse): readonly string[] {
  return results.flatMap(({ outputs = [] }) =>
    outputs.map(({ src, action, val, error }) =>
      JSON.stringify(error === undefined ? { src, action, val } : { src, action, error: "any" }),
    ),
  );
}

/** Whether every item of `part` is in `whole`, as often. */
function isWithin(part: readonly string[], whole: readonly string[]): boolean {
  const left = [...whole];
  return part.every((item) => {
    const at = left.indexOf(item);
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

/** Every order of the roles that have role policies with rules: first the same one for all role sets, then combinations of different ones. */
function roleOrders(
  program: Program,
  { principal }: CheckRequest,
): readonly ReadonlyMap<string, readonly string[]>[] {
  const roles = [...new Set(program.roles.filter(({ rows }) => rows.length > 0).map(({ role }) => role))];
  const orders = permutations(roles.slice(0, MAX_PERMUTED));
  const owners = [...new Set(principal.roles)];
  const same = orders.map((order) => new Map(owners.map((owner) => [owner, order])));
  let combined: readonly ReadonlyMap<string, readonly string[]>[] = [new Map()];
  for (const owner of owners) {
    if (combined.length * orders.length > MAX_COMBINATIONS) break;
    combined = combined.flatMap((begun) => orders.map((order) => new Map(begun).set(owner, order)));
  }
  return [...same, ...combined];
}

/** Every choice of rows to look at first. */
function rowOrders(program: Program): readonly (readonly number[])[] {
  const rows = [NONE, ...program.derivedRoles.keys()];
  return arrangements(rows, Math.min(ROWS_OF_A_RULE, rows.length));
}

/** Every ordered choice of `count` items. */
function arrangements<T>(items: readonly T[], count: number): readonly (readonly T[])[] {
  if (count === 0) return [[]];
  return items.flatMap((item, index) =>
    arrangements(items.toSpliced(index, 1), count - 1).map((rest) => [item].concat(rest)),
  );
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
