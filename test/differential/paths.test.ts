/**
 * Cerbos's path functions on the guest and on the reference interpreter: random paths of all styles, alike and not, and
 * random globs, valid or not. What Cerbos itself gives is in expressions.yaml.
 */
import { describe, expect, it } from "vitest";
import { ask, BUILD_CORE, CORE_IS_BUILT, engineOf } from "../support/engines.ts";
import type { JsonValue } from "../../compiler/policy/policy-set.ts";
import type { GuestFunction } from "../../compiler/cel/builtins/guest-functions.ts";
import { expressionPolicy, rowResults } from "./expression-table.ts";
import { callFunction } from "./interpreter/functions/index.ts";
import { fromJson, toJson } from "./interpreter/values.ts";
import { Random } from "./random.ts";

const SEED = 20_261_121;
const REQUESTS = 40;
const RESOURCES = 50;

const CALLS: readonly (readonly [name: GuestFunction, args: readonly (keyof Attributes)[]])[] = [
  ["basePath", ["path"]],
  ["dirPath", ["path"]],
  ["extPath", ["path"]],
  ["volumeName", ["path"]],
  ["joinPath", ["paths"]],
  ["relPath", ["path", "other"]],
  ["relPath", ["other", "path"]],
  ["pathHasPrefix", ["path", "other"]],
  ["pathHasPrefix", ["other", "path"]],
  ["pathMatch", ["plain", "glob"]],
  ["pathMatch", ["path", "other"]],
  ["pathMatchAnyOf", ["plain", "globs"]],
];

interface Attributes {
  readonly path: string;
  readonly other: string;
  readonly paths: readonly JsonValue[];
  readonly plain: string;
  readonly glob: string;
  readonly globs: readonly JsonValue[];
}

const PIECES = [
  "/",
  "\\",
  "\\",
  ".",
  "..",
  ":",
  "C:",
  "c:",
  "C:\\",
  "a",
  "b",
  "ab",
  "é",
  "\\\\h\\s",
  "b.c",
  "😀",
  "..\\",
];
const PLAIN = ["a", "b", "ab", "é", "日", "😀", "/", "/", "."];
const GLOBS = [
  "*",
  "**",
  "?",
  "[a-b]",
  "[^a]",
  "[é-日]",
  "[^/]",
  "/*",
  "a*",
  "[",
  "]",
  "[]",
  "[^]",
  "[a-",
  "-",
  "^",
];

function text(random: Random, pieces: readonly string[], most: number): string {
  return Array.from({ length: random.below(most) }, () => random.pick(pieces, "a")).join("");
}

/** A path that has to do with another one, or not. */
function near(random: Random, path: string): string {
  if (random.chance(0.2)) return path.replaceAll("\\", "/");
  if (random.chance(0.5)) return path + random.pick(["/", "\\", ""], "/") + text(random, PIECES, 4);
  return text(random, PIECES, 8);
}

/** A glob made of the path it is for, or not. */
function glob(random: Random, path: string): string {
  if (random.chance(0.3)) return text(random, [...PLAIN, ...GLOBS], 7);
  return Array.from(path)
    .map((character) =>
      random.chance(0.7)
        ? character
        : random.pick(["*", "?", `[${character}]`, `*${character}`, "[^x]"], "*"),
    )
    .join("");
}

function attributes(random: Random): Attributes {
  const path = text(random, PIECES, random.chance(0.5) ? 4 : 9);
  const plain = text(random, PLAIN, 9);
  const list = (make: () => string): JsonValue[] => [
    ...Array.from({ length: random.below(4) }, make),
    ...(random.chance(0.05) ? [1] : []),
  ];
  return {
    path,
    other: near(random, path),
    paths: list(() => text(random, PIECES, 5)),
    plain,
    glob: glob(random, plain),
    globs: list(() => glob(random, plain)),
  };
}

/** What the interpreter gives for the calls, as comparable text. */
function expected(attr: Attributes): readonly string[] {
  return CALLS.map(([name, args]) => {
    const value = callFunction(
      name,
      args.map((arg) => fromJson(attr[arg] as JsonValue)),
    );
    const made = value.kind === "error" ? { error: true } : toJson(value);
    return "error" in made ? "an error" : JSON.stringify(made.json);
  });
}

describe.skipIf(!CORE_IS_BUILT)(`path functions${CORE_IS_BUILT ? "" : ` (${BUILD_CORE})`}`, () => {
  it("give on the guest what they give on the interpreter", { timeout: 300_000 }, async () => {
    const expressions = CALLS.map(([name, args]) => ({
      expr: `${name}(${args.map((arg) => `R.attr.${arg}`).join(", ")})`,
    }));
    const engine = await engineOf([expressionPolicy(expressions)], { onError: "compatible" });
    const random = new Random(SEED);
    const wrong: unknown[] = [];
    let errors = 0;
    let matches = 0;
    for (let request = 0; request < REQUESTS; request++) {
      const attrs = Array.from({ length: RESOURCES }, () => attributes(random));
      const resources = attrs.map((attr, index) => ({
        actions: ["ask"],
        resource: { kind: "doc", id: String(index), attr },
      }));
      const answer = ask(engine, { principal: { id: "p", roles: ["user"] }, resources }, "json");
      if (!("response" in answer)) throw new Error(`request ${request}: ${answer.failure}`);
      for (const [index, attr] of attrs.entries()) {
        const results = rowResults(answer.response.results[index]?.outputs ?? []);
        const want = expected(attr);
        const got = CALLS.map((_, row) => {
          const { val } = results.get(row) ?? {};
          return val === undefined ? "an error" : JSON.stringify(val);
        });
        errors += want.filter((result) => result === "an error").length;
        matches += want[9] === "true" ? 1 : 0;
        if (got.join("\n") !== want.join("\n")) wrong.push({ attr, got, want });
      }
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    // Both kinds of outcome are there.
    expect(errors).toBeGreaterThan(REQUESTS * RESOURCES);
    expect(matches).toBeGreaterThan((REQUESTS * RESOURCES) / 10);
    expect(engine.traps).toBe(0);
  });
});
