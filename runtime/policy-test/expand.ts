/**
 * Expands a test into its matrix: every principal with every resource, and what is expected of each action there. Where
 * nothing is expected, DENY is.
 */
import { isDeepStrictEqual } from "node:util";
import type { Effect, Json } from "../guest/messages.ts";
import type { Claims, Expectation, Fixtures, Principal, Resource, Selection, Test } from "./suite.ts";

/** One principal and one resource of a test. */
export interface Pair {
  readonly principalName: string;
  readonly resourceName: string;
  readonly principal: Principal;
  readonly resource: Resource;
  readonly auxData: Claims | null;
  readonly actions: readonly string[];
  /** Has every action. */
  readonly expected: ReadonlyMap<string, Effect>;
  /** Action to output source to value. */
  readonly outputs: ReadonlyMap<string, ReadonlyMap<string, Json>>;
}

/** Why a test cannot be run; the text is the one suites report. */
export class InvalidTest extends Error {}

/** What names are looked up in, in order. */
export type FixtureSources = readonly Fixtures[];

/** All pairs of a test, principals first. Throws `InvalidTest`. */
export function expandTest(test: Test, sources: FixtureSources): readonly Pair[] {
  const fail = (reason: string): never => {
    throw new InvalidTest(`invalid test "${test.name}": ${reason}`);
  };
  const find = <K extends keyof Fixtures>(field: K, name: string, kind: string): FixtureOf<K> => {
    for (const source of sources) {
      const found = source[field].get(name);
      if (found !== undefined) return found as FixtureOf<K>;
    }
    return fail(`${kind} "${name}" not found`);
  };
  const principalNames = (selection: Selection): readonly string[] =>
    unique([
      ...selection.principals,
      ...selection.principalGroups.flatMap((name) => find("principalGroups", name, "principal group")),
    ]);
  const resourceNames = (selection: Selection): readonly string[] =>
    unique([
      ...selection.resources,
      ...selection.resourceGroups.flatMap((name) => find("resourceGroups", name, "resource group")),
    ]);

  const { input } = test;
  const [someone, something] = [principalNames(input), resourceNames(input)];
  const expected = new Expectations(new Set(someone), new Set(something), input.actions, fail);
  for (const expectation of test.expected) {
    expected.add(expectation, principalNames(expectation), resourceNames(expectation));
  }
  const principals = someone.map((name) => [name, find("principals", name, "principal")] as const);
  const resources = something.map((name) => [name, find("resources", name, "resource")] as const);
  const auxData = input.auxData === "" ? null : find("auxData", input.auxData, "auxData");
  return principals.flatMap(([principalName, principal]) =>
    resources.map(([resourceName, resource]) => ({
      principalName,
      resourceName,
      principal,
      resource,
      auxData,
      actions: input.actions,
      expected: expected.effects(principalName, resourceName),
      outputs: expected.outputs(principalName, resourceName),
    })),
  );
}

type FixtureOf<K extends keyof Fixtures> = Fixtures[K] extends ReadonlyMap<string, infer T> ? T : never;

interface Cell {
  readonly effects: Map<string, Effect>;
  readonly outputs: Map<string, Map<string, Json>>;
}

/** Gathers expectations per pair and refuses those that contradict each other or the input. */
class Expectations {
  readonly #cells = new Map<string, Cell>();
  readonly #principals: ReadonlySet<string>;
  readonly #resources: ReadonlySet<string>;
  readonly #actions: readonly string[];
  readonly #fail: (reason: string) => never;

  constructor(
    principals: ReadonlySet<string>,
    resources: ReadonlySet<string>,
    actions: readonly string[],
    fail: (reason: string) => never,
  ) {
    this.#principals = principals;
    this.#resources = resources;
    this.#actions = actions;
    this.#fail = fail;
  }

  add(expectation: Expectation, principals: readonly string[], resources: readonly string[]): void {
    this.#requireActions([...expectation.actions.keys()], "expectations for actions that do not exist in");
    const outputActions = expectation.outputs.map(({ action }) => action);
    this.#requireActions(outputActions, "output expectations for actions that are not in");
    for (const principal of principals) {
      for (const resource of resources) this.#addPair(expectation, principal, resource);
    }
  }

  /** What is expected of every action. */
  effects(principal: string, resource: string): Pair["expected"] {
    const cell = this.#cells.get(cellKey(principal, resource));
    return new Map(this.#actions.map((action) => [action, cell?.effects.get(action) ?? "EFFECT_DENY"]));
  }

  outputs(principal: string, resource: string): Pair["outputs"] {
    return this.#cells.get(cellKey(principal, resource))?.outputs ?? new Map();
  }

  #requireActions(actions: readonly string[], what: string): void {
    const unknown = unique(actions.filter((action) => !this.#actions.includes(action))).toSorted();
    if (unknown.length > 0) this.#fail(`found ${what} the input actions list: [${unknown.join(",")}]`);
  }

  #addPair(expectation: Expectation, principal: string, resource: string): void {
    if (!this.#principals.has(principal) || !this.#resources.has(resource)) {
      this.#fail(
        `found an expectation for principal "${principal}" and resource "${resource}", but at least one of these is not present in input`,
      );
    }
    const key = cellKey(principal, resource);
    const cell = this.#cells.get(key) ?? { effects: new Map(), outputs: new Map() };
    this.#cells.set(key, cell);
    const where = (action: string): string =>
      `principal "${principal}" performing action "${action}" on resource "${resource}"`;
    for (const [action, effect] of expectation.actions) {
      if ((cell.effects.get(action) ?? effect) !== effect) {
        this.#fail(`found inconsistent expectations for ${where(action)}`);
      }
      cell.effects.set(action, effect);
    }
    for (const { action, expected } of expectation.outputs) {
      const entries = cell.outputs.get(action) ?? new Map<string, Json>();
      cell.outputs.set(action, entries);
      for (const { src, val } of expected) {
        if (entries.has(src) && !isDeepStrictEqual(entries.get(src), val)) {
          this.#fail(`found inconsistent expectations for output "${src}" from ${where(action)}`);
        }
        entries.set(src, val);
      }
    }
  }
}

function cellKey(principal: string, resource: string): string {
  return JSON.stringify([principal, resource]);
}

function unique(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
