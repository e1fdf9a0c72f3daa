/** Recorded decisions: what is recorded, that it is made again on loading, and that a bundle that decides otherwise is refused. */
import { cp, rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SECTION_IMAGE, SECTION_POLICY, SECTION_SELF_TEST } from "../../../assembly/abi.ts";
import { selfTestRequests } from "../../../compiler/bundle/self-test-requests.ts";
import { readSources } from "../../../compiler/directory.ts";
import { compile, plan } from "../../../compiler/index.ts";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { withSection } from "../../../runtime/bundle/bundle-writer.ts";
import { addSelfTest } from "../../../runtime/bundle/record-self-test.ts";
import {
  MAX_SELF_TEST_BYTES,
  MAX_SELF_TEST_DECISIONS,
  readSelfTest,
  type SelfTestGroup,
} from "../../../runtime/bundle/self-test.ts";
import { BundleError } from "../../../runtime/errors.ts";
import { Engine } from "../../../runtime/index.ts";
import { BUILD_CORE, bundleOf, CORE_IS_BUILT } from "../../support/engines.ts";
import { temporaryDirectory, writeFiles } from "../support/daemon.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples/policies", import.meta.url));

const POLICY = (effect: string): string => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: album
  version: default
  rules:
    - actions: [view]
      effect: ${effect}
      roles: [user]
    - actions: [open]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: now() > timestamp("2030-01-01T00:00:00Z")
    - actions: [read]
      effect: EFFECT_ALLOW
      roles: [user]
      condition:
        match:
          expr: request.auxData.jwt.team == G.team
`;

const SUITE = (now: string): string => `name: albums
options:
  globals: {team: blue}
${now}
principals:
  alice: {id: alice, roles: [user]}
resources:
  one: {kind: album, id: "1"}
auxData:
  blue: {jwt: {team: blue}}
tests:
  - name: all
    input: {principals: [alice], resources: [one], actions: [view, open, read], auxData: blue}
    expected: [{principal: alice, resource: one, actions: {view: EFFECT_ALLOW}}]
  - name: timeless
    input: {principals: [alice], resources: [one], actions: [view, read], auxData: blue}
    expected: [{principal: alice, resource: one, actions: {view: EFFECT_ALLOW}}]
`;

function groupsOf(file: Uint8Array): readonly SelfTestGroup[] {
  const { selfTest } = readBundle(file);
  return selfTest === null ? [] : readSelfTest(selfTest);
}

function effectsOf(file: Uint8Array): string {
  return groupsOf(file)
    .flatMap(({ cases }) => cases)
    .map(({ effects }) => effects)
    .join(" ");
}

/** `file` with other recorded decisions. */
function withCases(file: Uint8Array, groups: unknown): Uint8Array {
  return withSection(
    file,
    SECTION_SELF_TEST,
    new TextEncoder().encode(JSON.stringify({ version: 1, groups })),
  );
}

async function refusal(file: Uint8Array): Promise<BundleError> {
  try {
    await Engine.load(file);
  } catch (error) {
    expect(error).toBeInstanceOf(BundleError);
    return error as BundleError;
  }
  throw new Error("the bundle was loaded");
}

describe.skipIf(!CORE_IS_BUILT)(CORE_IS_BUILT ? "the self-test" : `the self-test (${BUILD_CORE})`, () => {
  let directory: string;
  let remove: () => Promise<void>;
  let plain: Uint8Array;

  beforeAll(async () => {
    const temporary = await temporaryDirectory();
    directory = temporary.path;
    remove = () => temporary.remove();
    plain = await bundleOf([{ path: "album.yaml", text: POLICY("EFFECT_ALLOW") }]);
  });
  afterAll(() => remove());

  async function withSuites(name: string, files: Readonly<Record<string, string>>): Promise<Uint8Array> {
    await writeFiles(join(directory, name), files);
    return addSelfTest(plain, join(directory, name), []);
  }

  it("records what suites ask, in their options and at their time", async () => {
    const file = await withSuites("fixed", { "a_test.yaml": SUITE('  now: "2031-01-01T00:00:00Z"') });
    const [group, ...others] = groupsOf(file);
    expect(others).toEqual([]);
    expect(group?.options).toEqual({
      onError: "fail-closed",
      defaultPolicyVersion: "default",
      defaultScope: "",
      lenientScopeSearch: false,
      globals: { team: "blue" },
    });
    expect(effectsOf(file)).toBe("AAA AA");
    await expect(Engine.load(file)).resolves.toBeInstanceOf(Engine);
  });

  it("leaves out what depends on a time that nobody has fixed", async () => {
    expect(effectsOf(await withSuites("running", { "a_test.yaml": SUITE("") }))).toBe("AA");
  });

  it("leaves out broken and skipped suites, and records none of a directory without any", async () => {
    const broken = { "a_test.yaml": "name: [", "b_test.yaml": `skip: true\n${SUITE("")}`, "c_test.yaml": "" };
    expect(await withSuites("broken", broken)).toEqual(plain);
    expect(await addSelfTest(plain, join(directory, "nowhere"), [])).toEqual(plain);
  });

  it("passes whatever mode, globals and limits the engine is loaded with", async () => {
    const file = await withSuites("modes", { "a_test.yaml": SUITE("") });
    for (const onError of ["fail-closed", "compatible", "strict"] as const) {
      const engine = await Engine.load(file, {
        onError,
        defaultPolicyVersion: "other",
        defaultScope: "acme",
        globals: { team: "red" },
        maxActionsPerResource: 1,
        schemaEnforcement: "reject",
      });
      expect(engine.options.onError).toBe(onError);
    }
  });

  it("refuses a bundle whose policies decide otherwise, naming the decision", async () => {
    const file = await withSuites("other", { "a_test.yaml": SUITE("") });
    const denying = readBundle(await bundleOf([{ path: "album.yaml", text: POLICY("EFFECT_DENY") }]));
    const changed = withSection(
      withSection(file, SECTION_IMAGE, denying.image),
      SECTION_POLICY,
      denying.policy,
    );
    const error = await refusal(changed);
    expect(error.code).toBe("EDICT_BUNDLE_SELF_TEST");
    expect(error.message).toMatch(/`view` on `album` is denied, was allowed$/);
  });

  it("refuses recorded decisions that were changed, one by one", async () => {
    const file = await withSuites("changed", { "a_test.yaml": SUITE("") });
    const [group] = groupsOf(file);
    const [one] = group?.cases ?? [];
    for (const effects of ["DA", "AD", "DD"]) {
      const error = await refusal(withCases(file, [{ ...group, cases: [{ ...one, effects }] }]));
      expect(error.code, effects).toBe("EDICT_BUNDLE_SELF_TEST");
    }
    await Engine.load(withCases(file, [{ ...group, cases: [one] }]));
    const bad = { ...one, request: { ...one?.request, principal: {} } };
    expect((await refusal(withCases(file, [{ ...group, cases: [bad] }]))).message).toMatch(
      /is not decided: status/,
    );
  });

  it("refuses a section that is not of the form, or larger than one may be", async () => {
    const file = await withSuites("forms", { "a_test.yaml": SUITE("") });
    const [group] = groupsOf(file);
    const [one] = group?.cases ?? [];
    const many = Array.from({ length: MAX_SELF_TEST_DECISIONS }, () => one);
    for (const groups of [
      null,
      [null],
      [{ cases: [] }],
      [{ ...group, cases: {} }],
      [{ ...group, cases: many }],
      [group, group, group, group, group],
      [{ ...group, options: { ...group?.options, onError: "open" } }],
      [{ ...group, options: { ...group?.options, globals: [] } }],
      [{ ...group, cases: [{ ...one, effects: "A" }] }],
      [{ ...group, cases: [{ ...one, effects: "A?" }] }],
      [{ ...group, cases: [{ ...one, now: "today" }] }],
      [{ ...group, cases: [{ ...one, claims: [] }] }],
      [{ ...group, cases: [{ ...one, request: { resources: [{ actions: 1 }] } }] }],
      [{ ...group, cases: [{ ...one, request: { resources: [{ actions: ["a", "b"] }] } }] }],
    ]) {
      expect((await refusal(withCases(file, groups))).code, JSON.stringify(groups)).toBe(
        "EDICT_BUNDLE_MALFORMED",
      );
    }
    const wrong = new TextEncoder().encode('{"version":2,"groups":[]}');
    await expect(Engine.load(withSection(file, SECTION_SELF_TEST, wrong))).rejects.toThrow(
      /version other than 1/,
    );
    const large = new Uint8Array(256 * 1024 + 1);
    await expect(Engine.load(withSection(file, SECTION_SELF_TEST, large))).rejects.toMatchObject({
      code: "EDICT_BUNDLE_TOO_LARGE",
    });
  });

  it("is bounded however much the suites ask", async () => {
    const names = Array.from({ length: 400 }, (_, index) => `p${index}`);
    const text = `name: many
principals: {${names.map((name) => `${name}: {id: ${name}, roles: [user], attr: {text: "${"x".repeat(400)}"}}`).join(", ")}}
resources: {one: {kind: album, id: "1"}}
tests:
  - name: all
    input: {principals: [${names.join(", ")}], resources: [one], actions: [view]}
    expected: [{principal: p0, resource: one, actions: {view: EFFECT_ALLOW}}]
`;
    const file = await withSuites("many", {
      "a_test.yaml": text,
      "b_test.yaml": text.replace("many", "more"),
    });
    const { selfTest } = readBundle(file);
    expect(selfTest?.byteLength ?? 0).toBeGreaterThan(MAX_SELF_TEST_BYTES / 2);
    expect(selfTest?.byteLength ?? 0).toBeLessThanOrEqual(MAX_SELF_TEST_BYTES);
    expect(effectsOf(file).replaceAll(" ", "").length).toBeLessThanOrEqual(MAX_SELF_TEST_DECISIONS);
  });

  it("asks about every example, and finds allowed and denied actions", async () => {
    const { sources } = await readSources(EXAMPLES);
    const { program } = plan(sources);
    const { bundle } = await compile(sources);
    if (program === undefined || bundle === undefined) throw new Error("the examples do not compile");
    const file = await addSelfTest(bundle, null, selfTestRequests(program));
    const kinds = new Set(
      groupsOf(file).flatMap(({ cases }) => cases.map(({ request }) => request.resources[0]?.resource.kind)),
    );
    expect(kinds).toEqual(new Set(program.resources.map(({ resource }) => resource)));
    expect(effectsOf(file)).toMatch(/A/);
    expect(effectsOf(file)).toMatch(/D/);
    await Engine.load(file);
  });

  it("is the same from another directory, with files in another order", async () => {
    const copy = join(directory, "copy");
    await cp(EXAMPLES, copy, { recursive: true });
    const { sources } = await readSources(EXAMPLES);
    const { program } = plan(sources);
    const { bundle } = await compile(sources);
    const backwards = sources.toReversed();
    const again = await compile(backwards);
    const replanned = plan(backwards).program;
    if (
      bundle === undefined ||
      program === undefined ||
      again.bundle === undefined ||
      replanned === undefined
    ) {
      throw new Error("the examples do not compile");
    }
    // Renaming there and back makes directory listings come in another order.
    await rename(join(copy, "agents"), join(copy, "z"));
    await rename(join(copy, "z"), join(copy, "agents"));
    const one = await addSelfTest(bundle, EXAMPLES, selfTestRequests(program));
    const other = await addSelfTest(again.bundle, copy, selfTestRequests(replanned));
    expect(Buffer.from(one).equals(Buffer.from(other))).toBe(true);
    expect(groupsOf(one).length).toBeGreaterThan(0);
  });
});
