/**
 * Regular expressions on the guest and on the reference interpreter: random patterns, valid or not, over random texts, in all
 * five functions, and patterns made to take long or much, which end in an answer or without fuel.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { STATUS_FUEL } from "../../assembly/abi.ts";
import { ask, BUILD_CORE, CORE_IS_BUILT, engineOf } from "../support/engines.ts";
import type { Engine } from "../../runtime/index.ts";
import { expressionPolicy, rowResults } from "./expression-table.ts";
import { callFunction } from "./interpreter/functions/index.ts";
import { string, toJson, type Value } from "./interpreter/values.ts";
import { Random } from "./random.ts";

const SEED = 20_261_121;
/** How a request may end when a pattern asks too much. */
const STOPPED = `status ${STATUS_FUEL}`;
const REQUESTS = 40;
const PAIRS = 50;

const EXPRESSIONS = [
  "R.attr.text.matches(R.attr.pattern)",
  "regex.replace(R.attr.text, R.attr.pattern, R.attr.by)",
  "regex.replace(R.attr.text, R.attr.pattern, R.attr.by, 2)",
  "regex.extract(R.attr.text, R.attr.pattern)",
  "regex.extractAll(R.attr.text, R.attr.pattern)",
];
const POLICY = expressionPolicy(EXPRESSIONS.map((expr) => ({ expr })));

const ATOMS = [
  "a",
  "b",
  "é",
  "K",
  "ſ",
  "😀",
  ".",
  "^",
  "$",
  "\\b",
  "\\B",
  "\\A",
  "\\z",
  "\\d",
  "\\W",
  "\\s",
  "\\pL",
];
const MORE_ATOMS = [
  "\\p{Lu}",
  "\\PL",
  "[a-c]",
  "[^a]",
  "[[:alpha:]b]",
  "[^\\d\\s-]",
  "\\x61",
  "\\x{1F600}",
  "\\n",
];
const BROKEN = [
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  "*",
  "+",
  "?",
  "\\",
  "|",
  "\\Q",
  "\\E",
  "(?",
  "(?P<n>",
  "{2",
  "[a-",
  "-",
];
const REPEATS = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0}", "{2,}?", "{0,2}", "{3,1}", "{1001}"];
const OPENINGS = ["(", "(?:", "(?i)(?:", "(?i:", "(?s:", "(?m:", "(?U:", "(?P<n>", "(?<m>", "(?-s:"];
const LETTERS = ["a", "b", "c", "A", "B", "k", "\u212a", "s", "ſ", "é", "É", "😀", "\n", " ", "1", "-", "_"];
const REPLACEMENTS = ["-", "", "[\\0]", "<\\1>", "\\\\", "\\2\\1", "\\", "\\x", "é"];

/** A pattern of all syntax, most of them valid; `depth` is how deep groups may nest. */
function pattern(random: Random, depth: number): string {
  let text = "";
  for (let left = 1 + random.below(3); left > 0; left--) {
    if (random.chance(0.02)) text += random.pick(BROKEN, "(");
    else if (depth > 0 && random.chance(0.4))
      text += `${random.pick(OPENINGS, "(")}${pattern(random, depth - 1)})`;
    else text += random.chance(0.7) ? random.pick(ATOMS, "a") : random.pick(MORE_ATOMS, "b");
    if (random.chance(0.35)) text += random.pick(REPEATS, "*");
    if (random.chance(0.12)) text += "|";
  }
  return text;
}

function attributes(random: Random): { text: string; pattern: string; by: string } {
  const text = Array.from({ length: random.below(9) }, () => random.pick(LETTERS, "a")).join("");
  return { text, pattern: pattern(random, 3), by: random.pick(REPLACEMENTS, "-") };
}

function requestOf(attrs: readonly object[]): unknown {
  return {
    includeMeta: true,
    principal: { id: "p", roles: ["user"] },
    resources: attrs.map((attr, index) => ({
      actions: ["ask"],
      resource: { kind: "doc", id: String(index), attr },
    })),
  };
}

/** What the interpreter gives for the expressions, as comparable text. */
function expected(attr: { text: string; pattern: string; by: string }): readonly string[] {
  const [text, source, by] = [string(attr.text), string(attr.pattern), string(attr.by)];
  return [
    callFunction("matches", [text, source]),
    callFunction("regexReplace3", [text, source, by]),
    callFunction("regexReplace4", [text, source, by, { kind: "int", value: 2n }]),
    callFunction("regexExtract", [text, source]),
    callFunction("regexExtractAll", [text, source]),
  ].map(shown);
}

function shown(value: Value): string {
  if (value.kind === "error") return "an error";
  const made = toJson(value);
  return "error" in made ? "an error" : JSON.stringify(made.json);
}

describe.skipIf(!CORE_IS_BUILT)(`regular expressions${CORE_IS_BUILT ? "" : ` (${BUILD_CORE})`}`, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await engineOf([POLICY], { onError: "compatible" });
  });

  it("give on the guest what they give on the interpreter", { timeout: 300_000 }, () => {
    const random = new Random(SEED);
    const wrong: unknown[] = [];
    let valid = 0;
    for (let request = 0; request < REQUESTS; request++) {
      const attrs = Array.from({ length: PAIRS }, () => attributes(random));
      const answer = ask(engine, requestOf(attrs), "json");
      if (!("response" in answer)) throw new Error(`request ${request}: ${answer.failure}`);
      for (const [index, attr] of attrs.entries()) {
        const results = rowResults(answer.response.results[index]?.outputs ?? []);
        const want = expected(attr);
        const got = EXPRESSIONS.map((_, row) => {
          const { val } = results.get(row) ?? {};
          return val === undefined ? "an error" : JSON.stringify(val);
        });
        if (want[0] !== "an error") valid++;
        if (got.join("\n") !== want.join("\n")) wrong.push({ ...attr, got, want });
      }
    }
    expect(wrong.slice(0, 10)).toEqual([]);
    // Neither mostly invalid patterns nor none.
    expect(valid / (REQUESTS * PAIRS)).toBeGreaterThan(0.5);
    expect(valid / (REQUESTS * PAIRS)).toBeLessThan(0.95);
    expect(engine.traps).toBe(0);
  });

  it.each([
    ["(a*)*b", "a".repeat(5_000)],
    ["(a|a)*b", "a".repeat(5_000)],
    ["(a|b|ab)*c", "ab".repeat(2_500)],
    ["a{1000}", "a".repeat(10_000)],
    ["(a?){500}a{500}", "a".repeat(500)],
    ["(x{10}){100}", "x".repeat(1_001)],
    ["(.*)(.*)(.*)(.*)(.*)z", "a".repeat(3_000)],
    ["((((a*)*)*)*)*$", `${"a".repeat(2_000)}b`],
    ["[[:alpha:]\\p{Greek}\\PL[\\d\\W]{500}!", "a".repeat(5_000)],
    [`${"(".repeat(999)}a${")".repeat(999)}`, "a".repeat(1_000)],
    [`${"(".repeat(1_000)}a${")".repeat(1_000)}`, "a"],
    ["[".repeat(20_000), "a"],
    ["(".repeat(60_000), "a"],
    ["(?i)\\pL{1000}".repeat(50), "a"],
    ["\\pL".repeat(5_000), "a"],
    [`[${"\\pL".repeat(5_000)}]`, "a"],
    [`(?i)[${"\\pL\\PL".repeat(2_000)}]`, "a"],
    ["[^a]".repeat(15_000), "a"],
    ["(?i:\\w)".repeat(8_000), "a"],
    ["a|".repeat(30_000), "b"],
    ["((a{10}){10}){10}|".repeat(40), "a"],
    ["a".repeat(65_537), "a"],
    ["", "a".repeat(30_000)],
    ["(|a)*(|a)*(|a)*", "a".repeat(5_000)],
    ["\\", "a"],
  ])("end in an answer or without fuel: %#", (source, text) => {
    const answer = ask(engine, requestOf([{ text, pattern: source, by: "\\0\\0" }]), "json");
    if (!("response" in answer)) expect(answer.failure).toBe(STOPPED);
    else expect(answer.response.results).toHaveLength(1);
    expect(engine.traps).toBe(0);
    // And the engine goes on.
    const next = ask(engine, requestOf([{ text: "ab", pattern: "(a)b", by: "\\1" }]), "json");
    if (!("response" in next)) throw new Error(next.failure);
    expect(rowResults(next.response.results[0]?.outputs ?? []).get(1)).toEqual({ val: "a" });
  });

  it.each([["\\pL".repeat(5_000)], [`[${"\\pL".repeat(5_000)}]`], ["\\PL".repeat(60)]])(
    "are errors when their classes are too large: %.20s",
    (large) => {
      const answer = ask(engine, requestOf([{ text: "a", pattern: large, by: "" }]), "json");
      if (!("response" in answer)) throw new Error(answer.failure);
      const results = rowResults(answer.response.results[0]?.outputs ?? []);
      expect(results.get(0)?.error).toBeDefined();
    },
  );
});
