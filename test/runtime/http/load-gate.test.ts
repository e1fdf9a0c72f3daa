/** When a load gate sheds, and that it never sheds most of the time; with a clock of its own and turns that the test makes. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LoadGate, type MemoryWatch } from "../../../runtime/http/load-gate.ts";
import { unsent } from "../../../runtime/http/unsent.ts";

const MIB = 1024 * 1024;

/** A gate in a thread whose requests take `cost` milliseconds when decided and a hundredth of that when shed. */
class Thread {
  now = 1000;
  /** Time in which the machine did not let the thread run. */
  stalled = 0;
  memory = 100 * MIB;
  decided = 0;
  shed = 0;
  readonly gate: LoadGate;

  constructor(maxDelayMs: number) {
    const clock = { now: () => this.now, used: () => this.now - this.stalled, memory: () => this.memory };
    this.gate = new LoadGate({ maxDelayMs, maxBufferedBytes: 10 * MIB }, clock);
  }

  /** One turn of the event loop: timers that are due, then requests, before each of which the machine stalls for `stall` milliseconds. */
  turn(requests: number, cost: number, stall = 0): { readonly decided: number; readonly shed: number } {
    const before = { decided: this.decided, shed: this.shed };
    // A timer that is long overdue runs once.
    if (this.now - this.#ticked >= 50) {
      vi.advanceTimersToNextTimer();
      this.#ticked = this.now;
    }
    for (let index = 0; index < requests; index++) {
      this.now += stall;
      this.stalled += stall;
      const isAdmitted = this.gate.admits();
      this.now += isAdmitted ? cost : cost / 100;
      if (isAdmitted) this.decided++;
      else this.shed++;
    }
    return { decided: this.decided - before.decided, shed: this.shed - before.shed };
  }

  #ticked = this.now;
}

describe("a load gate", () => {
  let thread: Thread;

  beforeEach(() => {
    vi.useFakeTimers();
    thread = new Thread(100);
  });

  afterEach(() => {
    thread.gate.close();
    unsent.isScarce = false;
    vi.useRealTimers();
  });

  it("sheds nothing while turns are short", () => {
    for (let turn = 0; turn < 100; turn++) thread.turn(500, 0.1);
    expect(thread.shed).toBe(0);
  });

  it("sheds nothing because of one long turn, whatever caused it", () => {
    thread.turn(10, 1);
    thread.now += 60;
    expect(thread.turn(5000, 0.1).shed).toBe(0);
    for (let turn = 0; turn < 10; turn++) expect(thread.turn(100, 0.1).shed).toBe(0);
  });

  it("sheds what a second long turn would be late for, and stops when turns are short again", () => {
    thread.turn(1000, 1);
    const second = thread.turn(1000, 1);
    expect(second.decided).toBeGreaterThan(140);
    expect(second.decided).toBeLessThan(250);
    expect(second.shed).toBe(1000 - second.decided);
    thread.turn(50, 1);
    for (let turn = 0; turn < 10; turn++) expect(thread.turn(50, 1).shed).toBe(0);
  });

  it("sheds nothing because the machine lets the thread run only now and then", () => {
    for (let turn = 0; turn < 10; turn++) expect(thread.turn(40, 0.1, 20).shed).toBe(0);
    // What the requests themselves take counts as ever, on a machine that is shared.
    thread.turn(1000, 1, 1);
    expect(thread.turn(1000, 1, 1).shed).toBeGreaterThan(0);
  });

  it("looks at every request when they are slow", () => {
    thread.turn(20, 50);
    const second = thread.turn(100, 50);
    expect(second.decided).toBeLessThanOrEqual(8);
  });

  it("spends at least three quarters of the time deciding, however much arrives", () => {
    thread.turn(1000, 1);
    const before = thread.now;
    const { decided, shed } = thread.turn(100_000, 1);
    expect(shed).toBeGreaterThan(decided);
    expect(decided / (thread.now - before)).toBeGreaterThan(0.75);
  });

  it("never sheds when told so", () => {
    thread = new Thread(0);
    for (let turn = 0; turn < 5; turn++) expect(thread.turn(1000, 10).shed).toBe(0);
  });

  it("lets the thread sleep when nothing arrives, and watches again with the next request", () => {
    thread.turn(1, 1);
    thread.now += 50;
    thread.turn(0, 0);
    thread.now += 50;
    thread.turn(0, 0);
    expect(vi.getTimerCount()).toBe(0);
    thread.turn(1, 1);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("says when memory is scarce, and asks for relief while it is very scarce", () => {
    let relieved = 0;
    const watch: MemoryWatch = { isNeeded: () => true, relieve: () => void relieved++ };
    thread.gate.watch(watch);
    const tick = (memory: number): void => {
      thread.memory = memory * MIB;
      thread.now += 600;
      thread.turn(1, 0);
    };
    tick(105);
    expect(unsent.isScarce).toBe(false);
    tick(120);
    expect(unsent.isScarce).toBe(true);
    expect(relieved).toBe(0);
    tick(200);
    tick(200);
    tick(200);
    expect(relieved).toBe(2);
    tick(105);
    expect(unsent.isScarce).toBe(false);
    // Another version of the policies needs more.
    tick(109);
    thread.gate.rebase();
    tick(115);
    expect(unsent.isScarce).toBe(false);
  });
});

it("goes on when the system does not say how much memory there is, as when all file descriptors are taken", () => {
  vi.useFakeTimers();
  const read = vi.spyOn(process.memoryUsage, "rss").mockImplementation(() => {
    throw new Error("EMFILE: too many open files, uv_resident_set_memory");
  });
  try {
    const gate = new LoadGate({ maxDelayMs: 100, maxBufferedBytes: 16 * MIB });
    gate.rebase();
    expect(gate.admits()).toBe(true);
    expect(read).toHaveBeenCalledTimes(2);
    // And does not take all that the process has for what requests have made it need.
    read.mockRestore();
    vi.advanceTimersToNextTimer();
    expect(unsent.isScarce).toBe(false);
    gate.close();
  } finally {
    vi.useRealTimers();
    read.mockRestore();
  }
});
