/**
 * One large request, decided by one version: in parts where it can be cut, whole where the parts do not come out. It runs tasks
 * and joins what they answer; which workers run them is batch-pool.ts's business.
 */
import {
  FLAG_CONTINUES,
  FLAG_UNFINISHED,
  FORMAT_JSON,
  FORMAT_MSGPACK,
  FUEL_BASE,
  FUEL_PER_DECISION,
} from "../../assembly/abi.ts";
import type { RequestToken } from "../aux-data/request-tokens.ts";
import { TokenError } from "../errors.ts";
import type { Engine } from "../guest/engine.ts";
import type { DecisionFigures } from "../guest/observer.ts";
import { oneLine } from "../guest/modules.ts";
import { pairLimit } from "../guest/options.ts";
import { type Reply, WORKER_LOST } from "../http/replies.ts";
import { cutRequest } from "./cut.ts";
import type { PartResult, PartTask } from "./messages.ts";
import type { Piece } from "./part.ts";
import { Rooms } from "./rooms.ts";
import type { SharedMemory } from "./shared-memory.ts";
import type { Cut } from "./slices.ts";

/** A large request. */
export interface LargeRequest {
  /** In shared memory, which must stay as it is until the answer is there. */
  readonly bytes: Uint8Array;
  /** FORMAT_*. */
  readonly input: number;
  readonly output: number;
  /** Shared. Whoever waits for the answer no longer sets [0] to 1. */
  readonly cancelled: Int32Array;
}

export type LargeAnswer =
  | {
      readonly kind: "decided";
      /** The response, in pieces. */
      readonly pieces: readonly Uint8Array[];
      /** Every action is denied because the evaluation budget was used up. */
      readonly denied: boolean;
      /** For counting, over all pieces. */
      readonly figures: DecisionFigures;
      /** Must be called when the pieces are no longer needed: their memory is used again. */
      readonly release: () => void;
    }
  | { readonly kind: "refused"; readonly reply: Reply };

/** What deciding needs of its surroundings. */
export interface Surroundings {
  readonly memory: SharedMemory;
  run(task: PartTask): Promise<PartResult>;
  /** Something failed that is nobody's fault but ours. */
  failed(message: string): void;
  trapped(): void;
}

type Decided = PartResult & { readonly kind: "decided" };

const NOTHING = new Uint8Array(0);

/** Decides `request` by `engine`'s version in at most `parts` parts. Rejects with `TokenError` or `TokenOverloadError`, and with nothing else. */
export async function decideLarge(
  request: LargeRequest,
  engine: Engine,
  parts: number,
  around: Surroundings,
): Promise<LargeAnswer> {
  const rooms = new Rooms(around.memory);
  let answer: LargeAnswer | null = null;
  try {
    answer = await new Division(request, engine, rooms, around).decide(parts);
    return answer;
  } finally {
    if (answer?.kind !== "decided") rooms.release();
  }
}

/** One request on its way. */
class Division {
  readonly #request: LargeRequest;
  readonly #engine: Engine;
  readonly #rooms: Rooms;
  readonly #around: Surroundings;

  constructor(request: LargeRequest, engine: Engine, rooms: Rooms, around: Surroundings) {
    this.#request = request;
    this.#engine = engine;
    this.#rooms = rooms;
    this.#around = around;
  }

  async decide(parts: number): Promise<LargeAnswer> {
    const request = this.#request;
    const engine = this.#engine;
    const whole = wholeTask(request, engine, engine.options.clock());
    const cut =
      parts > 1 && isDivisible(request, engine) ? cutRequest(request.bytes, request.input, parts) : null;
    const tasks = cut === null ? [whole] : partTasks(whole, cut);
    let claims: Uint8Array = NOTHING;
    let results = await this.#run(tasks, claims);
    const asking = results.find((result) => result?.kind === "tokens" || result?.kind === "bad-tokens");
    if (asking !== undefined && asking !== null) {
      claims = await claimsFor(asking, engine);
      results = await this.#run(tasks, claims);
    }
    if (results.includes(null)) return { kind: "refused", reply: WORKER_LOST };
    const joined = cut === null ? null : join(results, cut, engine);
    if (joined !== null) return this.#decided(joined);
    if (Atomics.load(request.cancelled, 0) !== 0) return { kind: "refused", reply: WORKER_LOST };
    const [single] = cut === null ? results : await this.#run([whole], claims);
    return this.#conclude(single ?? null);
  }

  #decided(parts: readonly Decided[]): LargeAnswer {
    return {
      kind: "decided",
      pieces: parts.map((part) => part.bytes),
      denied: parts.some((part) => part.denied),
      figures: {
        decisions: sumOf(parts, (part) => part.decisions),
        allowed: sumOf(parts, (part) => part.allowed),
        conditionErrors: sumOf(parts, (part) => part.conditionErrors),
      },
      release: () => this.#rooms.release(),
    };
  }

  /** The answer that a worker gave to the whole request. */
  #conclude(result: PartResult | null): LargeAnswer {
    if (result?.kind === "decided") return this.#decided([result]);
    if (result?.kind !== "refused") return { kind: "refused", reply: WORKER_LOST };
    if (result.trapped) this.#around.trapped();
    if (result.reply.status.startsWith("5")) this.#around.failed(`a check failed: ${result.message}`);
    return { kind: "refused", reply: result.reply };
  }

  /** Runs tasks at the same time and waits for all of them; null for one whose worker was lost. */
  #run(tasks: readonly PartTask[], claims: Uint8Array): Promise<readonly (PartResult | null)[]> {
    return Promise.all(
      tasks.map(async (task) => {
        try {
          const { piece, request } = task;
          const room = this.#rooms.take(piece === null ? request.byteLength : piece.to - piece.from);
          return await this.#around.run({ ...task, claims, room });
        } catch (error) {
          this.#rooms.abandon();
          this.#around.failed(`a batch worker was lost: ${oneLine(error)}`);
          return null;
        }
      }),
    );
  }
}

/** The parts of the response in order; null when one is missing, or when they break a limit of the whole together. */
function join(results: readonly (PartResult | null)[], cut: Cut, engine: Engine): readonly Decided[] | null {
  const parts = results.filter((result): result is Decided => result?.kind === "decided");
  if (parts.length !== results.length) return null;
  const resources = sumOf(parts, (part) => part.resources);
  const decisions = sumOf(parts, (part) => part.decisions);
  const { options } = engine;
  const fits =
    resources <= options.maxResourcesPerRequest &&
    decisions <= pairLimit(options) &&
    sumOf(parts, (part) => part.fuelUsed) <= FUEL_BASE + FUEL_PER_DECISION * decisions &&
    (cut.entries === 0 || cut.entries === resources);
  return fits ? parts : null;
}

function sumOf(parts: readonly Decided[], of: (part: Decided) => number): number {
  return parts.reduce((total, part) => total + of(part), 0);
}

async function claimsFor(
  asking: PartResult & { readonly kind: "tokens" | "bad-tokens" },
  engine: Engine,
): Promise<Uint8Array> {
  if (asking.kind === "bad-tokens") throw new TokenError(asking.reason);
  const verifier = engine.options.tokens;
  if (verifier === null) throw new TokenError("no key set is configured");
  const tokens: readonly RequestToken[] = asking.tokens;
  return verifier.remembered(tokens) ?? (await verifier.verify(tokens));
}

/**
 * Whether parts of the request can come to what the whole comes to. A msgpack response begins with the number of its entries, which a
 * JSON request does not say; and validating attributes has budgets for the whole request that parts would not share.
 */
function isDivisible({ input, output }: LargeRequest, engine: Engine): boolean {
  return !engine.enforcesSchemas && !(input === FORMAT_JSON && output === FORMAT_MSGPACK);
}

/** The task that decides all of a request. */
export function wholeTask(request: LargeRequest, engine: Engine, now: number): PartTask {
  return {
    version: engine.bundle.digest,
    compiled: null,
    cancelled: request.cancelled,
    request: request.bytes,
    piece: null,
    denies: engine.denies,
    input: request.input,
    output: request.output,
    flags: 0,
    entries: 0,
    now,
    room: NOTHING,
    claims: NOTHING,
  };
}

function partTasks(whole: PartTask, cut: Cut): readonly PartTask[] {
  const last = cut.slices.length - 1;
  return cut.slices.map(({ from, to }, index) => {
    const piece: Piece = { headEnd: cut.headEnd, from, to, tailStart: cut.tailStart };
    const flags = (index > 0 ? FLAG_CONTINUES : 0) | (index < last ? FLAG_UNFINISHED : 0);
    return { ...whole, piece, flags, entries: cut.entries };
  });
}
