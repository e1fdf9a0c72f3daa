/**
 * The rules section: what explanations need and decisions do not, as JSON: rules, derived roles and conditions with their
 * places. Files, policy keys and texts are listed once and referred to by index; a policy lists the texts and conditions that it uses, so
 * that the text of its rules depends on nothing else and can be kept from one bundle to the next. A second line of
 * JSON has the actions that policies name, by resource, for searches that enumerate them and read nothing else.
 */
import type { Place } from "../diagnostics/diagnostic.ts";
import { isGlob } from "../ir/glob.ts";
import { NONE, type Leaf, type Program, type RuleInfo } from "../ir/program.ts";
import { JoinedList } from "./joined-list.ts";

/** The rules of a policy by themselves: its own texts and conditions are named by index in these lists. */
interface Fragment {
  readonly file: string;
  readonly policy: string;
  /** Index of the first row of each distinct condition. */
  readonly conditionRows: readonly number[];
  readonly texts: readonly string[];
  readonly json: string;
  /** Of the second line: resources with their actions; empty for none. */
  readonly actions: string;
  /** As it stood in the last section. */
  numbered: NumberedFragment | undefined;
}

/** A fragment and the ids of everything that it names; a new object when one of them is another. */
interface NumberedFragment {
  readonly policy: number;
  readonly file: number;
  readonly conditions: readonly number[];
  readonly texts: readonly number[];
  readonly json: string;
}

/** What is kept from one section to the next. */
export class RuleTexts {
  /** By the first of the rules, which is the same object as long as the policy is. */
  readonly fragments = new WeakMap<RuleInfo, Fragment>();
  readonly list = new JoinedList<NumberedFragment>(
    ",",
    ({ policy, file, conditions, texts, json }) =>
      `[${policy},${file},[${conditions.join()}],[${texts.join()}],${json}]`,
  );
  readonly actions = new JoinedList<Fragment>(",", ({ actions }) => actions);
  last: NumberedList | undefined;
}

/** The fragments of a program with their ids. */
interface NumberedList {
  /** Ids of conditions are the same for as long as this is the same object. */
  readonly conditions: Program["conditions"];
  /** The first rule of every policy that has rules. */
  readonly firsts: readonly RuleInfo[];
  readonly fragments: readonly Fragment[];
  readonly numbered: readonly NumberedFragment[];
  readonly files: Indexer;
  readonly policies: Indexer;
  readonly texts: Indexer;
}

/** What all kinds of blocks have. */
interface Block {
  readonly firstRule: number;
  readonly ruleCount: number;
  /** Of the whole block; rows of principal and role policies have their own. */
  readonly resource?: string;
  readonly rows: readonly {
    readonly rule: number;
    readonly condition: number;
    readonly effect?: "allow" | "deny";
    readonly resource?: string;
    readonly action?: string;
    readonly actions?: readonly string[];
    readonly allowActions?: readonly string[];
  }[];
  conditionOf(row: number): number;
}

/** Writes the section, in pieces. `derivedRoles` maps the image's derived roles to the program's. */
export function writeRules(
  program: Program,
  derivedRoles: readonly number[],
  kept = new RuleTexts(),
): readonly Uint8Array[] {
  const blocks: readonly Block[] = [...program.resources, ...program.principals, ...program.roles];
  const list = renumberEdited(program, blocks, kept) ?? numberAll(program, blocks, kept);
  kept.last = list;
  // Names that only derived roles have come last, and are no business of the next section.
  const files = new Indexer(list.files);
  const texts = new Indexer(list.texts);
  const place = (at: Place): [number, number, number] => [files.index(at.file), at.line, at.column];
  // A condition's leaves stand in the file of its rule, so a line and a column say where.
  const leaves = (of: readonly Leaf[]): number[] =>
    of.flatMap((leaf) => [texts.index(leaf.text), leaf.place.line, leaf.place.column]);
  const derived = derivedRoles.map((id) => {
    const role = program.derivedRoles[id];
    return role === undefined
      ? []
      : [role.name, role.origin, ...place(role.place), role.condition, leaves(role.leaves)];
  });
  const conditions = program.conditions.map((condition) =>
    condition.kind === "expr" ? ["expr"] : [condition.kind, condition.of],
  );
  const names = `"files":${files.json()},"policies":${list.policies.json()},"texts":${texts.json()}`;
  const tail = `],"derivedRoles":${JSON.stringify(derived)},"conditions":${JSON.stringify(conditions)}}\n[`;
  return [
    Buffer.from(`{${names},"rules":[`),
    ...kept.list.pieces(list.numbered),
    Buffer.from(tail),
    ...kept.actions.pieces(list.fragments.filter(({ actions }) => actions !== "")),
    Buffer.from("]"),
  ];
}

function numberAll(program: Program, blocks: readonly Block[], kept: RuleTexts): NumberedList {
  const list = {
    conditions: program.conditions,
    firsts: [] as RuleInfo[],
    fragments: [] as Fragment[],
    numbered: [] as NumberedFragment[],
    files: new Indexer(),
    policies: new Indexer(),
    texts: new Indexer(),
  };
  for (const block of blocks) {
    const first = program.rules[block.firstRule];
    if (first === undefined || block.ruleCount === 0) continue;
    const index = list.firsts.push(first) - 1;
    const known = kept.last?.firsts[index] === first ? kept.last.fragments[index] : undefined;
    const fragment = known ?? fragmentOf(first, program, block, kept);
    list.fragments.push(fragment);
    const policy = list.policies.index(fragment.policy);
    list.numbered.push(numbered(fragment, policy, list.files.index(fragment.file), block, list.texts));
  }
  return list;
}

/**
 * The last list with other fragments in place of those of edited policies, when these name the same things in the same order and are
 * numbered as the others of the list; nothing when an edit may have moved the ids of others.
 */
function renumberEdited(
  program: Program,
  blocks: readonly Block[],
  kept: RuleTexts,
): NumberedList | undefined {
  const { last } = kept;
  if (last?.conditions !== program.conditions) return undefined;
  const firsts = [...last.firsts];
  const fragments = [...last.fragments];
  const list = [...last.numbered];
  let at = 0;
  for (const block of blocks) {
    const first = program.rules[block.firstRule];
    if (first === undefined || block.ruleCount === 0) continue;
    const index = at++;
    if (first === firsts[index]) continue;
    const before = list[index];
    const former = fragments[index];
    if (before === undefined || former === undefined) return undefined;
    const fragment = fragmentOf(first, program, block, kept);
    const namesTheSame =
      fragment.file === former.file &&
      fragment.policy === former.policy &&
      isSame(fragment.texts, former.texts);
    if (!namesTheSame) return undefined;
    firsts[index] = first;
    fragments[index] = fragment;
    list[index] = numbered(fragment, before.policy, before.file, block, last.texts);
  }
  return at === firsts.length ? { ...last, firsts, fragments, numbered: list } : undefined;
}

function fragmentOf(first: RuleInfo, program: Program, block: Block, kept: RuleTexts): Fragment {
  let fragment = kept.fragments.get(first);
  if (fragment === undefined) {
    fragment = writeFragment(program.rules, block);
    kept.fragments.set(first, fragment);
  }
  return fragment;
}

/** The fragment with its ids in this program: the same object as in the last one when they are the same. */
function numbered(
  fragment: Fragment,
  policy: number,
  file: number,
  block: Block,
  texts: Indexer,
): NumberedFragment {
  const conditions = fragment.conditionRows.map((row) => block.conditionOf(row));
  const ownTexts = fragment.texts.map((text) => texts.index(text));
  const before = fragment.numbered;
  const isKept =
    before?.policy === policy &&
    before.file === file &&
    isSame(before.conditions, conditions) &&
    isSame(before.texts, ownTexts);
  if (isKept) return before;
  fragment.numbered = { policy, file, conditions, texts: ownTexts, json: fragment.json };
  return fragment.numbered;
}

function isSame<Item>(left: readonly Item[], right: readonly Item[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

function writeFragment(rules: readonly RuleInfo[], block: Block): Fragment {
  const facts = new Map<number, { readonly effect: string; readonly condition: number }>();
  const texts = new Indexer();
  const conditions = new Map<number, number>();
  const conditionRows: number[] = [];
  block.rows.forEach(({ rule, effect, condition }, row) => {
    if (condition !== NONE && !conditions.has(condition)) {
      conditions.set(condition, conditionRows.push(row) - 1);
    }
    facts.set(rule, { effect: effect ?? "role", condition: conditions.get(condition) ?? NONE });
  });
  const own = rules.slice(block.firstRule, block.firstRule + block.ruleCount);
  const json = JSON.stringify(
    own.map(({ name, place, leaves }, index) => {
      const fact = facts.get(block.firstRule + index);
      return [
        name,
        fact?.effect ?? "allow",
        place.line,
        place.column,
        place.path,
        fact?.condition ?? NONE,
        leaves.flatMap((leaf) => [texts.index(leaf.text), leaf.place.line, leaf.place.column]),
      ];
    }),
  );
  const [first] = own;
  return {
    file: first?.place.file ?? "",
    policy: first?.policyKey ?? "",
    conditionRows,
    texts: texts.names(),
    json,
    actions: JSON.stringify(namedActions(block)).slice(1, -1),
    numbered: undefined,
  };
}

/** Per resource (which may be a pattern) the actions that are no patterns. */
function namedActions(block: Block): readonly (readonly [string, ...string[]])[] {
  const named = new Map<string, Set<string>>();
  for (const row of block.rows) {
    const resource = row.resource ?? block.resource ?? "";
    const actions = named.get(resource) ?? new Set<string>();
    named.set(resource, actions);
    for (const action of row.actions ?? row.allowActions ?? [row.action ?? ""]) {
      if (action !== "" && !isGlob(action)) actions.add(action);
    }
  }
  return [...named].flatMap(([resource, actions]) =>
    actions.size === 0 ? [] : [[resource, ...actions] as const],
  );
}

/** Numbers strings in order of first use. */
class Indexer {
  readonly #before: Indexer | undefined;
  readonly #own: string[] = [];
  readonly #indices = new Map<string, number>();
  #json: string | undefined;

  /** @param before whose numbers go on to hold; it may not number anything new as long as this one is used */
  constructor(before?: Indexer) {
    this.#before = before;
  }

  get size(): number {
    return (this.#before?.size ?? 0) + this.#own.length;
  }

  names(): readonly string[] {
    return this.#before === undefined ? this.#own : [...this.#before.names(), ...this.#own];
  }

  /** The names as JSON; not written again for as long as nothing new is numbered. */
  json(): string {
    if (this.#before !== undefined && this.#own.length === 0) return this.#before.json();
    this.#json ??= JSON.stringify(this.names());
    return this.#json;
  }

  index(name: string): number {
    const known = this.find(name);
    if (known !== undefined) return known;
    const index = this.size;
    this.#own.push(name);
    this.#json = undefined;
    this.#indices.set(name, index);
    return index;
  }

  find(name: string): number | undefined {
    return this.#before?.find(name) ?? this.#indices.get(name);
  }
}
