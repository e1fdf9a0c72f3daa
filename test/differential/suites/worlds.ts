/** Test suites to break: those of the corpus and of `examples/`, each with its policies and fixtures. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CORPUS, corpusCases, corpusPath } from "../../support/corpus.ts";
import { type Files, readFiles } from "../compile/sets.ts";

export interface World {
  readonly name: string;
  /** Policies and schemas. */
  readonly policies: Files;
  /** Suites and fixtures. */
  readonly tests: Files;
}

const EXAMPLES = fileURLToPath(new URL("../../../examples/policies", import.meta.url));

/** Every set of suites; only those of `examples/` where the corpus is absent. */
export function worlds(): readonly World[] {
  const found: World[] = [{ name: "examples", policies: readFiles(EXAMPLES), tests: readTests(EXAMPLES) }];
  if (CORPUS === undefined) return found;
  for (const { name } of readdirSync(corpusPath("tutorial"), { withFileTypes: true })) {
    const folder = corpusPath("tutorial", name);
    const tests = name.startsWith("0") ? readTests(folder) : new Map<string, string>();
    if (tests.size > 0) found.push({ name, policies: readFiles(join(folder, "policies")), tests });
  }
  const junit = readFiles(corpusPath("verify", "junit", "policies"));
  for (const { name, data } of corpusCases<{ files: Record<string, string> }>("verify", "junit", "cases")) {
    found.push({ name: `junit/${name}`, policies: junit, tests: new Map(Object.entries(data.files)) });
  }
  const store = readFiles(corpusPath("store", "policies"));
  for (const { name, data } of corpusCases<{ files: Record<string, string> }>("verify", "cases")) {
    found.push({ name: `verify/${name}`, policies: store, tests: new Map(Object.entries(data.files)) });
  }
  return found;
}

/** The suites and fixtures below a directory. */
function readTests(root: string): Files {
  const files = new Map<string, string>();
  for (const path of readdirSync(root, { recursive: true, encoding: "utf8" }).sort()) {
    if (/_test\.(?:ya?ml|json)$|(?:^|\/)testdata\/.*\.(?:ya?ml|json)$/u.test(path)) {
      files.set(path, readFileSync(join(root, path), "utf8"));
    }
  }
  return files;
}
