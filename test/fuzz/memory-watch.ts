/**
 * Memory over a run: the guests' must keep their size, the heap must come back to what it was, and the process must not
 * grow beyond what the guests may touch.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const SAMPLES = 10;
const MIB = 2 ** 20;
/** Growth of the heap after garbage collection, from the first sample on, that counts as none. */
const HEAP_SLACK = 24;

/** Collects garbage at once; Node exposes that only by this detour or a flag. */
export function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("this Node does not expose its garbage collector");
  return () => void collect();
}

interface MemoryLike {
  readonly buffer: ArrayBuffer;
}

/** Must be made before the first engine, whose memories it notices. */
export class MemoryWatch {
  readonly #every: number;
  readonly #collect = garbageCollector();
  readonly #memories: { readonly memory: WeakRef<MemoryLike>; readonly size: number }[] = [];
  readonly samples: {
    readonly done: number;
    readonly heap: number;
    readonly external: number;
    readonly resident: number;
  }[] = [];

  constructor(requests: number) {
    this.#every = Math.max(1, Math.floor(requests / SAMPLES));
    const api = globalThis as unknown as { WebAssembly: { Memory: new (limits: object) => MemoryLike } };
    const memories = this.#memories;
    const { Memory } = api.WebAssembly;
    api.WebAssembly.Memory = class extends Memory {
      constructor(limits: object) {
        super(limits);
        memories.push({ memory: new WeakRef<MemoryLike>(this), size: this.buffer.byteLength });
      }
    };
  }

  /** Takes a sample now and then; `done` counts from 1. */
  note(done: number): void {
    if (done % this.#every !== 0) return;
    this.#collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    const sample = { done, heap: heapUsed / MIB, external: external / MIB, resident: rss / MIB };
    this.samples.push(sample);
    const [heap, resident] = [sample.heap.toFixed(1), sample.resident.toFixed(0)];
    console.log(`${done} requests: heap ${heap} MiB, resident ${resident} MiB`);
  }

  /** What is wrong with the memory; empty when nothing is. */
  problems(): readonly string[] {
    const found: string[] = [];
    const alive = this.#memories.flatMap(({ memory, size }) => {
      const one = memory.deref();
      return one === undefined ? [] : [{ now: one.buffer.byteLength, size }];
    });
    for (const { now, size } of alive)
      if (now !== size) found.push(`a guest's memory has ${now} bytes, not ${size}`);
    const [first] = this.samples;
    const last = this.samples.at(-1);
    if (first === undefined || last === undefined) return found;
    const guests = alive.reduce((sum, { size }) => sum + size / MIB, 0);
    if (last.heap > first.heap + HEAP_SLACK)
      found.push(`the heap grew from ${first.heap} to ${last.heap} MiB`);
    const bound = first.resident + guests + 256;
    if (last.resident > bound) found.push(`the process grew to ${last.resident} MiB, over ${bound}`);
    return found;
  }
}
