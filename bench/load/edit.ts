/**
 * From writing one policy file to its new version serving on all threads: a daemon that watches a directory of 800 or 40,000
 * policies, with two serving threads. A rule is added and taken out again, and the daemon is asked until every connection has the
 * new answer; connections are spread over the threads by the kernel.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";

import type { BenchOptions } from "../options.ts";
import { median } from "../report/statistics.ts";
import { CHECK_PATH } from "./http-requests.ts";
import { loadtestPolicies, writeSources } from "./loadtest-set.ts";
import { NotMeasured } from "./not-measured.ts";
import { pause, type ServerProcess } from "./processes.ts";
import { startEdictWith, withServers } from "./servers.ts";

export interface EditRow {
  readonly policies: number;
  readonly edits: number;
  /** Milliseconds from writing the file to the new answer on every connection. */
  readonly median: number;
  readonly worst: number;
  readonly startMilliseconds: number;
}

const THREADS = 2;
/** Enough connections that each thread has some. */
const CONNECTIONS = 8;
const POLICY = "resource_employee_record_default_noscope_00000.yaml";
const LIMIT_MILLISECONDS = 90_000;
/** When edits have taken so long together, there are enough of them. */
const ENOUGH_MILLISECONDS = 60_000;
const POLICIES_PER_COPY = 8;

const QUESTION = JSON.stringify({
  requestId: "edit",
  principal: { id: "john", roles: ["bench"] },
  resources: [{ actions: ["bench"], resource: { kind: "employee_record_00000", id: "1" } }],
});

/** Asks on one keep-alive connection; whether the answer is ALLOW. */
async function isAllowed(server: ServerProcess, agent: Agent): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        port: server.port,
        method: "POST",
        path: CHECK_PATH,
        agent,
        headers: { "Content-Type": "application/json" },
        timeout: 10_000,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve(text.includes("EFFECT_ALLOW"));
          else reject(new Error(`the daemon answered ${response.statusCode ?? "nothing"}: ${text}`));
        });
      },
    );
    call.on("error", reject);
    call.on("timeout", () => call.destroy(new Error("no answer")));
    call.end(QUESTION);
  });
}

/** Writes the file and waits until all connections answer `allowed`; returns the milliseconds. */
async function editOnce(
  server: ServerProcess,
  agents: readonly Agent[],
  file: string,
  text: string,
  allowed: boolean,
): Promise<number> {
  const started = performance.now();
  writeFileSync(file, text);
  for (const agent of agents) {
    while ((await isAllowed(server, agent)) !== allowed) {
      if (performance.now() - started > LIMIT_MILLISECONDS)
        throw new NotMeasured("the edit never came to serve");
      await pause(1);
    }
  }
  return performance.now() - started;
}

async function measureSize(copies: number, edits: number): Promise<EditRow> {
  return withServers(async (start, directory) => {
    const policies = join(directory, "policies");
    writeSources(policies, loadtestPolicies(copies));
    const file = join(policies, POLICY);
    const before = readFileSync(file, "utf8");
    const after = `${before.trimEnd()}\n\n    - actions: ["bench"]\n      effect: EFFECT_ALLOW\n      roles: ["bench"]\n`;
    const flags = ["--policies", policies, "--watch", "--threads", String(THREADS)];
    const server = await start(startEdictWith(flags, 240));
    const agents = Array.from({ length: CONNECTIONS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const times: number[] = [];
    try {
      // One more than counted: the first edit warms the compiler up.
      for (let edit = 0; edit <= edits; edit++) {
        await pause(300);
        const isAdded = edit % 2 === 0;
        times.push(await editOnce(server, agents, file, isAdded ? after : before, isAdded));
        if (edit > 0 && times.reduce((sum, time) => sum + time, 0) > ENOUGH_MILLISECONDS) break;
      }
    } finally {
      for (const agent of agents) agent.destroy();
    }
    const counted = times.slice(1);
    return {
      policies: copies * POLICIES_PER_COPY,
      edits: counted.length,
      median: median(counted),
      worst: Math.max(...counted),
      startMilliseconds: server.readyMilliseconds,
    };
  });
}

/** Puts a row per size into `rows` as soon as it is there. */
export async function measureEdits(
  options: BenchOptions,
  say: (text: string) => void,
  rows: EditRow[],
): Promise<void> {
  for (const copies of options.editCopies) {
    say(`  ${copies * POLICIES_PER_COPY} policies: compiling, editing`);
    rows.push(await measureSize(copies, options.quick ? 2 : 5));
  }
}
