/** The open loop sends what is due, and counts waiting from the moment it was due. */
import { createServer, type Server } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { generateLoad } from "../../../bench/load/generated-load.ts";
import { formatRequest, writeRequestFile } from "../../../bench/load/http-requests.ts";

/** Every answer waits for so long; far above what a busy machine adds at the median of a short run. */
const DELAY = 200;

let server: Server;
let port = 0;
const directory = mkdtempSync(join(tmpdir(), "edict-load-generator-"));
const requestFile = join(directory, "requests");

beforeAll(async () => {
  writeRequestFile(requestFile, [formatRequest(Buffer.from("{}"), "json")]);
  server = createServer((request, response) => {
    request.resume();
    setTimeout(() => response.end("ok"), DELAY);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("the open loop", () => {
  it("keeps its rate on a server that waits with every answer", async () => {
    const plan = { port, connections: 8, seconds: 1, rate: 20, requestFile };
    let load = await generateLoad(plan);
    // The generator waits five seconds for answers, which this process may not be given.
    for (let again = 0; again < 2 && load.failed > 0; again++) load = await generateLoad(plan);
    // A closed loop would have stopped asking; every request that was due was sent and answered.
    expect([load.latency.count, load.failed]).toEqual([20, 0]);
    expect(load.latency.p50).toBeGreaterThanOrEqual(DELAY * 1000 * 0.95);
    expect(load.sizes).toEqual({ 2: 20 });
  }, 120_000);

  it("counts requests as failed when nobody answers them", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => {
      silent.listen(0, "127.0.0.1", resolve);
    });
    const address = silent.address();
    const silentPort = typeof address === "object" && address !== null ? address.port : 0;
    const load = await generateLoad({
      port: silentPort,
      connections: 2,
      seconds: 1,
      rate: 10,
      requestFile,
    });
    silent.closeAllConnections();
    silent.close();
    expect([load.latency.count, load.failed]).toEqual([0, 10]);
  });
});
