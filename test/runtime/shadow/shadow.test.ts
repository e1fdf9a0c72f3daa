/** A candidate beside the version that serves: it answers nothing, what it would change is reported, and it can be promoted. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Client } from "../../../runtime/client/index.ts";
import { type CheckRequest, readBundle } from "../../../runtime/index.ts";
import { AdminDaemon, compileVersions, type VersionName, VERSIONS } from "../admin/support.ts";
import { albumRequest, IS_BUILT, runEdict, temporaryDirectory, writeFiles } from "../support/daemon.ts";

interface ReportLine {
  readonly event: string;
  readonly serving: string;
  readonly candidate: string;
  readonly action: string;
  readonly old: { readonly effect: string; readonly place: string | null };
  readonly new: { readonly effect: string; readonly place: string | null };
}

/** Requests of the sample that are not waiting. */
async function taken(daemon: AdminDaemon): Promise<number> {
  const { shadow } = await daemon.status();
  return (shadow?.requests.compared ?? 0) + (shadow?.requests.dropped ?? 0);
}

/** Has no limit of its own: what the candidate takes is left to the requests several times over, so a slow machine takes long. */
async function compared(daemon: AdminDaemon, requests: number): Promise<void> {
  while ((await taken(daemon)) < requests) await sleep(20);
  expect(await taken(daemon)).toBe(requests);
}

async function report(daemon: AdminDaemon): Promise<readonly ReportLine[]> {
  const text = await readFile(join(daemon.home, "changes.ndjson"), "utf8").catch(() => "");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ReportLine);
}

describe.skipIf(!IS_BUILT)("a shadow", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;
  let digests: Readonly<Record<VersionName, string>>;
  let running: AdminDaemon | null = null;

  beforeAll(async () => {
    bundles = await compileVersions();
    const of = (name: VersionName): string => readBundle(bundles[name]).digest;
    digests = { first: of("first"), second: of("second"), third: of("third") };
  }, 120_000);

  afterEach(async () => {
    await running?.stop();
    running = null;
  });

  /** A daemon that serves the first version, with the given one as its candidate. */
  async function start(name: VersionName, ...flags: string[]): Promise<AdminDaemon> {
    const daemon = await AdminDaemon.start(bundles.first, (home) => [
      "--shadow",
      join(home, "candidate.edict"),
      "--shadow-report",
      join(home, "changes.ndjson"),
      ...flags,
    ]);
    running = daemon;
    // It comes after the daemon, which waits for it.
    await writeFile(join(daemon.home, "candidate.edict"), bundles[name]);
    await daemon.daemon.until(async () => (await daemon.status()).shadow?.digest === digests[name]);
    return daemon;
  }

  it("reports what it would change on every thread, and answers nothing", async () => {
    const daemon = await start("second", "--threads", "2");
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => daemon.answer(albumRequest())));
      for (const answer of answers) {
        expect(answer).toEqual({ bundle: digests.first.slice(0, 12), view: "EFFECT_ALLOW" });
      }
    }
    await compared(daemon, 40);
    const { shadow, counters } = await daemon.status();
    expect(shadow).toMatchObject({ requests: { compared: 40, changed: 40, failed: 0 }, problem: null });
    expect(shadow?.decisions).toEqual({ compared: 80, changed: 40 });
    // What the candidate decides does not count.
    expect(counters).toMatchObject({ requests: 40, decisions: 80, allowed: 40 });
    await daemon.daemon.until(async () => (await report(daemon)).length === 40);
    const lines = await report(daemon);
    expect(lines[0]).toMatchObject({
      event: "shadow-change",
      serving: digests.first.slice(0, 12),
      candidate: digests.second.slice(0, 12),
      action: "view",
      old: { effect: "EFFECT_ALLOW", place: "album.yaml:7" },
      new: { effect: "EFFECT_DENY", place: null },
    });
    const metrics = await daemon.metrics();
    expect(metrics.get('edict_shadow_decisions_total{result="changed"}')).toBe(40);
    expect(metrics.get(`edict_shadow_info{digest="${digests.second}"}`)).toBe(1);
  });

  it("takes its sample from the stream as well", async () => {
    const daemon = await start("second");
    const client = new Client(daemon.daemon.address, { transport: "stream", timeoutMs: 60_000 });
    try {
      for (let index = 0; index < 3; index++) await client.check(albumRequest() as CheckRequest);
    } finally {
      client.close();
    }
    await compared(daemon, 3);
    expect((await daemon.status()).shadow?.decisions).toEqual({ compared: 6, changed: 3 });
  });

  it("decides no more than its share", async () => {
    const daemon = await start("second", "--shadow-sample", "0.2");
    for (let round = 0; round < 50; round++) {
      await Promise.all(Array.from({ length: 8 }, () => daemon.daemon.check(albumRequest())));
    }
    // Of 400; outside of this once in many millions of runs. No more than 64 can still wait.
    while ((await taken(daemon)) <= 20) await sleep(20);
    expect(await taken(daemon)).toBeLessThan(160);
  });

  it("is promoted with as few changes as asked for, and not with more", async () => {
    const daemon = await start("second");
    const early = await daemon.run("promote", "--max-changes", "5");
    expect(early.code).toBe(1);
    expect(early.err).toContain("EDICT_NOTHING_COMPARED");
    for (let index = 0; index < 6; index++) await daemon.answer(albumRequest());
    await compared(daemon, 6);
    const refused = await daemon.run("promote", "--max-changes", "5");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("changes 6 of 12 decisions");
    expect((await daemon.answer(albumRequest())).bundle).toBe(digests.first.slice(0, 12));
    const promoted = await daemon.run("promote", "--max-changes", "10");
    expect(promoted).toMatchObject({ code: 0, err: "" });
    expect(await daemon.answer(albumRequest())).toEqual({
      bundle: digests.second.slice(0, 12),
      view: "EFFECT_DENY",
    });
    const status = await daemon.status();
    expect(status.hold).toMatchObject({ reason: "promote", setAside: [digests.first] });
    expect(status.shadow?.digest).toBeNull();
    // And back.
    expect((await daemon.run("rollback")).code).toBe(0);
    expect((await daemon.answer(albumRequest())).bundle).toBe(digests.first.slice(0, 12));
  });

  it("is not in use when it cannot be started, and says why", async () => {
    const scratch = await temporaryDirectory();
    const { path } = scratch;
    const candidate = join(path, "candidate.edict");
    await writeFile(candidate, bundles.second.subarray(0, 10_000));
    const daemon = await AdminDaemon.start(bundles.first, () => ["--shadow", candidate, "--threads", "2"]);
    running = daemon;
    await daemon.daemon.until(async () => (await daemon.status()).shadow?.problem !== null);
    expect((await daemon.answer(albumRequest())).view).toBe("EFFECT_ALLOW");
    expect((await daemon.status()).lastFailure).toBeNull();
    const promote = await daemon.run("promote");
    expect(promote.code).toBe(1);
    expect(promote.err).toContain("EDICT_NO_SHADOW");
    // It is followed: a whole one is in use at once.
    await writeFile(candidate, bundles.second);
    await daemon.daemon.until(async () => (await daemon.status()).shadow?.digest === digests.second);
    await scratch.remove();
  });

  it("may be a directory, which is compiled again when it changes", async () => {
    const scratch = await temporaryDirectory();
    const { path } = scratch;
    await writeFiles(path, VERSIONS.second);
    const daemon = await AdminDaemon.start(bundles.first, () => ["--shadow", path]);
    running = daemon;
    await daemon.daemon.until(async () => (await daemon.status()).shadow?.digest === digests.second);
    await writeFiles(path, VERSIONS.third);
    await daemon.daemon.until(async () => (await daemon.status()).shadow?.digest === digests.third);
    await scratch.remove();
  });

  it("is refused when nothing can be meant by it", async () => {
    const flags = ["serve", "--bundle", "x.edict", "--shadow", "y.edict", "--shadow-sample"];
    expect((await runEdict([...flags, "0"])).code).toBe(2);
    expect((await runEdict([...flags, "1.5"])).code).toBe(2);
  });
});

describe.skipIf(!IS_BUILT)("edict diff", () => {
  it("lists the decisions about recorded requests that change, and refuses too many", async () => {
    const scratch = await temporaryDirectory();
    const { path } = scratch;
    const bundles = await compileVersions();
    const [old, same, requests] = ["old.edict", "same.edict", "requests.ndjson"].map((name) =>
      join(path, name),
    ) as [string, string, string];
    await writeFile(old, bundles.first);
    await writeFile(same, bundles.third);
    await writeFiles(join(path, "new"), VERSIONS.second);
    const own = albumRequest({ public: true, flagged: false, locked: false, owner: "alice" });
    const lines = [albumRequest(), own, { nonsense: true }, albumRequest()].map((line) =>
      JSON.stringify(line),
    );
    await writeFile(requests, `${lines.join("\n")}\r\n\n`);
    const diff = (next: string, ...flags: string[]) =>
      runEdict(["diff", old, next, "--requests", requests, ...flags]);

    const text = await diff(join(path, "new"));
    expect(text.code).toBe(0);
    expect(text.out).toContain("view album/1: ALLOW by anyone-reads-public at album.yaml:7 -> DENY");
    expect(text.out).toContain("2 of 6 decisions in 4 requests change; refused by both: 1");

    const json = await diff(join(path, "new"), "--json", "--max-changes", "1");
    expect(json.code).toBe(1);
    const parsed = json.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(parsed).toHaveLength(3);
    expect(parsed[2]).toMatchObject({ summary: { requests: 4, decisions: 6, changed: 2, refused: 1 } });

    expect((await diff(join(path, "new"), "--max-changes", "2")).code).toBe(0);
    expect((await diff(same, "--max-changes", "0")).code).toBe(0);
    expect((await diff(join(path, "missing"))).code).toBe(2);
    expect((await runEdict(["diff", old, same, "--requests", join(path, "none")])).code).toBe(2);
    await scratch.remove();
  }, 300_000);
});
