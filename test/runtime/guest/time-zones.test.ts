/** Time zones by name in an engine: what requests may ask for, how they are refused, and bundles that bring none or bad ones. */
import { brotliCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { OUTCOME_ERROR, OUTCOME_TRUE, SECTION_ZONES, ZONES_CAPACITY } from "../../../assembly/abi.ts";
import { ZONES_VERSION } from "../../../compiler/time-zones/database.ts";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { EXPRESSION_REQUEST, expressionPolicy, rowResults } from "../../differential/expression-table.ts";
import { ask, bundleOf, engineOf, loadEngine } from "../../support/engines.ts";
import { readZones } from "../../support/zones.ts";
import { type Section, writeBundle } from "../support/bundle-writer.ts";

const ZONES = readZones();

/** What the engine answers for `getHours` of noon in each of the zones. */
async function noonIn(names: readonly string[]): Promise<readonly unknown[]> {
  const rows = names.map((name) => ({
    expr: `timestamp("2021-06-01T12:00:00Z").getHours(${JSON.stringify(name)})`,
  }));
  const engine = await engineOf([expressionPolicy(rows)]);
  const answer = ask(engine, EXPRESSION_REQUEST, "json");
  if (!("response" in answer)) throw new Error(answer.failure);
  const results = rowResults(answer.response.results[0]?.outputs ?? []);
  expect(engine.traps).toBe(0);
  return names.map((_, index) => results.get(index)?.val ?? results.get(index)?.error);
}

describe("a zone's name", () => {
  it("is one of the database, spelled as there, or `Local`, which is UTC", async () => {
    const names = [
      "Europe/Berlin",
      "US/Eastern",
      "EST",
      "Etc/GMT+5",
      "Local",
      "Factory",
      "Zulu",
      "Asia/Calcutta",
    ];
    expect(await noonIn(names)).toEqual([14, 8, 7, 7, 12, 12, 12, 17]);
  });

  it("that is not there is refused in Cerbos's words", async () => {
    const names = ["europe/berlin", "US/EASTERN", "PST", "SystemV/PST8", "Europ", "Zulu1", "ü"];
    expect(await noonIn(names)).toEqual(names.map((name) => `unknown time zone ${name}`));
  });

  it("that may lead out of a directory is refused in other words", async () => {
    const names = ["../UTC", "/etc/localtime", "\\UTC", "Europe/../Zulu", ".."];
    expect(await noonIn(names)).toEqual(names.map(() => "time: invalid location name"));
  });
});

function ruleOf(name: string, expr: string): object {
  return { name, actions: ["ask"], roles: ["user"], effect: "EFFECT_ALLOW", condition: { match: { expr } } };
}

describe("a request", () => {
  it("may name every zone, and as many that are none, whatever was asked before", async () => {
    const expr = "R.attr.names.map(z, z.size() > 40 ? -1 : timestamp(0).getHours(z)).size()";
    const engine = await engineOf([expressionPolicy([{ expr }])]);
    const sizeOf = (names: readonly string[]): unknown => {
      const [resource] = EXPRESSION_REQUEST.resources;
      if (resource === undefined) throw new Error("the request has a resource");
      const resources = [{ ...resource, resource: { ...resource.resource, attr: { names } } }];
      const answer = engine.check({ ...EXPRESSION_REQUEST, resources });
      return answer.results[0]?.outputs?.[0]?.val ?? answer.results[0]?.outputs?.[0]?.error;
    };
    const all = [...ZONES.keys()];
    expect(sizeOf(all)).toBe(all.length);
    expect(sizeOf([...all, "No/Zone"])).toBe("unknown time zone No/Zone");
    expect(sizeOf(all)).toBe(all.length);
  });

  it("can be asked for a condition on a clock that deciding it did not evaluate", async () => {
    const hour = 'timestamp("2021-06-01T12:00:00Z").getHours("Asia/Tokyo") == 21';
    const rules = [ruleOf("always", "P.attr.a == 1.0 || R.attr.never == 1"), ruleOf("clock", hour)];
    const policy = {
      apiVersion: "api.cerbos.dev/v1",
      resourcePolicy: { resource: "doc", version: "default", rules },
    };
    const engine = await engineOf([{ path: "doc.json", text: JSON.stringify(policy) }]);
    const { conditions } = engine.ruleIndex;
    const examination = engine.examine(EXPRESSION_REQUEST, null);
    const outcomes = conditions.map((_, id) => examination.evaluateCondition(id));
    expect(outcomes).toContain(OUTCOME_TRUE);
    expect(outcomes).not.toContain(OUTCOME_ERROR);
  });
});

describe("a bundle", () => {
  const clock = "now().getHours('Europe/Berlin') >= 0";

  it("has the zones when a condition may ask for one, and says which version", async () => {
    const [without, withZones] = await Promise.all(
      ["now().getHours() >= 0", clock].map(async (expr) =>
        readBundle(await bundleOf([expressionPolicy([{ expr }])])),
      ),
    );
    expect([without?.zones, without?.manifest.timeZones]).toEqual([null, null]);
    expect(withZones?.zones?.byteLength).toBeGreaterThan(0);
    expect(withZones?.manifest.timeZones).toBe(ZONES_VERSION);
  });

  it("whose zones are damaged is refused", async () => {
    const file = await bundleOf([expressionPolicy([{ expr: clock }])]);
    const withZones = (bytes: Uint8Array): Uint8Array =>
      writeBundle(
        sectionsOf(file).map((section) =>
          section.kind === SECTION_ZONES ? { kind: SECTION_ZONES, bytes } : section,
        ),
      );
    await expect(loadEngine(withZones(new Uint8Array(8)))).rejects.toThrow("cannot be unpacked");
    const huge = brotliCompressSync(new Uint8Array(ZONES_CAPACITY + 1));
    await expect(loadEngine(withZones(huge))).rejects.toThrow("cannot be unpacked");
    const torn = brotliCompressSync(new Uint8Array(8).fill(255));
    await expect(loadEngine(withZones(torn))).rejects.toThrow("not a table of time zones");
  });
});

/** The sections of a bundle file, as its table has them. */
function sectionsOf(file: Uint8Array): Section[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return Array.from({ length: view.getUint32(12, true) }, (_, index) => {
    const [kind = 0, , start = 0, length = 0] = [0, 4, 8, 12].map((field) =>
      view.getUint32(16 + 48 * index + field, true),
    );
    return { kind, bytes: file.slice(start, start + length) };
  });
}
