/**
 * The sample policies: they compile without a warning, their suites pass, their requests get the answers that
 * examples/README.md tells. The suite runner here covers what the samples use, not the whole test-suite format.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";

import { compile } from "../compiler/index.ts";
import { Engine, type CheckRequest } from "../runtime/index.ts";
import { findCerbos, INSTALL_CERBOS } from "./support/cerbos.ts";

const POLICIES = fileURLToPath(new URL("../examples/policies/", import.meta.url));
const REQUESTS = fileURLToPath(new URL("../examples/requests/", import.meta.url));

type Principal = CheckRequest["principal"];
type Resource = CheckRequest["resources"][number]["resource"];

interface Expectation {
  readonly principal?: string;
  readonly principals?: readonly string[];
  readonly resource?: string;
  readonly resources?: readonly string[];
  readonly actions: Readonly<Record<string, string>>;
}

interface Suite {
  readonly name: string;
  readonly options?: { readonly now?: string };
  readonly principals: Readonly<Record<string, Principal>>;
  readonly resources: Readonly<Record<string, Resource>>;
  readonly tests: readonly {
    readonly name: string;
    readonly input: {
      readonly principals: readonly string[];
      readonly resources: readonly string[];
      readonly actions: readonly string[];
    };
    readonly expected: readonly Expectation[];
  }[];
}

const paths = readdirSync(POLICIES, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => relative(POLICIES, join(entry.parentPath, entry.name)).split(sep).join("/"))
  .sort();
const suitePaths = paths.filter((path) => path.endsWith("_test.yaml"));
const read = (path: string): string => readFileSync(join(POLICIES, path), "utf8");

const readSuite = (path: string): Suite => parse(read(path), { merge: true });
const readRequest = (name: string): CheckRequest => JSON.parse(readFileSync(join(REQUESTS, name), "utf8"));

let bundle: Uint8Array;

beforeAll(async () => {
  const compiled = await compile(paths.map((path) => ({ path, text: read(path) })));
  expect(compiled.diagnostics).toEqual([]);
  if (compiled.bundle === undefined) throw new Error("the samples do not compile");
  ({ bundle } = compiled);
});

afterEach(() => {
  vi.useRealTimers();
});

/** What the suite expects of one cell of its matrix; cells that it does not name expect DENY. */
function expectedEffect(
  expected: readonly Expectation[],
  principal: string,
  resource: string,
  action: string,
): string {
  const found = expected.find(
    (one) =>
      (one.principals ?? [one.principal]).includes(principal) &&
      (one.resources ?? [one.resource]).includes(resource),
  );
  return found?.actions[action] ?? "EFFECT_DENY";
}

describe.each(["fail-closed", "compatible"] as const)("the sample suites, %s", (onError) => {
  it.each(suitePaths)("%s", async (path) => {
    const suite = readSuite(path);
    if (suite.options?.now !== undefined)
      vi.useFakeTimers({ toFake: ["Date"], now: new Date(suite.options.now) });
    const engine = await Engine.load(bundle, { onError });
    let cells = 0;
    for (const { name, input, expected } of suite.tests) {
      for (const principal of input.principals) {
        for (const resource of input.resources) {
          const request = {
            principal: suite.principals[principal] ?? { id: "", roles: [] },
            resources: [
              { actions: input.actions, resource: suite.resources[resource] ?? { kind: "", id: "" } },
            ],
          };
          const want = input.actions.map((action) => [
            action,
            expectedEffect(expected, principal, resource, action),
          ]);
          const got = engine.check(request).results[0]?.actions;
          expect(got, `${name}: ${principal}, ${resource}`).toEqual(Object.fromEntries(want));
          cells += input.actions.length;
        }
      }
    }
    expect(cells).toBeGreaterThan(20);
  });
});

/** Effects by resource id, one letter per action in the order asked: A allow, D deny. */
async function effects(name: string, onError: "fail-closed" | "compatible"): Promise<Record<string, string>> {
  const request = readRequest(name);
  const { results } = (await Engine.load(bundle, { onError })).check(request);
  return Object.fromEntries(
    results.map(({ resource, actions }, index) => [
      resource.id,
      (request.resources[index]?.actions ?? []).map((action) => actions[action]?.slice(7, 8) ?? "-").join(""),
    ]),
  );
}

describe("the sample requests get the answers of examples/README.md", () => {
  const stories: Record<string, Record<string, string>> = {
    "expense-approve.json": { "exp-17": "AA", "exp-18": "AD", "exp-19": "AD", "exp-20": "AD" },
    "on-call-shell.json": { "payments-eu-1": "AAA", "payments-eu-2": "ADD", "payments-us-1": "ADD" },
    "agent-tool-call.json": { "call-1": "A", "call-2": "D", "call-3": "D" },
    "suspended-agent.json": { "call-1": "DD" },
  };

  it.each(Object.keys(stories))("%s", async (name) => {
    expect(await effects(name, "fail-closed")).toEqual(stories[name]);
    expect(await effects(name, "compatible")).toEqual(stories[name]);
  });

  it("denies a call of unknown risk, which the compatible mode allows", async () => {
    expect(await effects("agent-unknown-risk.json", "fail-closed")).toEqual({ "call-9": "D" });
    expect(await effects("agent-unknown-risk.json", "compatible")).toEqual({ "call-9": "A" });
  });

  it("tells a story for every request file", () => {
    expect(readdirSync(REQUESTS).sort()).toEqual([...Object.keys(stories), "agent-unknown-risk.json"].sort());
  });
});

describe("the real Cerbos", () => {
  const binary = findCerbos();

  const skipped = binary === undefined ? ` (skipped: ${INSTALL_CERBOS})` : "";

  it.skipIf(binary === undefined)(`passes the sample suites too${skipped}`, () => {
    const output = execFileSync(binary ?? "", ["compile", "--no-color", "--test-output=list", POLICIES], {
      encoding: "utf8",
      timeout: 60_000,
    });
    const [, executed = "", ok = ""] = /(\d+) tests executed \[(\d+) OK\]/.exec(output) ?? [];
    expect(Number(executed)).toBeGreaterThan(100);
    expect(ok).toBe(executed);
  });
});
