/** A suite file's text to a `Suite`, or everything that is wrong with it, with places. */
import type { Effect } from "../guest/messages.ts";
import { FieldReader, quotedKey, toJson } from "./read-fields.ts";
import { readFixtureFields } from "./read-fixtures.ts";
import { parseTimestamp } from "./timestamp.ts";
import { parseSuiteText, type SuiteNode, type SuitePlace, type SuiteProblem } from "./suite-tree.ts";
import {
  type Expectation,
  NO_OPTIONS,
  type Selection,
  type Suite,
  type SuiteOptions,
  type Test,
} from "./suite.ts";

const SELECTION = ["principals", "principalGroups", "resources", "resourceGroups"] as const;
const EFFECTS: readonly string[] = ["EFFECT_ALLOW", "EFFECT_DENY"];
/** Names of the enum that no expectation may have, but that parse. */
const OTHER_EFFECTS: ReadonlySet<string> = new Set(["EFFECT_UNSPECIFIED", "EFFECT_NO_MATCH"]);
const EFFECT_NUMBERS = ["EFFECT_UNSPECIFIED", "EFFECT_ALLOW", "EFFECT_DENY", "EFFECT_NO_MATCH"];

/** Problems of form (`parse`) end the reading; those of content (`content`) are all reported together. */
interface Problems {
  readonly parse: SuiteProblem[];
  readonly content: SuiteProblem[];
}

/** Reads a suite. On problems the suite is null. */
export function readSuite(text: string): {
  readonly suite: Suite | null;
  readonly problems: readonly SuiteProblem[];
} {
  const { root, problems } = parseSuiteText(text);
  if (problems.length > 0) return { suite: null, problems };
  const found: Problems = { parse: [], content: [] };
  const fields = new FieldReader(
    root,
    ["$schema", "name", "description", "skip", "skipReason", "options", "auxData", "tests", ...SELECTION],
    found.parse,
  );
  const options = fields.node("options");
  const tests = fields.items("tests");
  if (tests.length === 0) {
    found.content.push({ place: fields.keyPlace("tests"), message: "tests: value is required" });
  }
  if (fields.text("name") === "") {
    found.content.push({ place: fields.keyPlace("name"), message: "name: value is required" });
  }
  const suite: Suite = {
    name: fields.text("name"),
    description: fields.text("description"),
    skip: fields.flag("skip"),
    skipReason: fields.text("skipReason"),
    options: options === null ? NO_OPTIONS : readOptions(options, found),
    fixtures: readFixtureFields(fields, found.parse, found.content),
    tests: tests.map((test, index) => readTest(test, `tests[${index}]`, found)),
  };
  // As in Cerbos: reading ends at the first problem of form, and those of content come in the order of the file.
  const wrong = found.parse.length > 0 ? inOrder(found.parse).slice(0, 1) : inOrder(found.content);
  return wrong.length > 0 ? { suite: null, problems: wrong } : { suite, problems: [] };
}

function line({ place }: SuiteProblem): number {
  return place?.line ?? Number.MAX_SAFE_INTEGER;
}

/** Problems by place, those without one last. */
function inOrder(problems: readonly SuiteProblem[]): readonly SuiteProblem[] {
  return problems.toSorted(
    (left, right) => line(left) - line(right) || (left.place?.column ?? 0) - (right.place?.column ?? 0),
  );
}

function readOptions(node: SuiteNode, problems: Problems): SuiteOptions {
  const fields = new FieldReader(node, Object.keys(NO_OPTIONS), problems.parse);
  const now = fields.node("now");
  let instant: number | null = null;
  if (now !== null) {
    const text = fields.textOf(now);
    const parsed = parseTimestamp(text);
    if (typeof parsed === "number") instant = parsed;
    else problems.parse.push({ place: now.place, message: parsed.problem });
  }
  return {
    now: instant,
    lenientScopeSearch: fields.flag("lenientScopeSearch"),
    globals: fields.values("globals"),
    defaultPolicyVersion: fields.text("defaultPolicyVersion"),
    defaultScope: fields.text("defaultScope"),
    strictEvaluation: fields.flag("strictEvaluation"),
  };
}

function readTest(node: SuiteNode, path: string, problems: Problems): Test {
  const fields = new FieldReader(
    node,
    ["name", "description", "skip", "skipReason", "input", "options", "expected"],
    problems.parse,
  );
  const options = fields.node("options");
  const expected = fields.items("expected");
  if (fields.text("name") === "") missing(fields, "name", path, problems);
  const input = fields.node("input");
  if (input === null) missing(fields, "input", path, problems);
  if (expected.length === 0) missing(fields, "expected", path, problems);
  return {
    name: fields.text("name"),
    skip: fields.flag("skip"),
    skipReason: fields.text("skipReason"),
    input: readInput(
      input ?? node,
      `${path}.input`,
      problems,
      input === null ? null : fields.keyPlace("input"),
    ),
    options: options === null ? null : readOptions(options, problems),
    expected: expected.map((each, index) => readExpectation(each, `${path}.expected[${index}]`, problems)),
  };
}

function missing(fields: FieldReader, name: string, path: string, problems: Problems): void {
  problems.content.push({ place: fields.keyPlace(name), message: `${path}.${name}: value is required` });
}

function readInput(
  node: SuiteNode,
  path: string,
  problems: Problems,
  keyPlace: SuitePlace | null,
): Test["input"] {
  if (keyPlace === null) return { ...NOTHING_SELECTED, actions: [], auxData: "" };
  const fields = new FieldReader(node, [...SELECTION, "actions", "auxData"], problems.parse);
  const selection = selectionOf(fields, path, problems);
  const demand = (message: string): void => {
    problems.content.push({ place: fields.mapPlace(keyPlace), message: `${path}: ${message}` });
  };
  if (selection.principals.length + selection.principalGroups.length === 0) {
    demand("principals or principalGroups must be present");
  }
  if (selection.resources.length + selection.resourceGroups.length === 0) {
    demand("resources or resourceGroups must be present");
  }
  const actions = fields.names("actions", path, problems.content);
  if (actions.length === 0) missing(fields, "actions", path, problems);
  return { ...selection, actions, auxData: fields.text("auxData") };
}

const NOTHING_SELECTED: Selection = {
  principals: [],
  principalGroups: [],
  resources: [],
  resourceGroups: [],
};

function selectionOf(fields: FieldReader, path: string, problems: Problems): Selection {
  const list = (name: string): readonly string[] => fields.names(name, path, problems.content);
  return {
    principals: list("principals"),
    principalGroups: list("principalGroups"),
    resources: list("resources"),
    resourceGroups: list("resourceGroups"),
  };
}

function report(fields: FieldReader, path: string, message: string, problems: Problems): void {
  problems.content.push({ place: fields.mapPlace(null), message: `${path}: ${message}` });
}

function readExpectation(node: SuiteNode, path: string, problems: Problems): Expectation {
  const fields = new FieldReader(
    node,
    ["principal", "resource", ...SELECTION, "actions", "outputs"],
    problems.parse,
  );
  const { principals, principalGroups, resources, resourceGroups } = selectionOf(fields, path, problems);
  const join = (
    one: string,
    many: readonly string[],
    groups: readonly string[],
    kind: string,
  ): readonly string[] => {
    if (one !== "" && many.length > 0)
      report(fields, path, `${kind} and ${kind}s may not both be present`, problems);
    if (one === "" && many.length + groups.length === 0) {
      report(fields, path, `${kind}, ${kind}s, or ${kind}Groups must be present`, problems);
    }
    return one === "" ? many : [one];
  };
  const actions = fields.entries("actions");
  if (actions.length === 0) missing(fields, "actions", path, problems);
  return {
    principals: join(fields.text("principal"), principals, principalGroups, "principal"),
    principalGroups,
    resources: join(fields.text("resource"), resources, resourceGroups, "resource"),
    resourceGroups,
    actions: new Map(
      actions.map(([action, { node: effect }]) => {
        const at = `${path}.actions[${quotedKey(action)}]`;
        if (action === "") {
          problems.content.push({ place: effect.place, message: `${at}: must be at least 1 characters` });
        }
        return [action, readEffect(effect, at, problems)];
      }),
    ),
    outputs: fields
      .items("outputs")
      .map((each, index) => readOutputs(each, `${path}.outputs[${index}]`, problems)),
  };
}

function readEffect(node: SuiteNode, path: string, problems: Problems): Effect {
  const written = node.kind === "scalar" ? node.value : null;
  // A number that the enum does not have is still one of the enum.
  const name =
    typeof written === "number" && Number.isInteger(written)
      ? (EFFECT_NUMBERS[written] ?? "EFFECT_UNSPECIFIED")
      : written;
  if (name === "EFFECT_ALLOW" || name === "EFFECT_DENY") return name;
  if (typeof name === "string" && OTHER_EFFECTS.has(name)) {
    problems.content.push({ place: node.place, message: `${path}: must be one of [${EFFECTS.join(", ")}]` });
  } else {
    problems.parse.push({
      place: node.place,
      message: `invalid enum value ${JSON.stringify(String(written))}`,
    });
  }
  return "EFFECT_DENY";
}

function readOutputs(node: SuiteNode, path: string, problems: Problems): Expectation["outputs"][number] {
  const fields = new FieldReader(node, ["action", "expected"], problems.parse);
  const expected = fields.items("expected");
  if (expected.length === 0) missing(fields, "expected", path, problems);
  if (fields.text("action") === "") missing(fields, "action", path, problems);
  return {
    action: fields.text("action"),
    expected: expected.map((item) => {
      const entry = new FieldReader(item, ["src", "val", "action", "error"], problems.parse);
      const val = entry.node("val");
      return { src: entry.text("src"), val: val === null ? null : toJson(val) };
    }),
  };
}
