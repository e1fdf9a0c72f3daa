/** How long a version counts as the newest without a word of its source, and what daemons do when that is over. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pack, unpackMultiple } from "msgpackr";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { clientAddress } from "../../../runtime/client/address.ts";
import { ClientSocket } from "../../../runtime/client/web-socket.ts";
import { Freshness, type FreshnessState } from "../../../runtime/source/freshness.ts";
import { albumRequest, Daemon, IS_BUILT, runEdict, temporaryDirectory } from "../support/daemon.ts";
import { Origin, servedBy, TestVersions, untilServes } from "./support.ts";

/** A clock that stands until it is moved, by which the limits are 100 s and 200 s. */
function freshness(): { seen: FreshnessState[]; fresh: Freshness; move: (ms: number) => void } {
  let time = 0;
  const fresh = new Freshness({ staleAfterMs: 100_000, failClosedAfterMs: 200_000 }, () => time);
  const seen: FreshnessState[] = [];
  fresh.onChange = (state) => seen.push(state);
  const move = (ms: number): void => {
    time += ms;
  };
  return { seen, fresh, move };
}

async function health(daemon: Daemon): Promise<string> {
  return JSON.stringify(await daemon.json("/healthz"));
}

describe("freshness", () => {
  it("ends step by step, and begins again with a confirmation", () => {
    const { seen, fresh, move } = freshness();
    fresh.confirm(99_999);
    expect(fresh.state).toBe("fresh");
    fresh.confirm(100_000);
    expect(fresh.state).toBe("stale");
    fresh.confirm(200_000);
    expect(fresh.state).toBe("expired");
    move(50_000);
    fresh.confirm();
    expect(fresh.state).toBe("fresh");
    expect(fresh.ageMs).toBe(0);
    expect(seen).toEqual(["stale", "expired", "fresh"]);
    fresh.close();
  });

  it("is noticed to have ended without anybody asking", async () => {
    let time = 0;
    const fresh = new Freshness({ staleAfterMs: 30, failClosedAfterMs: 60 }, () => time);
    const seen: FreshnessState[] = [];
    fresh.onChange = (state) => seen.push(state);
    fresh.confirm();
    // The timers are real but the clock is not, so that a late timer skips no state.
    time = 40;
    while (seen.length < 1) await sleep(5);
    expect(seen).toEqual(["stale"]);
    time = 70;
    while (seen.length < 2) await sleep(5);
    expect(seen).toEqual(["stale", "expired"]);
    fresh.close();
  });

  it("never ends when nobody has set a limit", () => {
    const fresh = new Freshness({ staleAfterMs: null, failClosedAfterMs: null });
    fresh.confirm(1e12);
    expect(fresh.state).toBe("fresh");
  });
});

describe.skipIf(!IS_BUILT)("a daemon whose source is gone for long", () => {
  let versions: TestVersions;
  let origin: Origin;
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  const daemons: Daemon[] = [];

  beforeAll(async () => {
    versions = await TestVersions.compile();
  });

  beforeEach(async () => {
    directory = await temporaryDirectory();
    origin = await Origin.start();
    origin.publish(versions.get(1).bytes);
  });

  afterEach(async () => {
    for (const daemon of daemons.splice(0)) await daemon.stop();
    await origin.kill();
    await directory.remove();
  });

  async function start(...more: string[]): Promise<Daemon> {
    const daemon = await Daemon.start("--bundle", origin.url, "--poll-interval", "100ms", ...more);
    daemons.push(daemon);
    return daemon;
  }

  it("says so in health and goes on deciding, unless it was told more", async () => {
    const daemon = await start("--stale-after", "1s");
    // Polls that come late make it stale for a moment at any time.
    await daemon.until(async () => !(await health(daemon)).includes("stale: "));
    await origin.kill();
    await daemon.until(async () => (await health(daemon)).includes("stale: "));
    expect(await servedBy(daemon)).toMatchObject({ view: "EFFECT_ALLOW", reason: "" });
    await origin.start();
    await daemon.until(async () => !(await health(daemon)).includes("stale: "));
  });

  it("denies everything everywhere when it was told to, and decides again when the source is back", async () => {
    const daemon = await start(
      "--fail-closed-after",
      "2s",
      "--threads",
      "2",
      "--set",
      "server.batches.minBytes=2048",
    );
    const large = {
      ...albumRequest(),
      resources: Array.from({ length: 50 }, (_, index) => ({
        actions: ["view"],
        resource: { kind: "album", id: `${index}`, attr: { public: true, flagged: false, owner: "bob" } },
      })),
    };
    const frames: (readonly [number, unknown, { denyReason?: string }?])[] = [];
    const stream = await ClientSocket.connect(clientAddress(daemon.address), "/v1/stream", 60_000, {
      message: (bytes) => frames.push(...(unpackMultiple(Buffer.from(bytes)) as typeof frames)),
      closed: () => undefined,
    });
    let asked = 0;
    const ask = async (): Promise<{ text: string; note: string }> => {
      const id = ++asked;
      stream.send(Buffer.from(pack([id, albumRequest()])));
      while (!frames.some((frame) => frame[0] === id)) await sleep(5);
      const frame = frames.find((found) => found[0] === id);
      return { text: JSON.stringify(frame?.[1]), note: frame?.[2]?.denyReason ?? "" };
    };
    /** Waits until every way to ask is answered by the policies, which polls that come late put off. */
    const untilDecides = async (): Promise<void> => {
      await daemon.until(async () => (await servedBy(daemon)).reason === "");
      await daemon.until(async () => (await servedBy(daemon)).view === "EFFECT_ALLOW");
      await daemon.until(async () => {
        const { status, body } = await daemon.check(large);
        expect(status).toBe(200);
        return !body.toString().includes("EFFECT_DENY");
      });
      await daemon.until(async () => (await ask()).text.includes("EFFECT_ALLOW"));
    };
    try {
      await untilDecides();
      await origin.kill();
      await daemon.until(async () => (await servedBy(daemon)).reason === "stale");
      // Every thread: connections are spread over them.
      for (let count = 0; count < 20; count++) {
        await daemon.until(async () => {
          const { view, reason } = await servedBy(daemon);
          return view === "EFFECT_DENY" && reason === "stale";
        });
      }
      const denied = await daemon.check(large);
      expect(denied.status).toBe(200);
      expect(denied.headers["edict-deny-reason"]).toBe("stale");
      expect(JSON.stringify(denied.json())).not.toContain("EFFECT_ALLOW");
      const framed = await ask();
      expect(framed.text).not.toContain("EFFECT_ALLOW");
      expect(framed.note).toBe("stale");
      const bad = await daemon.check("{");
      expect(bad.status).toBe(400);
      await origin.start();
      await untilDecides();
    } finally {
      stream.close();
    }
  }, 180_000);

  it("counts a source that only gives what is refused as gone", async () => {
    const daemon = await start("--fail-closed-after", "1s");
    origin.publish(versions.get(0).bytes);
    await daemon.until(async () => (await health(daemon)).includes("EDICT_BUNDLE_ROLLBACK"));
    await daemon.until(async () => (await servedBy(daemon)).reason === "stale");
    origin.publish(versions.get(2).bytes);
    await daemon.until(async () => (await servedBy(daemon)).reason === "");
  });

  it("is not made fresh by a restart", async () => {
    const state = join(directory.path, "state");
    const limits = ["--state-dir", state, "--fail-closed-after", "1s"];
    const daemon = await start(...limits);
    await origin.kill();
    await daemon.until(async () => (await servedBy(daemon)).reason === "stale");
    await daemon.stop();
    const again = await start(...limits);
    expect(await servedBy(again)).toMatchObject({ view: "EFFECT_DENY", reason: "stale" });
  });

  it("does not care about a clock that jumps by years", async () => {
    const before = process.env["NODE_OPTIONS"];
    process.env["NODE_OPTIONS"] = `--import=${new URL("jumping-clock.mjs", import.meta.url).href}`;
    let daemon: Daemon;
    try {
      // Far longer than any wait of this test, and far shorter than a jump.
      daemon = await start("--stale-after", "10m", "--fail-closed-after", "1h", "--threads", "2");
    } finally {
      if (before === undefined) delete process.env["NODE_OPTIONS"];
      else process.env["NODE_OPTIONS"] = before;
    }
    const years = new Set<string>();
    // Versions that come at the rate of the jumps all come at the same time of that clock.
    for (let sequence = 2; sequence <= 7 || years.size === 1; sequence++) {
      origin.publish(versions.get(sequence).bytes);
      await untilServes(daemon, versions.get(sequence));
      const text = await health(daemon);
      expect(text).not.toContain("stale");
      expect((await servedBy(daemon)).reason).toBe("");
      years.add((JSON.parse(text) as { since: string }).since.slice(0, 4));
      await sleep(300);
    }
    // The clock did jump.
    expect(years.size).toBeGreaterThan(1);
  }, 180_000);

  it("does not take limits for a policy directory, which nobody confirms", async () => {
    const run = await runEdict(["serve", "--policies", directory.path, "--stale-after", "10s"]);
    expect(run.code).toBe(2);
    expect(run.err).toContain("a policy directory cannot become stale");
  });
});
