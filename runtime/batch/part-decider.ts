/**
 * Decides parts of large requests, and large requests whole, with an engine per version. It verifies no tokens and finds no
 * excuses: what cannot be decided as a part is said to be indivisible, and is decided whole afterwards.
 */
import {
  FLAG_DENY_ALL,
  STATUS_AUX_DATA,
  STATUS_FUEL,
  STATUS_MEMORY,
  STATUS_OK,
  STATUS_OUTPUT_FULL,
} from "../../assembly/abi.ts";
import { readTokens } from "../aux-data/request-tokens.ts";
import type { Config } from "../config/config.ts";
import { TokenError } from "../errors.ts";
import { Engine, STATUS_TRAP } from "../guest/engine.ts";
import type { CompiledBundle } from "../guest/modules.ts";
import { failureReply } from "../http/replies.ts";
import type { PartResult, PartTask } from "./messages.ts";
import { assemblePart } from "./part.ts";

/** Versions kept: the one that serves, and the one before it while requests by it end. */
const MAX_VERSIONS = 2;

export class PartDecider {
  readonly #options: Config["engine"];
  readonly #engines = new Map<string, Engine>();
  /** What conditions read as `now`: the instant of the request, the same for all of its parts. */
  #now = 0;
  /** Parts are put together here. */
  #room = new Uint8Array(0);

  constructor(options: Config["engine"]) {
    this.#options = options;
  }

  decide(task: PartTask): PartResult {
    if (Atomics.load(task.cancelled, 0) !== 0) return { kind: "cancelled" };
    const engine = this.#engineFor(task);
    if (engine === null) return { kind: "unknown-version" };
    this.#now = task.now;
    engine.denies = task.denies;
    return task.piece === null ? this.#decideWhole(engine, task) : this.#decidePiece(engine, task);
  }

  /** Makes a version ready beside the one that serves, whose digest is `serving`. Throws when it does not start. */
  prepare(compiled: CompiledBundle, serving: string): void {
    const { digest } = compiled.bundle;
    this.#touch(serving);
    if (this.#touch(digest) === undefined) this.#start(digest, compiled);
  }

  /** The engine of the task's version; null when it has not come with a task yet. */
  #engineFor({ version, compiled }: PartTask): Engine | null {
    const known = this.#touch(version);
    return known ?? (compiled === null ? null : this.#start(version, compiled));
  }

  /** The engine of a version, which is the last to be forgotten from now on. */
  #touch(version: string): Engine | undefined {
    const engine = this.#engines.get(version);
    if (engine === undefined) return undefined;
    this.#engines.delete(version);
    this.#engines.set(version, engine);
    return engine;
  }

  #start(version: string, compiled: CompiledBundle): Engine {
    const engine = Engine.start(compiled, { ...this.#options, tokens: null, clock: () => this.#now });
    for (const oldest of this.#engines.keys()) {
      if (this.#engines.size < MAX_VERSIONS) break;
      this.#engines.delete(oldest);
    }
    this.#engines.set(version, engine);
    return engine;
  }

  #decidePiece(engine: Engine, task: PartTask): PartResult {
    const began = performance.now();
    const { piece, input, output, flags, claims, entries } = task;
    if (piece === null) return { kind: "indivisible" };
    const part = assemblePart(task.request, input, piece, (length) => this.#roomFor(length));
    if (part === null) return { kind: "indivisible" };
    const { bytes, firstEntry } = part;
    const status = engine.decidePart(bytes, input, output, flags, claims, entries);
    if (asksForClaims(status, task)) return tokensOf(bytes, input);
    // That the decoder has seen the first entry where the request was cut shows that what was cut is `resources`.
    const isProved = status === STATUS_OK && engine.partFacts().firstResource === firstEntry;
    return isProved ? decided(engine, task, bytes, began) : { kind: "indivisible" };
  }

  /** Fails closed as the HTTP route does. */
  #decideWhole(engine: Engine, task: PartTask): PartResult {
    const began = performance.now();
    const { request, input, output, claims } = task;
    const bytes = this.#roomFor(request.byteLength).subarray(0, request.byteLength);
    bytes.set(request);
    const status = engine.decide(bytes, input, output, 0, claims);
    if (status === STATUS_OK) return decided(engine, task, bytes, began);
    if (asksForClaims(status, task)) return tokensOf(bytes, input);
    const isBudget = status === STATUS_FUEL || status === STATUS_OUTPUT_FULL || status === STATUS_MEMORY;
    if (isBudget && engine.decide(bytes, input, output, FLAG_DENY_ALL, claims) === STATUS_OK) {
      return decided(engine, task, bytes, began, true);
    }
    const error = engine.failure(status, bytes, input);
    const trapped = status === STATUS_TRAP;
    return { kind: "refused", reply: failureReply(error), message: error.message, trapped };
  }

  #roomFor(length: number): Uint8Array {
    if (this.#room.byteLength < length) this.#room = new Uint8Array(length);
    return this.#room;
  }
}

function decided(
  engine: Engine,
  { room }: PartTask,
  bytes: Uint8Array,
  began: number,
  denied = false,
): PartResult {
  const { resources, decisions, fuelUsed, allowed, conditionErrors } = engine.partFacts();
  const response = engine.output();
  const fits = response.byteLength <= room.byteLength;
  if (fits) room.set(response);
  return {
    kind: "decided",
    bytes: fits ? room.subarray(0, response.byteLength) : response.slice(),
    denied,
    resources,
    decisions,
    fuelUsed,
    allowed,
    conditionErrors,
    micros: (performance.now() - began) * 1000,
    size: bytes.byteLength,
  };
}

function asksForClaims(status: number, { claims }: PartTask): boolean {
  return status === STATUS_AUX_DATA && claims.byteLength === 0;
}

function tokensOf(bytes: Uint8Array, input: number): PartResult {
  try {
    return { kind: "tokens", tokens: readTokens(bytes, input) };
  } catch (error) {
    if (error instanceof TokenError) return { kind: "bad-tokens", reason: error.reason };
    throw error;
  }
}
