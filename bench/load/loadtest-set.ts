/**
 * The Cerbos load-test set of the corpus, multiplied: policy texts and request bodies. Reads templates only;
 * compiling and sending are elsewhere. How copies are made is described in the corpus's loadtest/README.md.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { Packr } from "msgpackr";

const REPOSITORY = fileURLToPath(new URL("../../", import.meta.url));

/** The folder of conformance data: beside the repository, or where EDICT_CORPUS says. */
export function corpusDirectory(): string {
  return process.env["EDICT_CORPUS"] ?? join(REPOSITORY, "..", "shared", "corpus");
}

/** Where the templates are. */
export function loadtestDirectory(): string {
  return join(corpusDirectory(), "loadtest", "classic");
}

/** Whether the templates are there. */
export function hasCorpus(): boolean {
  return existsSync(loadtestDirectory());
}

/** One file of a policy repository: path relative to it with forward slashes, and its text. */
export interface SourceText {
  readonly path: string;
  readonly text: string;
}

/** One CheckResources request in the encodings that are measured. */
export interface RequestBody {
  readonly json: Uint8Array;
  readonly msgpack: Uint8Array;
  /** (resource, action) pairs asked. */
  readonly decisions: number;
}

const COPY = "@N@";

function listFiles(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function copyName(index: number): string {
  return String(index).padStart(5, "0");
}

/** Copy by copy, so that any first part of the list holds every template. */
function multiply(directory: string, copies: number): SourceText[] {
  const templates = listFiles(directory).map((file) => ({
    path: relative(directory, file).split(sep).join("/"),
    text: readFileSync(file, "utf8"),
  }));
  const texts = templates.filter(({ path }) => !path.includes(COPY));
  for (let index = 0; index < copies; index++) {
    const name = copyName(index);
    for (const { path, text } of templates) {
      if (path.includes(COPY))
        texts.push({ path: path.replaceAll(COPY, name), text: text.replaceAll(COPY, name) });
    }
  }
  return texts;
}

/** The policy files (and schemas) of `copies` copies: 9 policy files each, which Cerbos counts as 8 policies. */
export function loadtestPolicies(copies: number): SourceText[] {
  return multiply(join(loadtestDirectory(), "policies"), copies);
}

/** Writes sources below `directory`, which is created. */
export function writeSources(directory: string, sources: readonly SourceText[]): void {
  for (const source of sources) {
    const file = join(directory, source.path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source.text);
  }
}

interface CheckResourcesRequest {
  readonly resources: readonly { readonly actions: readonly string[] }[];
}

/** Two bodies per copy (10 and 11 decisions), JSON without white space and plain msgpack maps, as clients send them. */
export function loadtestBodies(copies: number): RequestBody[] {
  const packr = new Packr({ useRecords: false, variableMapSize: true });
  return multiply(join(loadtestDirectory(), "requests"), copies).map(({ text }) => {
    const request: CheckResourcesRequest = JSON.parse(text);
    return {
      json: Buffer.from(JSON.stringify(request)),
      msgpack: packr.pack(request),
      decisions: request.resources.reduce((sum, resource) => sum + resource.actions.length, 0),
    };
  });
}
