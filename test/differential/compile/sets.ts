/**
 * Policy sets to break: those of the corpus and of `examples/`, each as its files. Reads only; the sets of the load test
 * are taken once, as copy number 00000. Test suites are left out unless asked for.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CORPUS, corpusCases, corpusPath } from "../../support/corpus.ts";

/** A directory: text by path. */
export type Files = ReadonlyMap<string, string>;

export interface NamedSet {
  readonly name: string;
  readonly files: Files;
}

const EXAMPLES = fileURLToPath(new URL("../../../examples/policies", import.meta.url));

/** Every set that there is; only `examples/` where the corpus is absent. */
export function policySets(): readonly NamedSet[] {
  const sets: NamedSet[] = [{ name: "examples", files: readFiles(EXAMPLES) }];
  if (CORPUS === undefined) return sets;
  for (const suite of ["compile", "index"]) {
    for (const { name, data } of corpusCases<{ files: Record<string, string> }>(suite, "cases")) {
      sets.push({ name: `${suite}/${name}`, files: new Map(Object.entries(data.files)) });
    }
  }
  for (const { name, data } of corpusCases<{ input: string }>("parser", "cases")) {
    const path = /^\s*\{/u.test(data.input) ? "policy.json" : "policy.yaml";
    sets.push({ name: `parser/${name}`, files: new Map([[path, data.input]]) });
  }
  for (const file of readdirSync(corpusPath("parser", "policy_formats"))) {
    if (!/\.(?:ya?ml|json)$/u.test(file)) continue;
    const text = readFileSync(corpusPath("parser", "policy_formats", file), "utf8");
    sets.push({ name: `parser/${file}`, files: new Map([[file, text]]) });
  }
  for (const folder of readdirSync(corpusPath("tutorial"), { withFileTypes: true })) {
    if (!folder.isDirectory()) continue;
    sets.push({ name: `tutorial/${folder.name}`, files: readFiles(corpusPath("tutorial", folder.name)) });
  }
  for (const set of ["classic", "multitenant"]) {
    sets.push({ name: `loadtest/${set}`, files: readFiles(corpusPath("loadtest", set, "policies")) });
  }
  sets.push({ name: "verify/junit", files: readFiles(corpusPath("verify", "junit", "policies")) });
  sets.push({ name: "store", files: readFiles(corpusPath("store", "policies")) });
  return sets.filter(({ files }) => files.size > 0);
}

/** The files below a directory that are not test suites or fixtures. */
export function readFiles(root: string): Files {
  const paths = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = new Map<string, string>();
  for (const path of paths) {
    const relative = path.slice(root.length).replace(/^\/+/u, "").replaceAll("@N@", "00000");
    if (!/\.(?:ya?ml|json)$/u.test(relative) || /_test\.|(?:^|\/)testdata\//u.test(relative)) continue;
    files.set(relative, readFileSync(path, "utf8").replaceAll("@N@", "00000"));
  }
  return files;
}
