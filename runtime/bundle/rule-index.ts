/**
 * The rules section of a bundle: which rule stands where in which file, and how its condition is built. Read only
 * to explain decisions, never to make them, so it is parsed on first use and looked up by the guest's ids. A second line
 * has the actions that policies name, which is all that searches read.
 */
import { BundleError } from "../errors.ts";
import { parseJson } from "./manifest.ts";

/** A place in a policy source. Lines and columns are 1-based. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One expression of a condition, as the rule's own file has it. */
export interface ConditionLeaf {
  readonly text: string;
  readonly place: SourcePlace;
}

export interface RuleInfo {
  readonly id: number;
  /** Policy key, as in `resource.expense.vdefault/acme`. */
  readonly policy: string;
  readonly name: string;
  /** `role` for the allow list of a role policy. */
  readonly effect: "allow" | "deny" | "role";
  readonly place: SourcePlace;
  readonly yamlPath: string;
  /** Condition id, or -1 when the rule has none. */
  readonly condition: number;
  /** The condition's expressions, in the order of its tree. */
  readonly leaves: readonly ConditionLeaf[];
}

export interface DerivedRoleInfo {
  readonly name: string;
  /** Key of the derived roles policy that defines it. */
  readonly origin: string;
  readonly place: SourcePlace;
  readonly condition: number;
  readonly leaves: readonly ConditionLeaf[];
}

/** The shape of a condition; equal conditions of different rules are one, so it has no text or place of its own. */
export type ConditionInfo =
  | { readonly kind: "expr" }
  | { readonly kind: "all" | "any" | "none"; readonly children: readonly number[] };

/** The actions that one policy names for a resource, which may be a pattern. */
export interface NamedActions {
  readonly resource: string;
  /** Without patterns. */
  readonly actions: readonly string[];
}

export interface RuleIndex {
  readonly policies: readonly string[];
  readonly rules: readonly RuleInfo[];
  readonly derivedRoles: readonly DerivedRoleInfo[];
  readonly conditions: readonly ConditionInfo[];
}

/** Text index, line and column of each leaf, one after the other. */
type RawLeaves = readonly number[];

/** Name, effect, line, column, path, and condition and leaves, whose condition and texts are indices of the policy's lists. */
type RawRule = readonly [string, RuleInfo["effect"], number, number, string, number, RawLeaves];

interface RawIndex {
  readonly files: readonly string[];
  readonly texts: readonly string[];
  readonly policies: readonly string[];
  /** Per policy: its key, its file, the conditions and texts that its rules use, and the rules. */
  readonly rules: readonly (readonly [
    number,
    number,
    readonly number[],
    readonly number[],
    readonly RawRule[],
  ])[];
  readonly derivedRoles: readonly (readonly [string, string, number, number, number, number, RawLeaves])[];
  readonly conditions: readonly (readonly ["expr"] | readonly ["all" | "any" | "none", readonly number[]])[];
}

/** Parses the rules section. Throws `BundleError` when it is not what the format says. */
export function parseRuleIndex(bytes: Uint8Array): RuleIndex {
  const raw = parseJson(bytes.subarray(0, firstLine(bytes)), "rules") as RawIndex;
  try {
    return buildIndex(raw);
  } catch (error) {
    if (error instanceof BundleError) throw error;
    throw new BundleError("the rules section is not in the form that this edict reads", { cause: error });
  }
}

/** The actions that policies name, policy by policy. Throws `BundleError`; a section without them has none. */
export function parseNamedActions(bytes: Uint8Array): readonly NamedActions[] {
  const line = bytes.subarray(firstLine(bytes) + 1);
  if (line.byteLength === 0) return [];
  const raw = parseJson(line, "rules");
  const isList = Array.isArray(raw) && raw.every((one) => Array.isArray(one) && one.every(isText));
  if (!isList) throw new BundleError("the rules section has no list of actions");
  return (raw as readonly (readonly [string, ...string[]])[]).map(([resource, ...actions]) => ({
    resource,
    actions,
  }));
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

/** Length of the first line: JSON has no line breaks unless somebody indents it. */
function firstLine(bytes: Uint8Array): number {
  const end = bytes.indexOf(10);
  return end < 0 ? bytes.byteLength : end;
}

function ruleList(
  raw: RawIndex,
  place: (file: number, line: number, column: number) => SourcePlace,
  leavesOf: (file: number, list: RawLeaves) => ConditionLeaf[],
): RuleInfo[] {
  const list: RuleInfo[] = [];
  for (const [policy, file, conditions, texts, rules] of raw.rules) {
    for (const [name, effect, line, column, yamlPath, condition, own] of rules) {
      const leaves = own.map((value, index) => (index % 3 === 0 ? (texts[value] ?? -1) : value));
      list.push({
        id: list.length,
        policy: raw.policies[policy] ?? "?",
        name,
        effect,
        place: place(file, line, column),
        yamlPath,
        condition: conditions[condition] ?? -1,
        leaves: leavesOf(file, leaves),
      });
    }
  }
  return list;
}

function buildIndex(raw: RawIndex): RuleIndex {
  for (const key of ["files", "policies", "texts", "rules", "derivedRoles", "conditions"] as const) {
    if (!Array.isArray(raw?.[key])) throw new BundleError(`the rules section has no list \`${key}\``);
  }
  const place = (file: number, line: number, column: number): SourcePlace => ({
    file: raw.files[file] ?? "?",
    line,
    column,
  });
  const leaves = (file: number, list: RawLeaves): ConditionLeaf[] =>
    Array.from({ length: Math.floor(list.length / 3) }, (_, index) => ({
      text: raw.texts[list[index * 3] ?? -1] ?? "?",
      place: place(file, list[index * 3 + 1] ?? 0, list[index * 3 + 2] ?? 0),
    }));
  return {
    policies: raw.policies,
    rules: ruleList(raw, place, leaves),
    derivedRoles: raw.derivedRoles.map(([name, origin, file, line, column, condition, own]) => ({
      name,
      origin,
      place: place(file, line, column),
      condition,
      leaves: leaves(file, own),
    })),
    conditions: raw.conditions.map((item) =>
      item[0] === "expr" ? { kind: "expr" } : { kind: item[0], children: item[1] },
    ),
  };
}
