/** One connection of the stream without a socket: what it sends, in which order, and when it ends. */
import { pack, unpack, unpackMultiple } from "msgpackr";
import { beforeAll, describe, expect, it } from "vitest";
import { FORMAT_MSGPACK, STATUS_OK } from "../../../assembly/abi.ts";
import { BatchPool, type PoolAnswer } from "../../../runtime/batch/batch-pool.ts";
import type { LargeRequest } from "../../../runtime/batch/division.ts";
import { SharedMemory } from "../../../runtime/batch/shared-memory.ts";
import { plainOptions } from "../../../runtime/guest/options.ts";
import { BodyBudget } from "../../../runtime/http/body.ts";
import type { LoadGate } from "../../../runtime/http/load-gate.ts";
import type { WebSocket } from "../../../runtime/http/uws.ts";
import type { Engine } from "../../../runtime/index.ts";
import { ServingState } from "../../../runtime/observe/serving-state.ts";
import { StreamConnection, type StreamContext } from "../../../runtime/stream/connection.ts";
import { FollowingState } from "../../../runtime/threads/following-state.ts";
import { bundleOf, CORE_IS_BUILT, loadEngine } from "../../support/engines.ts";
import { uniformSources } from "../../support/uniform-policy.ts";

const MIB = 1024 * 1024;

/** Requests of this many bytes are large. */
const LARGE = 16 * 1024;

type Frame = readonly [number | null, unknown, unknown?];

/** A frame that asks about one album, whose id makes the request as long as is wanted. */
const frame = (id: number, size = 10): Uint8Array => {
  const resource = { kind: "album", id: "x".repeat(size), attr: {} };
  const principal = { id: "alice", roles: ["user"] };
  return pack([id, pack({ requestId: "r", principal, resources: [{ actions: ["view"], resource }] })]);
};
const message = (...frames: readonly Uint8Array[]): Uint8Array => Buffer.concat(frames);

/** The other end of a connection, which may be slow to read. */
class Client {
  readonly frames: Frame[] = [];
  /** Bytes that it has not read. */
  unread = 0;
  /** The close code, and the ids that had been answered by then. */
  ended: { readonly code: number; readonly answered: readonly number[] } | null = null;
  readonly connection: StreamConnection;

  constructor(context: StreamContext) {
    const socket: WebSocket = {
      cork: (callback) => callback(),
      send: (bytes) => {
        this.frames.push(...(unpackMultiple(Buffer.from(bytes as Uint8Array)) as Frame[]));
        return 1;
      },
      getBufferedAmount: () => this.unread,
      end: (code) => this.#end(code ?? 0),
      close: () => this.#end(0),
      getUserData: () => null,
    };
    this.connection = new StreamConnection(context, socket);
  }

  /** The ids of the answers, in their order. */
  get answered(): readonly number[] {
    return this.frames.flatMap(([id]) => (id === null ? [] : [id]));
  }

  /** What came, in short: notices and effects, with what stands beside them. */
  get said(): readonly unknown[] {
    return this.frames.map(([id, content, note]) => {
      if (id === null) return (content as { bundle: string }).bundle;
      if (content === null) return (note as { code: number }).code;
      const { results } = unpack(content as Uint8Array) as { results: { actions: { view: string } }[] };
      const effect = results[0]?.actions.view;
      return note === undefined ? effect : [effect, note];
    });
  }

  #end(code: number): void {
    this.ended ??= { code, answered: this.answered };
    this.connection.closed();
  }
}

function contextOf(state: ServingState, batches: BatchPool, budget = 256 * MIB): StreamContext {
  return {
    state,
    bodies: new BodyBudget(budget),
    gate: { admits: () => true, note: () => undefined, turns: 0 } as unknown as LoadGate,
    memory: new SharedMemory(),
    batches,
    connections: new Set(),
    inFlight: 0,
  };
}

/** Workers that decide at once by `engine`; `use` is called when the test says so. */
function stubbedPool(engine: Engine, denial: string | null = null) {
  const waiting: (() => void)[] = [];
  const decide = (
    { bytes }: LargeRequest,
    use: (answer: PoolAnswer) => void = () => undefined,
  ): Promise<PoolAnswer> =>
    new Promise((resolve) => {
      engine.denies = denial !== null;
      expect(engine.decide(bytes, FORMAT_MSGPACK, FORMAT_MSGPACK, 0)).toBe(STATUS_OK);
      engine.denies = false;
      const answer: PoolAnswer = {
        kind: "decided",
        pieces: [engine.output().slice()],
        denied: false,
        figures: { decisions: 1, allowed: 1, conditionErrors: 0 },
        release: () => undefined,
        engine,
        denial,
      };
      waiting.push(() => {
        use(answer);
        resolve(answer);
      });
    });
  const pool = { minBytes: LARGE, full: false, decide } as unknown as BatchPool;
  return { pool, answerAll: () => waiting.splice(0).forEach((answer) => answer()) };
}

/** Workers that are busy with what others have asked. */
function fullPool(state: ServingState): BatchPool {
  const engine = plainOptions(state.engine.options);
  const pool = new BatchPool(state, { workers: 1, minBytes: LARGE, engine, memory: new SharedMemory() });
  Object.defineProperty(pool, "full", { get: () => true });
  return pool;
}

describe.skipIf(!CORE_IS_BUILT)("a connection of the stream", () => {
  let allow: Engine;
  let deny: Engine;
  beforeAll(async () => {
    allow = await loadEngine(await bundleOf(uniformSources("album", "ALLOW")));
    deny = await loadEngine(await bundleOf(uniformSources("album", "DENY")));
  });

  // The notice named the version that another thread had gone on to by then.
  it("names the version that has decided a large request, also when another one serves since", () => {
    const epoch = new Int32Array(new SharedArrayBuffer(4));
    const state = new FollowingState(allow, epoch, new Int32Array(2), 1);
    state.prepare(1, deny);
    const { pool, answerAll } = stubbedPool(allow);
    const client = new Client(contextOf(state, pool));
    client.connection.receive(frame(1, LARGE));
    Atomics.store(epoch, 0, 1);
    answerAll();
    client.connection.receive(frame(2));
    expect(client.said).toEqual([
      allow.bundle.shortDigest,
      "EFFECT_ALLOW",
      deny.bundle.shortDigest,
      "EFFECT_DENY",
    ]);
  });

  it("names the denial by which a large request was decided", () => {
    const state = new ServingState(allow);
    const { pool, answerAll } = stubbedPool(allow, "stale");
    const client = new Client(contextOf(state, pool));
    client.connection.receive(frame(1, LARGE));
    answerAll();
    expect(client.said).toEqual([allow.bundle.shortDigest, ["EFFECT_DENY", { denyReason: "stale" }]]);
  });

  it("refuses a large request in its place when the workers have enough to do, and keeps nothing of it", () => {
    const state = new ServingState(allow);
    const context = contextOf(state, fullPool(state));
    const client = new Client(context);
    client.connection.receive(message(frame(1), frame(2, LARGE), frame(3)));
    expect(client.said).toEqual([allow.bundle.shortDigest, "EFFECT_ALLOW", 14, "EFFECT_ALLOW"]);
    expect([state.shed, context.inFlight, context.bodies.used]).toEqual([1, 0, 0]);
  });

  // The refusal of the first frame ended the connection before the others were decided.
  it("answers all that has waited before it ends", async () => {
    const state = new ServingState(allow);
    const client = new Client(contextOf(state, fullPool(state)));
    client.unread = 2 * MIB;
    client.connection.receive(frame(1));
    client.connection.receive(message(frame(2, LARGE), frame(3), frame(4)));
    client.connection.receive(frame(5));
    client.connection.drain();
    expect([client.answered, client.ended]).toEqual([[1], null]);
    client.unread = 0;
    client.connection.drained();
    await new Promise(setImmediate);
    expect(client.ended).toEqual({ code: 1001, answered: [1, 2, 3, 4, 5] });
  });

  it("gives back all it has taken from the budget when it is closed over a client that does not read", () => {
    const state = new ServingState(allow);
    const { pool, answerAll } = stubbedPool(allow);
    // Room for the large requests and what waits behind them, but not for unread answers.
    const context = contextOf(state, pool, 1.5 * MIB);
    const client = new Client(context);
    client.unread = 2 * MIB;
    const large = Array.from({ length: 8 }, (_, index) => frame(index + 2, LARGE));
    client.connection.receive(message(frame(1), ...large, frame(10)));
    expect(client.ended).toEqual({ code: 0, answered: [1] });
    answerAll();
    expect([context.bodies.used, context.inFlight]).toEqual([0, 0]);
  });
});
