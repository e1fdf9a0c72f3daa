/**
 * Who has a state directory when several processes take it over from a dead one at the same time, in any order of their steps, and when
 * some of them die over it. The processes are made up: what `/proc` says of them is said here, and a step is a call into the file system.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type * as FileSystem from "node:fs/promises";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { StateError } from "../../../runtime/errors.ts";
import { lockDirectory } from "../../../runtime/source/state-lock.ts";

/** Numbers that no real process has. */
const FIRST_PID = 900_000_000;

/** What a process that crashed has left behind. */
const DEAD = `${FIRST_PID - 1}.7.00000000`;

/** The made-up processes that live. */
const living = new Set<number>();

/** Waited for before every step of a process. */
const turn = new AsyncLocalStorage<() => Promise<void>>();

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof FileSystem>();
  return {
    ...real,
    readFile: stepwise(readProcess),
    readlink: stepwise(real.readlink),
    rename: stepwise(real.rename),
    rm: stepwise(real.rm),
    symlink: stepwise(real.symlink),
  };
});

function stepwise<A extends unknown[], R>(work: (...given: A) => Promise<R>): (...given: A) => Promise<R> {
  return async (...given) => {
    await turn.getStore()?.();
    return await work(...given);
  };
}

/** What a file in `/proc` says. */
async function readProcess(path: string): Promise<string> {
  const pid = Number(/^\/proc\/(\d+)\/stat$/.exec(path)?.[1]);
  if (Number.isNaN(pid)) return "5eed0000-boot\n";
  if (!living.has(pid)) throw new Error("ENOENT");
  return `${pid} (edict) S ${"0 ".repeat(18)}77 0`;
}

/** A process that takes the lock, one step whenever it is let. */
class Taker {
  readonly pid: number;
  /** What has become of it; it has the lock when it goes on. */
  state: "taking" | "going on" | "refused" | "dead" = "taking";
  #step: () => void = () => undefined;
  #isAtStep: () => void = () => undefined;

  constructor(pid: number, directory: string) {
    this.pid = pid;
    living.add(pid);
    const real = process.pid;
    // It is looked at before anything is waited for.
    Object.defineProperty(process, "pid", { value: pid, configurable: true });
    turn.run(
      () => this.#wait(),
      () => void this.#take(directory),
    );
    Object.defineProperty(process, "pid", { value: real, configurable: true });
  }

  /** Lets it do one step; resolves when it is at the next one, or through. */
  step(): Promise<void> {
    const done = new Promise<void>((resolve) => {
      this.#isAtStep = resolve;
    });
    this.#step();
    return done;
  }

  die(): void {
    this.state = "dead";
    living.delete(this.pid);
  }

  #wait(): Promise<void> {
    this.#isAtStep();
    return new Promise((resolve) => {
      this.#step = resolve;
    });
  }

  async #take(directory: string): Promise<void> {
    try {
      await lockDirectory(directory);
      this.state = "going on";
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      this.state = "refused";
    }
    this.#isAtStep();
  }
}

let directory: string;
let nextPid = FIRST_PID;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "edict-lock-"));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const start = (): Taker => new Taker(nextPid++, directory);

async function finish(taker: Taker): Promise<Taker> {
  while (taker.state === "taking") await taker.step();
  return taker;
}

/** Numbers below a bound, the same ones for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % below;
  };
}

/** Several processes at once; every so many steps one of them dies. */
async function play(roll: (below: number) => number, deaths: number): Promise<readonly Taker[]> {
  await rm(join(directory, "lock"), { force: true });
  await symlink(DEAD, join(directory, "lock"));
  const takers = [start(), start(), start(), start()];
  for (;;) {
    const taking = takers.filter(({ state }) => state === "taking");
    const taker = taking[roll(taking.length)];
    if (taker === undefined) return takers;
    if (deaths > 0 && roll(deaths) === 0) taker.die();
    else await taker.step();
    expect(takers.filter(({ state }) => state === "going on").length).toBeLessThanOrEqual(1);
  }
}

// Both had read the dead process: the second removed the link that the first had made by then, and both went on.
it("has exactly one process, however many take it over from a dead one at once", async () => {
  for (let seed = 0; seed < 300; seed++) {
    const states = (await play(dice(seed), 0)).map(({ state }) => state).sort();
    expect(states, `seed ${seed}`).toEqual(["going on", "refused", "refused", "refused"]);
    expect(await readdir(directory)).toEqual(["lock"]);
  }
});

it("has at most one process when some die while they take it over, and is free for the next one if none is left", async () => {
  let afresh = 0;
  for (let seed = 0; seed < 300; seed++) {
    const takers = await play(dice(seed), 8);
    const isTaken = takers.some(({ state }) => state === "going on");
    const late = await finish(start());
    expect(late.state, `seed ${seed}`).toBe(isTaken ? "refused" : "going on");
    if (!isTaken) afresh++;
  }
  // It did happen.
  expect(afresh).toBeGreaterThan(0);
});

it("goes from one process to the next, each of which finds the one before dead or is refused", async () => {
  const first = await finish(start());
  expect((await finish(start())).state).toBe("refused");
  first.die();
  const second = await finish(start());
  expect([second.state, (await finish(start())).state]).toEqual(["going on", "refused"]);
});

it("can be taken when something that is not a lock is in its place", async () => {
  await writeFile(join(directory, "lock"), DEAD);
  expect((await finish(start())).state).toBe("going on");
  expect((await finish(start())).state).toBe("refused");
});
