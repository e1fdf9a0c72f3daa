/** `edict compile`, `check` and `inspect` as a user runs them. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  albumRequest,
  IS_BUILT,
  POLICIES,
  runEdict,
  temporaryDirectory,
  writeFiles,
} from "../support/daemon.ts";

describe.skipIf(!IS_BUILT)("commands on real policies", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let policies: string;
  let bundle: string;
  let request: string;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    policies = join(directory.path, "policies");
    bundle = join(directory.path, "out.edict");
    request = join(directory.path, "request.json");
    await writeFiles(policies, POLICIES);
    await writeFile(request, JSON.stringify(albumRequest()));
    expect(await runEdict(["compile", policies, "-o", bundle])).toMatchObject({ code: 0 });
  });

  afterAll(() => directory.remove());

  it("compiles to the same bytes every time", async () => {
    const again = join(directory.path, "again.edict");
    const run = await runEdict(["compile", policies, "-o", again, "--json"]);
    expect(run.code).toBe(0);
    expect(JSON.parse(run.out)).toMatchObject({ ok: true, bundle: { file: again }, diagnostics: [] });
    expect((await readFile(again)).equals(await readFile(bundle))).toBe(true);
  });

  it("prints the program and the AssemblyScript", async () => {
    expect((await runEdict(["compile", policies, "--print", "ir"])).out).toMatch(/album/);
    const as = await runEdict(["compile", policies, "--print", "as"]);
    expect(as.code).toBe(0);
    expect(as.out).toMatch(/export function c0/);
    expect(as.out).toMatch(/album\.yaml:\d+/);
  });

  it("prints every diagnostic with carets and exits 3", async () => {
    const broken = join(directory.path, "broken");
    await writeFiles(broken, {
      "a.yaml": (POLICIES["album.yaml"] ?? "").replace("public == true", "public ==== true"),
      "b.yaml": (POLICIES["people.yaml"] ?? "").replace("R.attr.owner", "R.attr.owner +"),
    });
    const run = await runEdict(["compile", broken]);
    expect(run.code).toBe(3);
    expect(run.err).toMatch(/a\.yaml:\d+:\d+[^]*\^[^]*b\.yaml:\d+:\d+[^]*\^/);
    const json = await runEdict(["compile", broken, "--json"]);
    expect(json.code).toBe(3);
    const { ok, diagnostics } = JSON.parse(json.out) as { ok: boolean; diagnostics: { code: string }[] };
    expect(ok).toBe(false);
    expect(diagnostics.length).toBeGreaterThanOrEqual(2);
    for (const { code } of diagnostics) expect(code).toMatch(/^EDICT\d{4}$/);
  });

  it("reviews policies, and fails on findings only when asked to", async () => {
    const open = join(directory.path, "open");
    await writeFiles(open, {
      "a.yaml":
        'apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: album\n  version: default\n  rules:\n    - {actions: ["*"], roles: ["*"], effect: EFFECT_ALLOW}\n',
    });
    const run = await runEdict(["lint", open]);
    expect(run.code).toBe(0);
    expect(run.out).toMatch(/a\.yaml:6:7: warning EDICT7001: /);
    expect((await runEdict(["lint", open, "--strict"])).code).toBe(3);
    const json = await runEdict(["lint", open, "--strict", "--json"]);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.out)).toMatchObject({ ok: false, findings: [{ code: "EDICT7001" }] });
    expect((await runEdict(["lint", join(directory.path, "nowhere")])).code).toBe(2);
  });

  it("inspects a bundle", async () => {
    const text = await runEdict(["inspect", bundle]);
    expect(text.out).toMatch(/^bundle {6}[0-9a-f]{64}\n/);
    expect(text.out).toMatch(/resource\.owner/);
    const json = await runEdict(["inspect", bundle, "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({
      formatVersion: 1,
      sources: [{ path: "album.yaml" }, { path: "people.yaml" }],
    });
  });

  it("decides a request from a file, from standard input, from policies and from a bundle", async () => {
    const expected = /album 1\n +ALLOW {2}view .*resource\.album\.vdefault\n +DENY {3}delete/;
    expect((await runEdict(["check", "--bundle", bundle, request])).out).toMatch(expected);
    expect(
      (await runEdict(["check", "--policies", policies, "-"], JSON.stringify(albumRequest()))).out,
    ).toMatch(expected);
    const json = JSON.parse(
      (await runEdict(["check", "--bundle", bundle, "--json", request])).out,
    ) as unknown;
    expect(json).toMatchObject({ results: [{ actions: { view: "EFFECT_ALLOW", delete: "EFFECT_DENY" } }] });
  });

  it("exits 1 for a denial only when asked to, and 2 for a bad request", async () => {
    expect((await runEdict(["check", "--bundle", bundle, request])).code).toBe(0);
    expect((await runEdict(["check", "--bundle", bundle, "--exit-code", request])).code).toBe(1);
    const bad = await runEdict(["check", "--bundle", bundle, "-"], '{"principal":{}}');
    expect(bad).toMatchObject({ code: 2, out: "" });
    expect(bad.err).toMatch(/principal\.id: value is required/);
  });

  it("explains an allow by rule, place and condition", async () => {
    const { out } = await runEdict(["check", "--bundle", bundle, "--explain", request]);
    expect(out).toMatch(
      /ALLOW {2}view\n +decided by rule anyone-reads-public of resource policy resource\.album\.vdefault\n +at album\.yaml:\d+:\d+, for role user/,
    );
    expect(out).toMatch(
      /true {2}all of\n +true {2}R\.attr\.public == true {2}\(album\.yaml:\d+:\d+\)\n +true {2}none of\n +false R\.attr\.flagged == true/,
    );
    expect(out).toMatch(/owner: not active .*people\.yaml:\d+:\d+\)\n +false R\.attr\.owner == P\.id/);
  });

  it("explains a denial by what came closest", async () => {
    const { out } = await runEdict(["check", "--bundle", bundle, "--explain", request]);
    expect(out).toMatch(/DENY {3}delete\n +denied because no rule allows it/);
    expect(out).toMatch(
      /allow rule owner-does-all at album\.yaml:\d+:\d+: the derived role it needs is false/,
    );
    expect(out).toMatch(/deny rule nobody-deletes-locked .*its condition is false/);
  });

  it("explains a condition that ends in an error, and how the modes differ", async () => {
    const text = JSON.stringify(albumRequest({ public: true, flagged: false, owner: "alice" }));
    const closed = await runEdict(["check", "--bundle", bundle, "--explain", "-"], text);
    expect(closed.out).toMatch(
      /DENY {3}delete\n +decided by rule nobody-deletes-locked[^]*error R\.attr\.locked == true/,
    );
    const compatible = await runEdict(["check", "--bundle", bundle, "--on-error", "compatible", "-"], text);
    expect(compatible.out).toMatch(/ALLOW {2}delete/);
  });

  it("says that no policy matches", async () => {
    const other = {
      ...albumRequest(),
      resources: [{ actions: ["view"], resource: { kind: "unknown", id: "1" } }],
    };
    const { out } = await runEdict(["check", "--bundle", bundle, "--explain", "-"], JSON.stringify(other));
    expect(out).toMatch(/no policy matches this kind/);
    const action = {
      ...albumRequest(),
      resources: [{ actions: ["rename"], resource: { kind: "album", id: "1" } }],
      principal: { id: "x", roles: ["guest"] },
    };
    const known = await runEdict(["check", "--bundle", bundle, "--explain", "-"], JSON.stringify(action));
    expect(known.out).toMatch(
      /no rule covers this action for these roles; rules for this kind:\n +allow anyone-reads-public at album\.yaml/,
    );
  });

  it("explains as JSON", async () => {
    const { out } = await runEdict(["check", "--bundle", bundle, "--explain", "--json", request]);
    expect(JSON.parse(out)).toMatchObject({
      results: [
        {
          resource: { kind: "album" },
          derivedRoles: [{ role: { name: "owner" }, outcome: "false" }],
          actions: [
            { action: "view", effect: "EFFECT_ALLOW", rule: { rule: { name: "anyone-reads-public" } } },
            { action: "delete", effect: "EFFECT_DENY", rule: null },
          ],
        },
      ],
    });
  });
});
