/** A server that is told to stop: what had arrived by then is answered, though the process stood still meanwhile. */
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../runtime/config/load.ts";
import { startServer } from "../../../runtime/http/server.ts";
import { Engine } from "../../../runtime/index.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { ServingThreads } from "../../../runtime/threads/serving-threads.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, IS_BUILT, POLICIES } from "../support/daemon.ts";

/** Longer than clients get to notice that the server stops. */
const STANDSTILL_MS = 300;

describe.skipIf(!IS_BUILT)("a server that is told to stop", () => {
  it("reads what arrived while its process stood still before it closes connections", async () => {
    const { config } = readConfig(null, "", [], {});
    const threads = new ServingThreads(1);
    const state = new ServingState(
      await Engine.load(await compilePolicies(POLICIES)),
      threads.traps,
      0,
      threads.shed,
    );
    const addresses = [{ kind: "tcp", host: "127.0.0.1", port: 0 } as const];
    const server = await startServer(state, { ...config.server, addresses, threads: 1, joins: false });
    const [address] = server.listening;
    const socket = connect(address?.kind === "tcp" ? address.port : 0, "127.0.0.1");
    let received = "";
    socket.on("data", (bytes) => {
      received += bytes.toString();
    });
    const body = JSON.stringify(albumRequest());
    const asked = `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(asked);
    await once(socket, "data");
    received = "";

    const drained = server.drain(20_000);
    socket.write(asked);
    const end = performance.now() + STANDSTILL_MS;
    while (performance.now() < end);
    await Promise.all([drained, once(socket, "close")]);
    expect(received).toContain("200 OK");
    expect(received).toContain("EFFECT_ALLOW");
  }, 240_000);
});
