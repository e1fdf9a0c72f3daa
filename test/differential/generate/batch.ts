/**
 * One batch of the generator: from a seed, a policy set that both compilers take, the engine settings it runs under, and
 * what the two compilers disagreed about on the way.
 */
import type { CelType } from "../../../compiler/cel/expression.ts";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  UINT,
  listOf,
  mapOf,
} from "../../../compiler/cel/types.ts";
import type { SourceFile } from "../../../compiler/load/index.ts";
import type { CaseEngine } from "../../support/cases.ts";
import { Random } from "../random.ts";
import { acceptance, type Acceptance } from "./acceptance.ts";
import { distinct, ExpressionPool } from "./expression-pool.ts";
import { Writer } from "./expressions.ts";
import { policySet } from "./policy-sets.ts";
import { randomWorld, type World } from "./world.ts";
import type { Name } from "./writing.ts";

export interface Batch {
  readonly seed: number;
  readonly world: World;
  readonly policies: readonly object[];
  readonly settings: CaseEngine;
  readonly disputed: Acceptance["disputed"];
  readonly expressions: number;
}

/** Expressions tried per place; a set uses a part of them. */
const CONDITIONS = 260;
const OUTPUTS = 110;
/** More than the derived roles of a set use. */
const DERIVED_ROLE_CONDITIONS = 40;
const DEPTH = 3;

const API = "api.cerbos.dev/v1";
const OUTPUT_TYPES: readonly CelType[] = [
  DYN,
  BOOL,
  INT,
  UINT,
  DOUBLE,
  STRING,
  BYTES,
  TIMESTAMP,
  DURATION,
  listOf(STRING),
  listOf(INT),
  listOf(DYN),
  mapOf(STRING, DYN),
  { kind: "optional", value: STRING },
];

const CONSTANTS: readonly (Name & { readonly value: unknown })[] = [
  { name: "limit", type: DOUBLE, value: 3 },
  { name: "greeting", type: STRING, value: "hello" },
  { name: "allowed", type: listOf(STRING), value: ["a", "b", "hello"] },
  { name: "enabled", type: BOOL, value: true },
  { name: "config", type: mapOf(STRING, DYN), value: { k: "a" } },
];
const VARIABLE_TYPES: readonly CelType[] = [BOOL, BOOL, INT, STRING, DOUBLE, listOf(STRING), DYN, TIMESTAMP];
/** Variables that every policy defines for itself: names with the type that expressions take them to have. */
const LOCALS: readonly Name[] = [
  { name: "V.w0", type: BOOL },
  { name: "V.w1", type: STRING },
  { name: "V.w2", type: DOUBLE },
  { name: "C.c0", type: DOUBLE },
  { name: "C.c1", type: STRING },
];
const LOCAL_TEXTS = 60;
const GLOBALS = { env: "prod", n: 5.5, list: ["a"] };
const GLOBAL_NAMES: readonly Name[] = [
  { name: "G.env", type: STRING },
  { name: "globals.n", type: DOUBLE },
  { name: "G.list", type: listOf(STRING) },
  { name: "G.missing", type: DYN },
];

/** The batch of a seed. */
export async function makeBatch(seed: number, withCerbos: boolean): Promise<Batch> {
  const random = new Random(seed);
  const world = randomWorld(random);
  const constants = CONSTANTS.map(({ name, type }) => ({ name: `C.${name}`, type }));
  const known = [...constants, ...GLOBAL_NAMES];
  const variables = await makeVariables(random, known, withCerbos);
  const shared = [exportedConstants(), exportedVariables(variables.definitions)];
  const locals = await makeLocals(random, [...known, ...variables.names], shared, withCerbos);
  const imports = locals.next();
  const definitions = [...known, ...variables.names, ...LOCALS];
  const rules = write(random, definitions, true);
  const elsewhere = write(random, definitions, false);
  const all = distinct([
    ...rules.conditions,
    ...rules.outputs,
    ...elsewhere.conditions,
    ...elsewhere.outputs,
  ]);
  const tried = await acceptance(all, shared.map(sourceOf), imports, withCerbos);
  const accepted = new Set(tried.accepted);
  const pool = (texts: readonly string[]): ExpressionPool =>
    new ExpressionPool(
      distinct(texts).filter((text) => accepted.delete(text)),
      random,
    );
  const withoutVariables = elsewhere.conditions.filter((text) => !/\bV\.[vw]\d/.test(text));
  const pools = {
    derivedRoles: { conditions: pool(withoutVariables.slice(0, DERIVED_ROLE_CONDITIONS)), outputs: pool([]) },
    rules: { conditions: pool(rules.conditions), outputs: pool(rules.outputs) },
    elsewhere: { conditions: pool(elsewhere.conditions), outputs: pool(elsewhere.outputs) },
  };
  const policies = [...shared, ...policySet(world, pools, locals.next, random)];
  return {
    seed,
    world,
    policies,
    settings: settingsFor(random),
    disputed: [...variables.disputed, ...locals.disputed, ...tried.disputed],
    expressions: tried.accepted.length,
  };
}

interface Texts {
  readonly conditions: readonly string[];
  readonly outputs: readonly string[];
}

function write(random: Random, definitions: readonly Name[], runtime: boolean): Texts {
  const writer = new Writer(random, { definitions, runtime });
  const some = (count: number, type: () => CelType): readonly string[] =>
    Array.from({ length: count }, () => writer.writeTop(type(), DEPTH));
  return {
    conditions: some(CONDITIONS, () => BOOL),
    outputs: some(OUTPUTS, () => random.pick(OUTPUT_TYPES, DYN)),
  };
}

/** Variables whose definitions everybody takes, of a few types; they do not use each other. */
async function makeVariables(
  random: Random,
  known: readonly Name[],
  withCerbos: boolean,
): Promise<{
  names: readonly Name[];
  definitions: Readonly<Record<string, string>>;
  disputed: Acceptance["disputed"];
}> {
  const writer = new Writer(random, { definitions: known, runtime: false });
  const tries = VARIABLE_TYPES.flatMap((type) =>
    Array.from({ length: 2 }, () => ({ type, text: writer.writeTop(type, 2) })),
  );
  const texts = distinct(tries.map(({ text }) => text));
  const constants = { constants: { import: ["shared-constants"] } };
  const { accepted, disputed } = await acceptance(
    texts,
    [sourceOf(exportedConstants(), 0)],
    constants,
    withCerbos,
  );
  const usable = tries.filter(({ text }) => accepted.includes(text));
  return {
    names: usable.map(({ type }, index) => ({ name: `V.v${index}`, type })),
    definitions: Object.fromEntries(usable.map(({ text }, index) => [`v${index}`, text])),
    disputed,
  };
}

/** What one policy imports and defines for itself; each policy gets other definitions under the same names. */
async function makeLocals(
  random: Random,
  known: readonly Name[],
  shared: readonly object[],
  withCerbos: boolean,
): Promise<{ next: () => object; disputed: Acceptance["disputed"] }> {
  const writer = new Writer(random, { definitions: known, runtime: false });
  const texts = distinct(
    Array.from({ length: LOCAL_TEXTS }, () => writer.writeTop(random.pick([BOOL, STRING, DOUBLE], BOOL), 2)),
  );
  const imports = {
    variables: { import: ["shared-variables"] },
    constants: { import: ["shared-constants"] },
  };
  const { accepted, disputed } = await acceptance(texts, shared.map(sourceOf), imports, withCerbos);
  // With the type hidden: what an expression may do with a definition must not depend on the policy.
  const definition = (): string => `dyn(${random.pick(accepted, "true")})`;
  const next = (): object => ({
    variables: {
      import: ["shared-variables"],
      local: { w0: definition(), w1: definition(), w2: definition() },
    },
    constants: {
      import: ["shared-constants"],
      local: { c0: random.pick([0.5, 2, -3], 2), c1: random.pick(["a", "hello", "b"], "a") },
    },
  });
  return { next, disputed };
}

function exportedConstants(): object {
  const definitions = Object.fromEntries(CONSTANTS.map(({ name, value }) => [name, value]));
  return { apiVersion: API, exportConstants: { name: "shared-constants", definitions } };
}

function exportedVariables(definitions: Readonly<Record<string, string>>): object {
  return { apiVersion: API, exportVariables: { name: "shared-variables", definitions } };
}

function sourceOf(policy: object, index: number): SourceFile {
  return { path: `shared-${index}.json`, text: JSON.stringify(policy, null, 1) };
}

function settingsFor(random: Random): CaseEngine {
  return {
    onError: random.chance(0.65) ? "compatible" : "strict",
    globals: GLOBALS,
    ...(random.chance(0.4) ? { schemaEnforcement: random.chance(0.6) ? "warn" : "reject" } : {}),
    ...(random.chance(0.3) ? { lenientScopeSearch: true } : {}),
    ...(random.chance(0.1) ? { defaultScope: "acme" } : {}),
    ...(random.chance(0.1) ? { defaultPolicyVersion: "v2" } : {}),
  };
}
