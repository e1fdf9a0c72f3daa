/** Going back to an earlier version, what the source may do afterwards, and versions that never come to serve. */
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../runtime/index.ts";
import { albumRequest, IS_BUILT } from "../support/daemon.ts";
import { AdminDaemon, compileVersions, type VersionName } from "./support.ts";

const ALLOW = "EFFECT_ALLOW";
const DENY = "EFFECT_DENY";

const withState = (home: string): readonly string[] => ["--state-dir", join(home, "state")];

describe.skipIf(!IS_BUILT)("rollback", () => {
  let bundles: Readonly<Record<VersionName, Uint8Array>>;
  let digests: Readonly<Record<VersionName, string>>;
  let running: AdminDaemon;

  beforeAll(async () => {
    bundles = await compileVersions();
    const of = (name: VersionName): string => readBundle(bundles[name]).digest;
    digests = { first: of("first"), second: of("second"), third: of("third") };
  }, 120_000);

  afterEach(() => running.stop());

  /** A daemon that has served the first version and serves the second. */
  async function afterSwap(
    flags: (home: string) => readonly string[] = () => ["--threads", "2"],
  ): Promise<void> {
    running = await AdminDaemon.start(bundles.first, flags);
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("first"), view: ALLOW });
    await running.put(bundles.second);
    await running.until(digests.second);
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("second"), view: DENY });
  }

  function short(name: VersionName): string {
    return digests[name].slice(0, 12);
  }

  /** How the source comes to be asked again for what it has had all along. */
  async function offerAgain(name: VersionName): Promise<void> {
    const { daemon } = running;
    const leftAlone = (): number => daemon.output().err.split("is left alone").length;
    const before = leftAlone();
    await running.put(bundles[name]);
    await daemon.until(() => leftAlone() > before);
  }

  it("goes back to the version before, and stays there while the source offers the one it left", async () => {
    await afterSwap();
    const { previous } = await running.status();
    expect(previous.map(({ digest }) => digest)).toEqual([digests.first]);

    const run = await running.run("rollback");
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out).toContain(`from bundle ${short("second")} to ${short("first")}`);
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("first"), view: ALLOW });
    const status = await running.status();
    expect(status.hold).toMatchObject({ reason: "rollback", setAside: [digests.second] });
    expect(status.previous.map(({ digest }) => digest)).toEqual([digests.second]);
    expect(status.counters).toMatchObject({ swaps: 2, failedSwaps: 0 });

    await offerAgain("second");
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("first"), view: ALLOW });
    expect((await running.status()).lastFailure).toBeNull();

    // Another version is news, and ends the hold.
    await running.put(bundles.third);
    await running.until(digests.third);
    expect((await running.status()).hold).toBeNull();
    await running.put(bundles.second);
    await running.until(digests.second);
  });

  it("takes what was set aside when somebody asks for a reload", async () => {
    await afterSwap();
    await running.ask("/v1/rollback", {});
    const answer = await running.ask("/v1/reload", {});
    expect(answer).toMatchObject({ ok: true, value: { bundle: digests.second, previous: digests.first } });
    expect((await running.status()).hold).toBeNull();

    await running.ask("/v1/rollback", {});
    running.daemon.process.kill("SIGHUP");
    await running.until(digests.second);
  });

  it("goes back to a version by name, and not to one it does not know", async () => {
    await afterSwap();
    await running.put(bundles.third);
    await running.until(digests.third);
    const run = await running.run("rollback", "--to", short("first"), "--json");
    expect(JSON.parse(run.out)).toEqual({ bundle: digests.first, previous: digests.third });
    // The other one was not the source's any more, but has been left as well.
    expect((await running.run("rollback", "--to", "0123456789ab")).code).toBe(1);
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("first"), view: ALLOW });
  });

  it("survives a restart when there is a state directory", async () => {
    await afterSwap(withState);
    expect(await running.ask("/v1/rollback", {})).toMatchObject({ ok: true });
    // Kept for the next start, also by a process that is killed.
    running.daemon.process.kill("SIGKILL");
    running = await running.restart(withState);
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("first"), view: ALLOW });
    expect((await running.status()).hold).toMatchObject({ setAside: [digests.second] });
    await offerAgain("second");
    expect((await running.answer(albumRequest())).bundle).toBe(short("first"));
    await running.put(bundles.third);
    await running.until(digests.third);
  });

  it("names what does not come to serve in status, health, metrics and log, and keeps what serves", async () => {
    running = await AdminDaemon.start(bundles.first, () => ["--threads", "2"]);
    const damaged = bundles.second.slice();
    damaged[damaged.byteLength >> 1] = (damaged[damaged.byteLength >> 1] ?? 0) ^ 1;
    await running.put(damaged);
    await running.daemon.until(async () => (await running.status()).lastFailure !== null);
    expect((await running.status()).lastFailure).toMatchObject({ code: "EDICT_BUNDLE_DIGEST" });
    const metrics = await running.metrics();
    expect(metrics.get('edict_swap_failures_total{code="EDICT_BUNDLE_DIGEST"}')).toBeGreaterThan(0);
    expect(metrics.get("edict_reload_failed")).toBe(1);
    expect(metrics.get("edict_swaps_total")).toBe(0);
    // All threads, to which connections are spread, a moment later.
    await running.daemon.until(async () => {
      const all = await Promise.all(Array.from({ length: 8 }, () => running.daemon.json("/healthz")));
      return all.every((health) => !(health["lastReload"] as { readonly ok: boolean }).ok);
    });
    expect(running.daemon.output().err).toContain("keeps serving");
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("first"), view: ALLOW });
    expect((await running.status()).previous).toEqual([]);

    await running.put(bundles.second);
    await running.until(digests.second);
    expect((await running.status()).lastFailure).toBeNull();
    expect((await running.metrics()).get("edict_reload_failed")).toBe(0);
  });

  it("keeps the present version when the one to go back to cannot serve any more", async () => {
    await afterSwap(withState);
    await writeFile(join(running.home, "state", `${digests.first}.edict`), bundles.first.subarray(0, 5_000));
    const answer = await running.ask("/v1/rollback", {});
    expect(answer).toMatchObject({ ok: false, status: 409 });
    expect((await running.status()).hold).toBeNull();
    expect(await running.answer(albumRequest())).toEqual({ bundle: short("second"), view: DENY });
  });
});
