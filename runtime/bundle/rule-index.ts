/**
 * The rules section of a bundle: which rule stands where in which file, and how its condition is built. Read only
 * to explain decisions, never to make them, so it is parsed on first use and looked up by the guest's ids.
 */
import { BundleError } from "../errors.ts";
import { parseJson } from "./manifest.ts";

/** A place in a policy source. Lines and columns are 1-based. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
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
}

export interface DerivedRoleInfo {
  readonly name: string;
  /** Key of the derived roles policy that defines it. */
  readonly origin: string;
  readonly place: SourcePlace;
  readonly condition: number;
}

export type ConditionInfo =
  | { readonly kind: "expr"; readonly text: string; readonly place: SourcePlace }
  | {
      readonly kind: "all" | "any" | "none";
      readonly children: readonly number[];
      readonly place: SourcePlace;
    };

export interface RuleIndex {
  readonly policies: readonly string[];
  readonly rules: readonly RuleInfo[];
  readonly derivedRoles: readonly DerivedRoleInfo[];
  readonly conditions: readonly ConditionInfo[];
}

interface RawIndex {
  readonly files: readonly string[];
  readonly policies: readonly string[];
  readonly rules: readonly (readonly [
    number,
    string,
    RuleInfo["effect"],
    number,
    number,
    number,
    string,
    number,
  ])[];
  readonly derivedRoles: readonly (readonly [string, string, number, number, number, number])[];
  readonly conditions: readonly (
    | readonly ["expr", string, number, number, number]
    | readonly ["all" | "any" | "none", readonly number[], number, number, number]
  )[];
}

/** Parses the rules section. Throws `BundleError` when it is not what the format says. */
export function parseRuleIndex(bytes: Uint8Array): RuleIndex {
  const raw = parseJson(bytes, "rules") as RawIndex;
  try {
    return buildIndex(raw);
  } catch (error) {
    if (error instanceof BundleError) throw error;
    throw new BundleError("the rules section is not in the form that this edict reads", { cause: error });
  }
}

function buildIndex(raw: RawIndex): RuleIndex {
  for (const key of ["files", "policies", "rules", "derivedRoles", "conditions"] as const) {
    if (!Array.isArray(raw?.[key])) throw new BundleError(`the rules section has no list \`${key}\``);
  }
  const place = (file: number, line: number, column: number): SourcePlace => ({
    file: raw.files[file] ?? "?",
    line,
    column,
  });
  return {
    policies: raw.policies,
    rules: raw.rules.map(([policy, name, effect, file, line, column, yamlPath, condition], id) => ({
      id,
      policy: raw.policies[policy] ?? "?",
      name,
      effect,
      place: place(file, line, column),
      yamlPath,
      condition,
    })),
    derivedRoles: raw.derivedRoles.map(([name, origin, file, line, column, condition]) => ({
      name,
      origin,
      place: place(file, line, column),
      condition,
    })),
    conditions: raw.conditions.map((item) =>
      item[0] === "expr"
        ? { kind: "expr", text: item[1], place: place(item[2], item[3], item[4]) }
        : { kind: item[0], children: item[1], place: place(item[2], item[3], item[4]) },
    ),
  };
}
