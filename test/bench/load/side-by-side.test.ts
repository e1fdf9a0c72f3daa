/** Servers compared under the same load: which bursts are set beside which. */
import { describe, expect, it } from "vitest";

import type { LoadPlan } from "../../../bench/load/load-result.ts";
import { measureSideBySide } from "../../../bench/load/side-by-side.ts";

const server = (name: string, port: number) => ({
  name,
  port,
  // A process that has taken time, so that its processor time is told.
  pid: process.pid,
  readyMilliseconds: 0,
  stop: async () => undefined,
});

const target = (name: string, port: number) => ({
  server: server(name, port),
  encoding: "json" as const,
  requestFile: "requests",
});

/** Keeps the process busy until it has had some processor time, for that to be counted. */
function work(): void {
  const before = process.cpuUsage();
  while (process.cpuUsage(before).user + process.cpuUsage(before).system < 10_000);
}

/** A generator that halves everybody's speed in every second pass over the servers, and remembers whom it has asked. */
function generator(speeds: Readonly<Record<number, number>>, failed = 0) {
  const asked: LoadPlan[] = [];
  return {
    asked,
    name: "scripted",
    run: async (plan: LoadPlan) => {
      const pass = Math.floor(asked.length / Object.keys(speeds).length);
      asked.push(plan);
      work();
      const requests = (speeds[plan.port] ?? 0) / (pass % 2 === 0 ? 1 : 2);
      return { requests, seconds: plan.seconds, failed, p50: 1, p99: 2 };
    },
  };
}

describe("servers side by side", () => {
  it("are visited once in every second, there and back, and compared burst by burst", async () => {
    const scripted = generator({ 1: 1000, 2: 900 });
    const figures = await measureSideBySide([target("echo", 1), target("edict", 2)], {
      generator: scripted,
      connections: 16,
      rounds: 2,
      seconds: 3,
      warmUpSeconds: 2,
    });
    expect(scripted.asked.map(({ port, seconds }) => `${port}: ${seconds} s`)).toEqual(
      ["1: 2 s", "2: 2 s"].concat(
        ["1: 1 s", "2: 1 s", "2: 1 s", "1: 1 s", "1: 1 s", "2: 1 s"],
        ["1: 1 s", "2: 1 s", "2: 1 s", "1: 1 s", "1: 1 s", "2: 1 s"],
      ),
    );
    expect(figures).toMatchObject([
      { server: "echo", encoding: "json", requestsPerSecond: 750, ofEcho: 1 },
      { server: "edict", encoding: "json", requestsPerSecond: 675, ofEcho: 0.9, spread: 1 / 3 },
    ]);
    expect(figures[1]?.processorPerRequest).toBeGreaterThan(0);
  });

  it("are not measured when one of them fails requests", async () => {
    const plan = { connections: 1, rounds: 1, seconds: 1, warmUpSeconds: 1 };
    await expect(
      measureSideBySide([target("echo", 1)], { ...plan, generator: generator({ 1: 10 }, 3) }),
    ).rejects.toThrow("echo failed 3 of 10 requests under load");
  });
});
