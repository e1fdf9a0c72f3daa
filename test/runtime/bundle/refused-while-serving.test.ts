/**
 * Hostile bundles in the place that a running daemon watches: each is refused with its reason in health and log, every serving
 * thread goes on deciding by the old version, and the next good bundle serves.
 */
import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBundle } from "../../../runtime/bundle/bundle-file.ts";
import { Random } from "../../differential/random.ts";
import {
  buildBundle,
  poisoned,
  withBadSizes,
  withManifest,
  withPoliciesOf,
} from "../support/built-bundles.ts";
import {
  albumRequest,
  Daemon,
  DENYING_POLICIES,
  IS_BUILT,
  POLICIES,
  temporaryDirectory,
} from "../support/daemon.ts";
import { makeKey, sign, type TestKey } from "../support/signed-bundles.ts";

const THREADS = 3;

/** Connections per look at what serves: enough that no thread is left out but by a rare chance. */
const CONNECTIONS = 24;

describe.skipIf(!IS_BUILT)(
  IS_BUILT
    ? "a daemon that is given hostile bundles"
    : "a daemon that is given hostile bundles (run `npm run build`)",
  () => {
    let directory: string;
    let remove: () => Promise<void>;
    let daemon: Daemon;
    let watched: string;
    let key: TestKey;
    let expired: TestKey;
    let stranger: TestKey;
    let file: Uint8Array;
    let signed: Uint8Array;
    let denying: Uint8Array;

    beforeAll(async () => {
      const temporary = await temporaryDirectory();
      directory = temporary.path;
      remove = () => temporary.remove();
      [key, stranger, expired] = await Promise.all([
        makeKey(directory, "key"),
        makeKey(directory, "stranger"),
        makeKey(directory, "expired", "ES256", 1_000_000_000),
      ]);
      file = await buildBundle(POLICIES, 5);
      denying = await buildBundle(DENYING_POLICIES, 6);
      signed = await sign(file, [key]);
      watched = join(directory, "watched.edict");
      await writeFile(watched, signed);
      const verify = [key, expired].flatMap(({ publicFile }) => ["--verify-key", publicFile]);
      daemon = await Daemon.start("--bundle", watched, "--threads", String(THREADS), ...verify);
    }, 120_000);
    afterAll(async () => {
      await daemon.stop();
      await remove();
    });

    async function put(bundle: Uint8Array): Promise<void> {
      const next = join(directory, `next-${randomBytes(4).toString("hex")}`);
      await writeFile(next, bundle);
      await rename(next, watched);
    }

    /** Asks on a connection of its own. */
    function ask(
      path: string,
      body?: object,
    ): Promise<{ readonly bundle: string; readonly answer: unknown }> {
      return new Promise((resolve, reject) => {
        const call = request(
          {
            host: "127.0.0.1",
            port: daemon.port,
            method: body === undefined ? "GET" : "POST",
            path,
            headers: { "content-type": "application/json" },
            agent: false,
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("end", () => {
              const answer = JSON.parse(Buffer.concat(chunks).toString()) as unknown;
              resolve({ bundle: String(response.headers["edict-bundle"]), answer });
            });
          },
        );
        call.on("error", reject);
        call.end(body === undefined ? undefined : JSON.stringify(body));
      });
    }

    /** What is decided: by which bundle, and whether viewing is allowed. */
    async function decision(): Promise<string> {
      const { bundle, answer } = await ask("/api/check/resources", albumRequest());
      const { results } = answer as { results: { actions: { view: string } }[] };
      return `${bundle} ${results[0]?.actions.view}`;
    }

    async function expectServed(bundle: Uint8Array, view: string): Promise<void> {
      const decisions = await Promise.all(Array.from({ length: CONNECTIONS }, decision));
      expect(new Set(decisions)).toEqual(new Set([`${readBundle(bundle).shortDigest} ${view}`]));
    }

    async function lastReload(): Promise<{ ok: boolean; code?: string; at?: string; error?: string }> {
      return (await daemon.json("/healthz"))["lastReload"] as never;
    }

    /** Waits until every thread says that all is well: what one of them says late is about the bundle before. */
    async function untilWell(): Promise<void> {
      await daemon.until(async () => {
        const all = await Promise.all(Array.from({ length: CONNECTIONS }, () => ask("/healthz")));
        return all.every(({ answer }) => (answer as { lastReload: { ok: boolean } }).lastReload.ok);
      });
    }

    /** Puts a bundle where the daemon looks, waits until it is refused, and puts the good one back. */
    async function expectRefused(name: string, bundle: Uint8Array, code: unknown): Promise<void> {
      await put(bundle);
      await daemon.until(async () => !(await lastReload()).ok);
      const outcome = await lastReload();
      await put(signed);
      await untilWell();
      expect(outcome, name).toMatchObject({ ok: false, code });
      expect(outcome.error, name).toMatch(/^[^\n]+$/);
      await expectServed(signed, "EFFECT_ALLOW");
    }

    it("refuses the unsigned, the wrongly signed and the outdated", { timeout: 300_000 }, async () => {
      await expectServed(signed, "EFFECT_ALLOW");
      const other = await sign(denying, [stranger]);
      const older = await sign(withManifest(denying, { sequence: 4 }), [key]);
      const unnumbered = await sign(await buildBundle(DENYING_POLICIES, null), [key]);
      await expectRefused("unsigned", denying, "EDICT_BUNDLE_UNSIGNED");
      await expectRefused("wrong key", other, "EDICT_BUNDLE_KEY_UNKNOWN");
      await expectRefused("expired key", await sign(denying, [expired]), "EDICT_BUNDLE_KEY_EXPIRED");
      await expectRefused(
        "expired",
        await sign(denying, [key], new Date(), 1),
        "EDICT_BUNDLE_SIGNATURE_EXPIRED",
      );
      await expectRefused("older", older, "EDICT_BUNDLE_ROLLBACK");
      await expectRefused("without a sequence", unnumbered, "EDICT_BUNDLE_ROLLBACK");
      const swapped = await sign(withManifest(withPoliciesOf(file, denying), { sequence: 7 }), [key]);
      await expectRefused("self-test", swapped, "EDICT_BUNDLE_SELF_TEST");
      expect(daemon.output().err).toMatch(/has sequence 4, and sequence 5 has been accepted before/);
      expect(daemon.output().err).toMatch(
        /keeps serving: the self-test fails: recorded request \d+ comes out differently/,
      );
    });

    it("refuses what is poisoned or has wrong sizes", { timeout: 300_000 }, async () => {
      for (const [name, bundle, code] of [...poisoned(file), ...withBadSizes(signed)]) {
        await expectRefused(name, await sign(bundle, [key]).catch(() => bundle), code);
      }
    });

    it("refuses what is truncated or damaged", { timeout: 300_000 }, async () => {
      const random = new Random(7);
      for (let turn = 0; turn < 8; turn++) {
        const length = random.below(signed.byteLength);
        const damaged = signed.slice();
        const at = random.below(damaged.byteLength);
        damaged[at] = (damaged[at] ?? 0) ^ (1 << random.below(8));
        for (const bundle of [signed.subarray(0, length), damaged]) {
          await expectRefused(`turn ${turn}`, bundle, expect.stringMatching(/^EDICT_BUNDLE_/));
        }
      }
    });

    it(
      "serves the next good one on every thread, and then refuses the one before",
      { timeout: 120_000 },
      async () => {
        const next = await sign(denying, [key]);
        await put(next);
        const { digest } = readBundle(next);
        await daemon.until(async () => (await daemon.json("/healthz"))["bundle"] === digest);
        expect(await lastReload()).toEqual({ ok: true });
        await expectServed(next, "EFFECT_DENY");
        await put(signed);
        await daemon.until(async () => !(await lastReload()).ok);
        expect(await lastReload()).toMatchObject({ code: "EDICT_BUNDLE_ROLLBACK" });
        await expectServed(next, "EFFECT_DENY");
        expect((await daemon.json("/healthz"))["traps"]).toBe(0);
      },
    );
  },
);
