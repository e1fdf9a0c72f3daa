/** Loads the fixtures of a `testdata/` directory. One file per kind of fixture; a suite's own definitions win over them. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { FieldReader } from "./read-fields.ts";
import { readFixtureFields } from "./read-fixtures.ts";
import { parseSuiteText, type SuiteProblem } from "./suite-tree.ts";
import { type Fixtures, NO_FIXTURES } from "./suite.ts";

/** A kind of fixture file: its names without extension, its fields, and what messages call it. */
interface FixtureFile {
  readonly label: string;
  readonly names: readonly string[];
  readonly fields: readonly (keyof Fixtures)[];
}

const FILES: readonly FixtureFile[] = [
  { label: "principals", names: ["principals"], fields: ["principals", "principalGroups"] },
  { label: "resources", names: ["resources"], fields: ["resources", "resourceGroups"] },
  { label: "aux data", names: ["auxdata", "auxData", "aux_data"], fields: ["auxData"] },
];

const EXTENSIONS = ["yaml", "yml", "json"];

/** Reads the directory at `path`. The error is the text that its suites report. */
export async function loadFixtures(
  path: string,
  shownAs: string,
): Promise<{ readonly fixtures: Fixtures; readonly error: string }> {
  const present = new Set(await readdir(path).catch(() => []));
  const parts: Partial<Fixtures>[] = [];
  for (const kind of FILES) {
    const file = kind.names
      .flatMap((name) => EXTENSIONS.map((extension) => `${name}.${extension}`))
      .find((name) => present.has(name));
    if (file === undefined) continue;
    const { found, error } = parseFixtures(await readFile(join(path, file), "utf8"), kind);
    if (error !== "") {
      return {
        fixtures: NO_FIXTURES,
        error: `failed to load test fixtures from ${shownAs}: failed to load ${kind.label}:${error}`,
      };
    }
    parts.push(pick(found, kind.fields));
  }
  return { fixtures: Object.assign({}, NO_FIXTURES, ...parts) as Fixtures, error: "" };
}

function parseFixtures(
  text: string,
  kind: FixtureFile,
): { readonly found: Fixtures; readonly error: string } {
  const { root, problems } = parseSuiteText(text);
  if (problems.length > 0) return { found: NO_FIXTURES, error: lines(problems) };
  const parse: SuiteProblem[] = [];
  const content: SuiteProblem[] = [];
  const fields = new FieldReader(root, ["$schema", ...kind.fields], parse);
  const found = readFixtureFields(fields, parse, content);
  if (parse.length > 0) return { found, error: lines(parse.slice(0, 1)) };
  if (content.length > 0) return { found, error: lines(content) };
  return { found, error: danglingMember(found, kind) };
}

/** A group that names what the same file does not define. */
function danglingMember(found: Fixtures, kind: FixtureFile): string {
  const [groups, members] =
    kind.label === "principals"
      ? [found.principalGroups, found.principals]
      : [found.resourceGroups, found.resources];
  for (const [group, names] of groups) {
    const unknown = names.find((name) => !members.has(name));
    if (unknown !== undefined) return ` missing fixture "${unknown}" referenced in group "${group}"`;
  }
  return "";
}

function pick(found: Fixtures, fields: readonly (keyof Fixtures)[]): Partial<Fixtures> {
  return Object.fromEntries(fields.map((field) => [field, found[field]]));
}

/** Problems one per line, each behind a line break. */
export function lines(problems: readonly SuiteProblem[]): string {
  return problems
    .map(({ place, message }) => `\n${place === null ? "" : `${place.line}:${place.column} `}${message}`)
    .join("");
}
