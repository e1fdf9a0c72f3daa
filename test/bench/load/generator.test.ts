/** Our own load generator, as a process, against real servers: what it counts and what it calls failed. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { formatRequest, splitRequestFile, writeRequestFile } from "../../../bench/load/http-requests.ts";
import type { LoadResult } from "../../../bench/load/load-result.ts";
import { runToEnd } from "../../../bench/load/processes.ts";

const GENERATOR = fileURLToPath(new URL("../../../bench/load/generator.ts", import.meta.url));

let directory: string;
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "edict-generator-"));
});

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(directory, { recursive: true, force: true });
});

const requests = [Buffer.from("{}"), Buffer.from('{"text":"ü"}')].map((body) => formatRequest(body, "json"));

/** Starts a server that answers every request with `status` and `size` bytes; returns its port and what it got. */
async function answering(status: number, size: number): Promise<{ port: number; bodies: string[] }> {
  const bodies: string[] = [];
  const started = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      bodies.push(`${request.method} ${request.url} ${body}`);
      response.writeHead(status, { "Content-Length": size }).end(Buffer.alloc(size, "x"));
    });
  });
  server = started;
  await new Promise<void>((resolve) => {
    started.listen(0, "127.0.0.1", resolve);
  });
  const address = started.address();
  return { port: typeof address === "object" ? (address?.port ?? 0) : 0, bodies };
}

async function load(port: number): Promise<LoadResult> {
  const file = join(directory, "requests");
  writeRequestFile(file, requests);
  const output = await runToEnd(
    process.execPath,
    ["--import", "tsx", GENERATOR, String(port), "2", "1", file],
    {},
    30,
  );
  return JSON.parse(output);
}

describe("the load generator", () => {
  it("reads back the request file as it was written", () => {
    const file = join(directory, "requests");
    writeRequestFile(file, requests);
    expect(splitRequestFile(readFileSync(file))).toEqual(requests);
  });

  // 200,000 bytes arrive in several chunks, so counting must follow Content-Length.
  it.each([10, 200_000])("counts each answer of %i bytes once and sends the bodies in turn", async (size) => {
    const { port, bodies } = await answering(200, size);
    const { requests: answered, failed } = await load(port);
    expect(failed).toBe(0);
    expect(answered).toBeGreaterThan(10);
    // Two connections may each have one request without an answer at the end.
    expect(bodies.length - answered).toBeGreaterThanOrEqual(0);
    expect(bodies.length - answered).toBeLessThanOrEqual(2);
    expect(new Set(bodies)).toEqual(
      new Set(["POST /api/check/resources {}", 'POST /api/check/resources {"text":"ü"}']),
    );
  });

  it("calls answers other than 2xx failed", async () => {
    const { port } = await answering(400, 5);
    const { requests: answered, failed } = await load(port);
    expect(failed).toBe(answered);
    expect(failed).toBeGreaterThan(0);
  });

  it("calls refused connections failed", async () => {
    const { port } = await answering(200, 0);
    server?.close();
    expect((await load(port)).failed).toBeGreaterThan(0);
  });
});
