/** What a compiler remembers never shows: after any edits the bundle and the diagnostics are those of a compiler that remembers nothing. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TextStore } from "../../compiler/assemble/object-cache.ts";
import { compile, CompileMemory, type SourceFile } from "../../compiler/index.ts";

/** Functions that fresh compilers share, as through a disk: asc would take most of the time. */
class MapStore implements TextStore {
  readonly #texts = new Map<string, string>();

  async get(key: string): Promise<string | undefined> {
    return this.#texts.get(key);
  }

  async put(key: string, text: string): Promise<void> {
    this.#texts.set(key, text);
  }
}

const fresh = new MapStore();

async function outcome(sources: readonly SourceFile[], memory: CompileMemory): Promise<unknown> {
  const { bundle, diagnostics, assemblyScript } = await compile(sources, { memory });
  return {
    bundle: bundle === undefined ? "none" : Buffer.from(bundle).toString("base64"),
    assemblyScript,
    diagnostics,
  };
}

const CONDITIONS = [
  'R.attr.owner == P.id && "x" in R.attr.tags',
  'R.attr.status == "OPEN"',
  'R.attr.status == "CLOSED"',
  "P.attr.level > 3",
  "V.isOwner",
  "V.isOwner || R.attr.region == C.home",
  "R.attr.items.exists(i, i.price > C.limit)",
  "size(V) > 0",
  "R.attr.status ==",
] as const;

const RULES = ["EFFECT_ALLOW", "EFFECT_DENY"] as const;

interface Rule {
  readonly action: string;
  readonly effect: string;
  readonly condition: number | null;
  readonly derived: boolean;
  readonly output: boolean;
}

const rule: fc.Arbitrary<Rule> = fc.record({
  action: fc.constantFrom("read", "write", "delete:*", "*"),
  effect: fc.constantFrom(...RULES),
  // The last ones are rare: a whole use of `V`, and an error.
  condition: fc.option(
    fc.oneof(
      { weight: 12, arbitrary: fc.nat({ max: CONDITIONS.length - 3 }) },
      { weight: 1, arbitrary: fc.constantFrom(CONDITIONS.length - 2, CONDITIONS.length - 1) },
    ),
  ),
  derived: fc.boolean(),
  output: fc.boolean(),
});

function ruleText({ action, effect, condition, derived, output }: Rule): string {
  const lines = [
    `    - actions: [${JSON.stringify(action)}]`,
    `      effect: ${effect}`,
    derived ? "      derivedRoles: [owner]" : "      roles: [user]",
  ];
  if (condition !== null) {
    lines.push("      condition:", "        match:", "          any:", "            of:");
    lines.push(`              - expr: ${JSON.stringify(CONDITIONS[condition])}`);
    lines.push('              - expr: "P.attr.admin == true"');
  }
  if (output) {
    lines.push(
      "      output:",
      "        when:",
      `          ruleActivated: ${JSON.stringify('{"by": P.id}')}`,
    );
  }
  return lines.join("\n");
}

const resource = fc
  .record({
    kind: fc.nat({ max: 5 }),
    scope: fc.constantFrom("", "acme"),
    disabled: fc.boolean(),
    schema: fc.boolean(),
    rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
  })
  .map(({ kind, scope, disabled, schema, rules }) => ({
    path: `resource_${kind}${scope === "" ? "" : `_${scope}`}.yaml`,
    text: [
      "apiVersion: api.cerbos.dev/v1",
      ...(disabled && schema ? ["disabled: true"] : []),
      "resourcePolicy:",
      `  resource: thing_${kind}`,
      "  version: default",
      ...(scope === "" ? [] : [`  scope: ${scope}`]),
      "  importDerivedRoles: [roles]",
      "  variables:",
      "    import: [common]",
      "  constants:",
      "    import: [places]",
      ...(schema ? ["  schemas:", "    resourceSchema:", "      ref: cerbos:///thing.json"] : []),
      "  rules:",
      ...rules.map(ruleText),
      "",
    ].join("\n"),
  }));

const other = fc.oneof(
  fc
    .constantFrom("R.attr.owner == P.id", 'R.attr.owner == P.attr.name && R.attr.status == "OPEN"')
    .map((text) => ({
      path: "common.yaml",
      text: `apiVersion: api.cerbos.dev/v1\nexportVariables:\n  name: common\n  definitions:\n    isOwner: ${JSON.stringify(text)}\n`,
    })),
  fc.constantFrom("home: uk\n    limit: 3", "home: de\n    limit: 4.5").map((text) => ({
    path: "places.yaml",
    text: `apiVersion: api.cerbos.dev/v1\nexportConstants:\n  name: places\n  definitions:\n    ${text}\n`,
  })),
  fc
    .tuple(fc.constantFrom("user", "*"), fc.constantFrom("V.isOwner", "R.attr.region == P.attr.region"))
    .map(([parent, text]) => ({
      path: "roles.yaml",
      text:
        "apiVersion: api.cerbos.dev/v1\nderivedRoles:\n  name: roles\n  variables:\n    import: [common]\n  definitions:\n" +
        `    - name: owner\n      parentRoles: [${JSON.stringify(parent)}]\n      condition:\n        match:\n          expr: ${JSON.stringify(text)}\n`,
    })),
  fc.tuple(fc.constantFrom("ann", "bob"), fc.constantFrom(...RULES)).map(([name, effect]) => ({
    path: `principal_${name}.yaml`,
    text:
      `apiVersion: api.cerbos.dev/v1\nprincipalPolicy:\n  principal: ${name}\n  version: default\n  rules:\n` +
      `    - resource: thing_1\n      actions:\n        - action: read\n          effect: ${effect}\n`,
  })),
  fc.constantFrom("read", "r*").map((action) => ({
    path: "role.yaml",
    text:
      "apiVersion: api.cerbos.dev/v1\nrolePolicy:\n  role: clerk\n  parentRoles: [user]\n  rules:\n" +
      `    - resource: thing_2\n      allowActions: [${JSON.stringify(action)}]\n`,
  })),
  fc.constantFrom('{"type":"object"}', '{"type":"object","required":["owner"]}').map((text) => ({
    path: "_schemas/thing.json",
    text,
  })),
);

type Edit = { readonly put: SourceFile } | { readonly remove: number };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 8, arbitrary: resource.map((put) => ({ put })) },
  { weight: 3, arbitrary: other.map((put) => ({ put })) },
  { weight: 1, arbitrary: fc.nat().map((remove) => ({ remove })) },
);

const MODULES = ["common.yaml", "places.yaml", "roles.yaml", "_schemas/thing.json"];

function conditional(kind: number, status: string): SourceFile {
  return {
    path: `${kind}.yaml`,
    text: `apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: thing_${kind}\n  version: default\n  rules:\n    - actions: [read]\n      effect: EFFECT_ALLOW\n      roles: [user]\n      condition:\n        match:\n          expr: R.attr.status${kind} == "${status}"\n`,
  };
}

/** A policy of a large set; every other one has the one before it as its root. */
function policy(index: number, rules: readonly string[], schema: readonly string[] = []): SourceFile {
  const kind = String(index >> 1).padStart(4, "0");
  const scope = index % 2 === 1 ? ["  scope: acme"] : [];
  const head = ["apiVersion: api.cerbos.dev/v1", "resourcePolicy:", `  resource: thing_${kind}`];
  return {
    path: `p${String(index).padStart(4, "0")}.yaml`,
    text: [...head, "  version: default", ...scope, ...schema, "  rules:", ...rules, ""].join("\n"),
  };
}

function allow(action: string, expression?: string): string {
  const condition = ["      condition:", "        match:", `          expr: ${expression}`];
  return [
    `    - actions: [${action}]`,
    "      effect: EFFECT_ALLOW",
    "      roles: [user]",
    ...(expression === undefined ? [] : condition),
  ].join("\n");
}

function schemaOf(name: string): string[] {
  return ["  schemas:", "    resourceSchema:", `      ref: cerbos:///${name}.json`];
}

describe("a compiler with a memory", () => {
  it("makes what one without makes, after every edit of a random history", { timeout: 300_000 }, async () => {
    let compiled = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.tuple(...MODULES.map((path) => other.filter((file) => file.path === path))),
        fc.array(edit, { minLength: 4, maxLength: 14 }),
        async (modules, edits) => {
          const files = new Map<string, SourceFile>(modules.map((file) => [file.path, file]));
          const memory = new CompileMemory(fresh);
          for (const step of edits) {
            if ("put" in step) files.set(step.put.path, step.put);
            else files.delete([...files.keys()][step.remove % files.size] ?? "");
            const sources = [...files.values()].map(({ path, text }) => ({ path, text }));
            const remembering = await outcome(sources, memory);
            const forgetting = await outcome(sources, new CompileMemory(fresh));
            expect(remembering).toEqual(forgetting);
            if (JSON.stringify(remembering).includes('"bundle":"none"')) continue;
            compiled++;
          }
        },
      ),
      { numRuns: 25 },
    );
    // Edits that leave errors must not be all there is.
    expect(compiled).toBeGreaterThan(25);
  });

  it(
    "makes what one without makes of a set in which edits move most of what stands behind them",
    { timeout: 300_000 },
    async () => {
      const read = allow("read", 'R.attr.status == "OPEN"');
      const count = 600;
      const files = new Map<string, SourceFile>();
      const put = (file: SourceFile): void => void files.set(file.path, file);
      for (const name of ["a", "b"]) put({ path: `_schemas/${name}.json`, text: `{"title":"${name}"}` });
      for (let index = 0; index < count; index++)
        put(policy(index, [read], index % 6 < 4 ? schemaOf("a") : []));
      const steps: (() => void)[] = [
        () => undefined,
        () => put(policy(2, [read, allow("write")], schemaOf("a"))),
        () => put(policy(2, [allow("write"), allow("list"), read], schemaOf("a"))),
        () => put(policy(300, [allow("read", "P.attr.level > 3")], schemaOf("a"))),
        () => put(policy(300, [read], schemaOf("b"))),
        () => put(policy(4, [read], schemaOf("b"))),
        () => put(policy(5, [allow("read", 'R.attr.tag == "é"')])),
        () => put(policy(599, [read, allow("write")])),
        () => void files.delete("p0101.yaml"),
        () => put(policy(101, [read])),
        () => put({ path: "_schemas/b.json", text: '{"title":"c"}' }),
        () => put(policy(0, [read, allow("é")], schemaOf("a"))),
      ];
      const memory = new CompileMemory(fresh);
      for (const [step, take] of steps.entries()) {
        take();
        const sources = [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
        const remembering = await compile(sources, { memory });
        const forgetting = await compile(sources, { memory: new CompileMemory(fresh) });
        expect(remembering.diagnostics, `step ${step}`).toEqual([]);
        const [left, right] = [remembering.bundle ?? [], forgetting.bundle ?? []];
        expect(left.length, `step ${step}`).toBeGreaterThan(0);
        expect(Buffer.compare(Buffer.from(left), Buffer.from(right)), `step ${step}`).toBe(0);
      }
    },
  );

  it("does again only what an edit changes", { timeout: 180_000 }, async () => {
    const memory = new CompileMemory(fresh);
    const sources = Array.from({ length: 20 }, (_, kind) => conditional(kind, "a"));
    await compile(sources, { memory });
    const before = memory.objects.compiled;
    sources[7] = conditional(7, "b");
    const { bundle } = await compile(sources, { memory });
    expect(memory.documents.parsed).toBe(1);
    expect(memory.policies.resolved).toBe(1);
    // Another literal and another slot in the same shape.
    expect(memory.objects.compiled).toBe(before);
    expect(bundle).toEqual((await compile(sources)).bundle);
  });
});
