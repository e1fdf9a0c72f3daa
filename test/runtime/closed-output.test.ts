/** Output that nobody reads any more: a daemon goes on deciding, a command ends as ever. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import {
  albumRequest,
  BINARY,
  Daemon,
  IS_BUILT,
  POLICIES,
  temporaryDirectory,
  writeFiles,
} from "./support/daemon.ts";

describe.skipIf(!IS_BUILT)("output that nobody reads", () => {
  it("costs a daemon its log lines and nothing else", async () => {
    const directory = await temporaryDirectory();
    const policies = join(directory.path, "policies");
    await writeFiles(policies, POLICIES);
    const daemon = await Daemon.start("--policies", policies);
    try {
      daemon.process.stdout?.destroy();
      daemon.process.stderr?.destroy();
      // Every reload is a line or more.
      for (const text of ["resourcePolicy: [", POLICIES["album.yaml"] ?? ""]) {
        await writeFiles(policies, { "album.yaml": text });
        const isWhole = text === POLICIES["album.yaml"];
        daemon.process.kill("SIGHUP");
        await daemon.until(async () => {
          const { lastReload } = await daemon.json("/healthz");
          return (lastReload as { ok?: boolean } | undefined)?.ok === isWhole;
        });
      }
      expect((await daemon.json("/healthz"))["status"]).toBe("SERVING");
      expect((await daemon.check(albumRequest())).json()).toMatchObject({
        results: [{ actions: { view: "EFFECT_ALLOW" } }],
      });
    } finally {
      expect(await daemon.stop()).toBe(0);
      await directory.remove();
    }
  });

  it("does not keep a daemon from starting", async () => {
    const directory = await temporaryDirectory();
    const socketPath = join(directory.path, "edict.sock");
    await writeFiles(join(directory.path, "policies"), POLICIES);
    const given = ["serve", "--policies", join(directory.path, "policies"), "--unix", socketPath];
    const child = spawn(process.execPath, [BINARY, ...given]);
    child.stdout.destroy();
    child.stderr.destroy();
    const ended = once(child, "exit");
    try {
      const status = async (): Promise<unknown> => {
        const call = request({ socketPath, path: "/readyz" });
        call.end();
        const [response] = (await once(call, "response")) as [IncomingMessage];
        return response.resume().statusCode;
      };
      while ((await status().catch(() => "not yet")) === "not yet" && child.exitCode === null)
        await sleep(20);
      // It has said that it is ready by then, to nobody.
      await sleep(500);
      expect(await status()).toBe(200);
    } finally {
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
      await directory.remove();
    }
  });

  it("does not change how a command ends", async () => {
    const child = spawn(process.execPath, [BINARY, "help"]);
    child.stdout.destroy();
    let complaints = "";
    child.stderr.on("data", (chunk: Buffer) => (complaints += chunk.toString()));
    const [code] = (await once(child, "close")) as [number | null];
    expect(complaints).toBe("");
    expect(code).toBe(0);
  });
});
