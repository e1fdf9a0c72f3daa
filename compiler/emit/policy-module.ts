/**
 * The policy module: AssemblyScript text with one function per distinct condition, output and shared expression. It
 * imports everything else from core, allocates nothing and has no data of its own (DESIGN.md section 3).
 */
import { GUEST_FUNCTIONS } from "../cel/builtins/guest-functions.ts";
import { invariant } from "../diagnostics/invariant.ts";
import type { Condition, ConditionId, Program } from "../ir/program.ts";
import type { Blob } from "./blob.ts";
import { ExpressionWriter, type WriterContext } from "./expression-writer.ts";
import { FALSE, TRUE } from "./literals.ts";
import { UnitText, type Unit } from "./unit.ts";
import type { Usage } from "./usage.ts";

/** Core functions beside GUEST_FUNCTIONS: parameter types and result, as written in a declaration. */
const SUPPORT_FUNCTIONS: Readonly<Record<string, string>> = {
  settle: "(value: u64): i32",
  settleEquals: "(left: u64, right: u64): i32",
  resourceEquals: "(slot: i32, right: u64): i32",
  resourceEqualsPrincipalId: "(slot: i32): i32",
  condition: "(id: i32): i32",
  isRemembered: "(id: i32): bool",
  remembered: "(id: i32): u64",
  remember: "(id: i32, value: u64): u64",
  and: "(left: u64, right: u64): u64",
  or: "(left: u64, right: u64): u64",
  asBool: "(value: u64): u64",
  notABool: "(value: u64): u64",
  sortByKeys: "(items: u64, keys: u64): u64",
  isError: "(value: u64): bool",
  fuelError: "(): u64",
  tick: "(): i32",
  rangeItems: "(value: u64): u64",
  rangeList: "(value: u64): u64",
  rangePairs: "(value: u64): u64",
  count: "(range: u64): i32",
  item: "(list: u64, index: i32): u64",
  pairKey: "(range: u64, index: i32): u64",
  pairValue: "(range: u64, index: i32): u64",
  listBuilder: "(capacity: i32): u64",
  append: "(list: u64, value: u64): u64",
  appendOptional: "(list: u64, value: u64): u64",
  mapBuilder: "(capacity: i32): u64",
  put: "(map: u64, key: u64, value: u64): u64",
  putNew: "(map: u64, key: u64, value: u64): u64",
  putOptional: "(map: u64, key: u64, value: u64): u64",
  putEntry: "(map: u64, entry: u64): u64",
  principalAttribute: "(slot: i32): u64",
  resourceAttribute: "(slot: i32): u64",
  principalHasAttribute: "(slot: i32): u64",
  resourceHasAttribute: "(slot: i32): u64",
};

const INPUT_SIGNATURE = "(): u64";

/** The getters of timestamps that take a zone (assembly/cel/time.ts). */
const ZONED_GETTER = /^get[A-Z][A-Za-z]+2$/;

/** The functions of a policy module, and the same as two source files that people can read and compile. */
export interface PolicyModule {
  /** In the order of the module: shared functions, conditions, outputs. */
  readonly units: readonly Unit[];
  /** `core.ts`: declarations of the imported core functions. */
  readonly core: string;
  /** `policy.ts`: the functions. */
  readonly policy: string;
  /** Whether it reads a clock in a zone that a text names. */
  readonly usesZones: boolean;
}

/** Writes the module; literals are added to `blob`. */
export function writePolicyModule(program: Program, usage: Usage, blob: Blob): PolicyModule {
  const context: WriterContext = {
    expressions: program.expressions,
    attributeRoots: program.attributes.map((attribute) => attribute.root),
    attributeNames: program.attributes.map((attribute) => attribute.key),
    shared: usage.shared,
    blob,
  };
  const units = [
    ...program.expressions.flatMap((_, id) => {
      const index = usage.shared[id] ?? -1;
      return index < 0 ? [] : [sharedFunction(context, index, id)];
    }),
    ...program.conditions.map((condition, id) => conditionFunction(program, context, condition, id)),
    ...usage.outputs.map((id, index) => outputFunction(context, index, id)),
  ];
  const names = [...new Set(units.flatMap(({ uses }) => uses))].sort();
  const imports = names.length === 0 ? "" : `import { ${names.join(", ")} } from "./core";\n\n`;
  return {
    units,
    core: declarations(names),
    policy: `${imports}${CONSTANTS}${units.map(({ listing }) => listing).join("\n")}`,
    usesZones: names.some((name) => ZONED_GETTER.test(name)),
  };
}

/** What every function may use by name. */
export const CONSTANTS =
  `const FALSE: u64 = 0x${FALSE.toString(16)};\nconst TRUE: u64 = 0x${TRUE.toString(16)};\n` +
  `const MET: i32 = 1;\nconst NOT_MET: i32 = 0;\nconst FAILED: i32 = 2;\nconst STOP: i32 = 3;\n\n`;

/** Declarations of core functions. */
export function declarations(names: readonly string[]): string {
  return names.map((name) => `export declare function ${name}${signature(name)};\n`).join("");
}

function signature(name: string): string {
  const support = SUPPORT_FUNCTIONS[name];
  if (support !== undefined) return support;
  if (name.startsWith("input")) return INPUT_SIGNATURE;
  const arity = new Map<string, number>(Object.entries(GUEST_FUNCTIONS)).get(name);
  invariant(arity !== undefined, "generated code calls only functions that core exports");
  const parameters = Array.from({ length: arity }, (_, index) => `a${index}: u64`);
  return `(${parameters.join(", ")}): u64`;
}

function sharedFunction(context: WriterContext, index: number, id: number): Unit {
  const unit = new UnitText();
  const writer = new ExpressionWriter(context, unit);
  unit.use("isRemembered", "remembered", "remember");
  const memo = unit.memo(index);
  const term = writer.term(id, [], true);
  return unit.finish({ name: `e${index}`, isExported: false, result: "u64" }, [
    `  if (isRemembered(${memo})) return remembered(${memo});`,
    ...writer.lines,
    `  return remember(${memo}, ${term});`,
  ]);
}

function outputFunction(context: WriterContext, index: number, id: number): Unit {
  const unit = new UnitText();
  const writer = new ExpressionWriter(context, unit);
  const term = writer.term(id);
  return unit.finish({ name: `o${index}`, isExported: true, result: "u64" }, [
    ...writer.lines,
    `  return ${term};`,
  ]);
}

function conditionFunction(
  program: Program,
  context: WriterContext,
  condition: Condition,
  id: ConditionId,
): Unit {
  const header = `/** ${condition.place.file}:${condition.place.line} ${describe(program, condition)} */`;
  const head = { name: `c${id}`, isExported: true, result: "i32", header } as const;
  const unit = new UnitText();
  if (condition.kind === "expr") {
    const writer = new ExpressionWriter(context, unit);
    const outcome = writer.outcome(condition.expr);
    return unit.finish(head, [...writer.lines, `  return ${outcome};`]);
  }
  const decisive = condition.kind === "all" ? "NOT_MET" : "MET";
  unit.use("condition");
  const lines = condition.of.map((member, index) =>
    [
      `  ${index === 0 ? "let " : ""}r = condition(${unit.condition(member)});`,
      `  if (r == ${decisive}) return ${condition.kind === "any" ? "MET" : "NOT_MET"};`,
      "  if (r == STOP) return STOP;",
      "  if (r == FAILED) failed = true;",
    ].join("\n"),
  );
  const otherwise = condition.kind === "any" ? "NOT_MET" : "MET";
  return unit.finish(head, ["  let failed = false;", ...lines, `  return failed ? FAILED : ${otherwise};`]);
}

function describe(program: Program, condition: Condition): string {
  const text =
    condition.kind === "expr"
      ? condition.text
      : `${condition.kind} of ${condition.of.map((member) => `c${member}`).join(", ")}`;
  return text.replaceAll("*/", "* /").replaceAll(/\s+/gu, " ").slice(0, 200);
}
