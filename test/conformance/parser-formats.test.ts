/**
 * corpus/parser/policy_formats: a policy in YAML and in JSON has the same problems, streams of several policies are
 * refused and files with one policy among comments are not. corpus/parser/wkt is about protobuf messages that no policy
 * has, so it has nothing to compare here.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { plan } from "../../compiler/index.ts";
import { load } from "../../compiler/load/index.ts";
import { CORPUS, corpusPath, NO_CORPUS } from "../support/corpus.ts";

const TITLE =
  CORPUS === undefined ? `corpus/parser/policy_formats (${NO_CORPUS})` : "corpus/parser/policy_formats";
const FOLDER = CORPUS === undefined ? "" : corpusPath("parser", "policy_formats");
const FILES = CORPUS === undefined ? [] : readdirSync(FOLDER);

const text = (name: string): string => readFileSync(join(FOLDER, name), "utf8");

/** What is wrong with the document itself, as opposed to the policies it names and the set it stands in. */
const ofDocument = (path: string): string[] =>
  load([{ path, text: text(path) }]).diagnostics.map(({ code, message }) => `${code} ${message}`);

describe.skipIf(CORPUS === undefined)(TITLE, () => {
  it.each(FILES.filter((name) => name.endsWith("_01.yaml")))("%s is the same in JSON", (yaml) => {
    const json = yaml.replace(/yaml$/, "json");
    expect(ofDocument(yaml)).toEqual([]);
    expect(ofDocument(json)).toEqual([]);
    const problems = [yaml, json].map((name) =>
      plan([{ path: "policy.yaml", text: text(name) }])
        .diagnostics.map(({ code, message }) => `${code} ${message}`)
        .sort(),
    );
    expect(problems[1]).toEqual(problems[0]);
  });

  it.each(FILES.filter((name) => /^(?:multiple|single)_/.test(name)))("%s", (name) => {
    const codes = ofDocument(name).map((line) => line.slice(0, 9));
    expect(codes).toEqual(name.startsWith("multiple_") ? ["EDICT1104"] : []);
  });
});
