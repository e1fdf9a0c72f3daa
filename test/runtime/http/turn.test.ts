/** Requests that arrive together are answered as each would be alone, and clients that do not wait for answers get theirs too. */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { pack } from "msgpackr";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MOST_BODIES, STATUS_AUX_DATA, STATUS_OK } from "../../../assembly/abi.ts";
import type { BodyTable } from "../../../runtime/guest/body-table.ts";
import { Turn, type TurnHandler } from "../../../runtime/http/turn.ts";
import type { HttpResponse } from "../../../runtime/http/uws.ts";
import { compilePolicies } from "../support/bundles.ts";
import { albumRequest, Daemon, IS_BUILT, POLICIES, temporaryDirectory } from "../support/daemon.ts";

/** As many that no counted turn ends right after it began. */
const CONNECTIONS = 24;
/** Rounds after which the daemon gathers. */
const BUSY_ROUNDS = 16;

const JSON_TYPE = "application/json";
const MSGPACK_TYPE = "application/msgpack";

function post(body: string | Uint8Array, type = JSON_TYPE, ...lines: readonly string[]): Buffer {
  return postTo("/api/check/resources", body, type, ...lines);
}

function postTo(
  path: string,
  body: string | Uint8Array,
  type = JSON_TYPE,
  ...lines: readonly string[]
): Buffer {
  const bytes = Buffer.from(body);
  const head = [`POST ${path} HTTP/1.1`, "Host: x", `Content-Type: ${type}`, ...lines];
  return Buffer.concat([
    Buffer.from(`${head.join("\r\n")}\r\nContent-Length: ${bytes.length}\r\n\r\n`),
    bytes,
  ]);
}

const plain = JSON.stringify(albumRequest());
const packed = pack(albumRequest({ public: false, flagged: false, locked: true, owner: "alice" }));
const many = JSON.stringify({
  principal: { id: "alice", roles: ["user"] },
  resources: Array.from({ length: 50 }, (_, id) => ({
    actions: ["view", "delete"],
    resource: {
      kind: "album",
      id: `${id}-${"x".repeat(500)}`,
      attr: { public: id % 2 === 0, owner: "alice" },
    },
  })),
});

/** What differs between two answers to the same request: `cerbosCallId`. */
const CALL_ID = /[0-9A-Z]{26}/;

/** Requests of every kind that the route tells apart. */
const REQUESTS: readonly Buffer[] = [
  post(plain),
  post(packed, MSGPACK_TYPE),
  post(plain, JSON_TYPE, `Accept: ${MSGPACK_TYPE}`),
  post(JSON.stringify({ ...albumRequest(), includeMeta: true })),
  post(plain, JSON_TYPE, "Origin: https://shop.example"),
  post("{"),
  post(plain.slice(0, -1)),
  post(packed.subarray(0, -1), MSGPACK_TYPE),
  post(JSON.stringify({ principal: { id: "alice", roles: [] }, resources: [] })),
  post(JSON.stringify({ ...albumRequest(), auxData: { jwt: { token: "garbage" } } })),
  post(""),
  post(many),
  post(JSON.stringify(albumRequest({ owner: "alice" }))),
];

const STATUSES = [200, 200, 200, 200, 200, 400, 400, 400, 400, 400, 400, 200, 200];

const evaluation = {
  subject: { type: "user", id: "alice" },
  action: { name: "view" },
  resource: { type: "album", id: "1", properties: { public: true, flagged: false } },
};
const ask = (body: unknown, type?: string, ...lines: readonly string[]): Buffer =>
  postTo("/access/v1/evaluation", body instanceof Uint8Array ? body : JSON.stringify(body), type, ...lines);

/** The same as AuthZEN. */
const EVALUATIONS: readonly Buffer[] = [
  ask(evaluation),
  ask(pack(evaluation), MSGPACK_TYPE),
  ask(evaluation, JSON_TYPE, "X-Request-ID: one"),
  ask({ ...evaluation, action: { name: "delete" } }, JSON_TYPE, "X-Request-ID: two"),
  ask(evaluation, JSON_TYPE, "Origin: https://shop.example", "X-Request-ID: three"),
  ask(Buffer.from("{")),
  ask({ ...evaluation, subject: { type: "user" } }, JSON_TYPE, "X-Request-ID: four"),
  ask(evaluation, "text/plain"),
  ask({ ...evaluation, context: { "cerbos.auxData": { jwt: { token: "garbage" } } } }),
];
const EVALUATION_STATUSES = [200, 200, 200, 200, 200, 400, 400, 400, 400];

/** One connection; answers are told apart by their Content-Length. */
class Connection {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #wake = (): void => undefined;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1").setNoDelay(true);
    this.socket.on("error", () => undefined);
    this.socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    this.socket.on("close", () => this.#wake());
  }

  /** Waits for `count` answers, or for the end of the connection; answers that date from different times are equal. */
  async answers(count: number): Promise<string[]> {
    const found: string[] = [];
    for (;;) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      const head = this.#bytes.subarray(0, Math.max(end, 0)).toString("latin1");
      const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0);
      const total = end + 4 + length;
      if (end >= 0 && this.#bytes.length >= total) {
        found.push(
          this.#bytes
            .subarray(0, total)
            .toString("latin1")
            .replace(/^(?:date|uwebsockets): .*\r\n/gim, "")
            .replace(CALL_ID, "id"),
        );
        this.#bytes = this.#bytes.subarray(total);
        if (found.length === count) return found;
        continue;
      }
      if (this.socket.closed) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

describe.skipIf(!IS_BUILT || process.platform !== "linux")("requests of one turn of the event loop", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let file: string;
  let daemon: Daemon;
  let connections: Connection[];

  beforeAll(async () => {
    directory = await temporaryDirectory();
    file = join(directory.path, "policies.edict");
    await writeFile(file, await compilePolicies(POLICIES));
  }, 120_000);
  afterAll(() => directory.remove());

  beforeEach(async () => {
    daemon = await Daemon.start(
      "--bundle",
      file,
      "--set",
      "server.cors.allowedOrigins=[https://shop.example]",
    );
    connections = [];
    await connectAll();
  });
  afterEach(async () => {
    for (const { socket } of connections) socket.destroy();
    expect(await daemon.stop()).toBe(0);
  });

  /** Opens the connections that are not open: on a slow machine the daemon has closed those that were idle for ten seconds. */
  const connectAll = async (): Promise<void> => {
    await new Promise(setImmediate);
    await Promise.all(
      Array.from({ length: CONNECTIONS }, async (_, index) => {
        if (connections[index]?.socket.destroyed === false) return;
        const connection = new Connection(daemon.port);
        connections[index] = connection;
        await once(connection.socket, "connect");
      }),
    );
  };
  /** Lets one request of each connection arrive in the same turn: while the daemon is stopped, the kernel keeps them. */
  const together = async (requests: readonly Buffer[]): Promise<string[]> => {
    await connectAll();
    daemon.process.kill("SIGSTOP");
    await Promise.all(
      requests.map(
        (bytes, index) => new Promise((resolve) => connections[index]?.socket.write(bytes, resolve)),
      ),
    );
    daemon.process.kill("SIGCONT");
    const all = await Promise.all(requests.map(async (_, index) => connections[index]?.answers(1) ?? []));
    return all.map(([answer]) => answer ?? "none");
  };
  const keepBusy = async (requests = REQUESTS): Promise<void> => {
    for (let round = 0; round < BUSY_ROUNDS; round++) {
      await together(Array.from({ length: CONNECTIONS }, () => requests[0] ?? Buffer.alloc(0)));
    }
  };
  const pipeline = async (count: number, requests = REQUESTS): Promise<string[]> => {
    const connection = new Connection(daemon.port);
    connection.socket.write(
      Buffer.concat(Array.from({ length: count }, () => requests[0] ?? Buffer.alloc(0))),
    );
    const answers = await connection.answers(count);
    connection.socket.destroy();
    return answers;
  };
  /** Pipelines until that costs a connection. A turn with few requests gathers none, and on a slow machine the first may be one. */
  const loseConnection = async (count: number, requests = REQUESTS): Promise<void> => {
    for (let attempt = 0; attempt < 20; attempt++) {
      await keepBusy(requests);
      if ((await pipeline(count, requests)).length === 0) return;
    }
    throw new Error("no requests were gathered");
  };
  const isSwitchedOff = (): boolean => daemon.output().err.includes("without waiting for answers");

  it.each([
    ["checks", REQUESTS, STATUSES],
    ["evaluations", EVALUATIONS, EVALUATION_STATUSES],
  ])(
    "are answered as each is alone: %s",
    async (_name, requests, statuses) => {
      const alone: string[] = [];
      for (const request of requests) {
        connections[0]?.socket.write(request);
        alone.push(...((await connections[0]?.answers(1)) ?? []));
      }
      expect(alone.map((answer) => Number(answer.slice(9, 12)))).toEqual(statuses);
      await keepBusy(requests);
      for (let round = 0; round < 6; round++) {
        const order = requests.map((_, index) => (index * 5 + round) % requests.length);
        const answers = await together(order.map((index) => requests[index] ?? Buffer.alloc(0)));
        expect(answers).toEqual(order.map((index) => alone[index]));
      }
      // They were gathered: a connection with two unanswered requests is lost.
      await loseConnection(2, requests);
    },
    240_000,
  );

  it("may follow each other on a connection, at the price of one connection at most", async () => {
    expect((await pipeline(5)).length).toBe(5);
    await keepBusy();
    expect(isSwitchedOff()).toBe(false);
    await loseConnection(5);
    await daemon.until(isSwitchedOff);
    await keepBusy();
    expect((await pipeline(5)).length).toBe(5);
  }, 240_000);

  it("end the connection where they ask for it", async () => {
    await keepBusy();
    const closing = post(plain, JSON_TYPE, "Connection: close");
    const answers = await together([closing, ...REQUESTS.slice(0, 5), closing]);
    expect(answers.every((answer) => answer.startsWith("HTTP/1.1 200"))).toBe(true);
    for (const index of [0, 6]) {
      const socket = connections[index]?.socket;
      if (socket?.closed === false) await once(socket, "close");
    }
    expect(connections[1]?.socket.closed).toBe(false);
  }, 240_000);

  it("are answered before the daemon ends", async () => {
    await keepBusy();
    daemon.process.kill("SIGSTOP");
    for (const { socket } of connections) socket.write(REQUESTS[0] ?? "");
    daemon.terminate();
    daemon.process.kill("SIGCONT");
    const answers = await Promise.all(connections.map((connection) => connection.answers(1)));
    expect(answers.flat().filter((answer) => answer.includes("EFFECT_ALLOW")).length).toBe(CONNECTIONS);
  }, 240_000);
});

/** Runs what is corked; the socket itself is not what is tested with it. */
function openResponse(): HttpResponse {
  const response: Partial<HttpResponse> = {
    cork(callback) {
      callback();
      return openResponse();
    },
  };
  return response as HttpResponse;
}

/** Makes the turn gather `count` requests, and lets it end. */
async function gathered(turn: Turn, count: number): Promise<void> {
  const gather = (): boolean => turn.gather(openResponse(), new ArrayBuffer(1), 0, 0, "") !== null;
  for (let attempt = 0; !gather(); attempt++) {
    expect(attempt).toBeLessThan(10_000);
    if (attempt % 100 === 0) await new Promise(setImmediate);
  }
  for (let more = 1; more < count; more++) gather();
  await new Promise(setImmediate);
}

/** A handler that decides nothing together and nothing alone, changed by `differences`, and what it said to clients. */
function handlerOf(differences: (said: string[]) => Partial<TurnHandler>): {
  readonly handler: TurnHandler;
  readonly said: readonly string[];
} {
  const said: string[] = [];
  const handler: TurnHandler = {
    version: () => 1,
    decideAll: () => null,
    decide: () => null,
    write: (_, bytes) => said.push(new TextDecoder().decode(bytes)),
    answer: () => said.push("alone"),
    settled: () => undefined,
    ...differences(said),
  };
  return { handler, said };
}

/** Writes what the guest writes of a decided body: its answer is the byte at `start` of all answers. */
function decided(table: BodyTable, index: number, status: number, start: number): void {
  const words = new Uint32Array(table.bytes.buffer);
  words.set([status, start, 1], index * (words.length / MOST_BODIES));
}

describe("a turn", () => {
  it("decides again what another version has decided before it could be answered", async () => {
    let version = 1;
    let settled = 0;
    const { handler, said } = handlerOf((answers) => ({
      version: () => version,
      decide: () => new TextEncoder().encode(`version ${version}`),
      write: (_, bytes) => {
        answers.push(new TextDecoder().decode(bytes));
        if (answers.length === 2) version = 2;
      },
      answer: () => answers.push(`version ${version}, alone`),
      settled: () => settled++,
    }));
    await gathered(new Turn(handler), 4);
    expect(said).toEqual(["version 1", "version 1", "version 2, alone", "version 2, alone"]);
    expect(settled).toBe(4);
  });

  it("has answered what was decided together before the memory of those answers is used again", async () => {
    // As in a guest, answers do not begin where its memory does.
    const answers = new Uint8Array(64).subarray(7);
    const { handler, said } = handlerOf((list) => ({
      decideAll: (table, _, count) => {
        for (let index = 0; index < count; index++) {
          // The first and every third behind it has more to say than a decision.
          decided(table, index, index % 3 === 0 ? STATUS_AUX_DATA : STATUS_OK, index);
          answers[index] = 65 + index;
        }
        return answers.subarray(0, count);
      },
      answer: () => {
        answers.fill(33);
        list.push("alone");
      },
    }));
    await gathered(new Turn(handler), MOST_BODIES + 4);
    const first = Array.from({ length: MOST_BODIES }, (_, index) => index).filter((index) => index % 3 !== 0);
    const alone = MOST_BODIES + 4 - first.length - 2;
    expect(said).toEqual([
      ...[...first, 1, 2].map((index) => String.fromCharCode(65 + index)),
      ...Array.from({ length: alone }, () => "alone"),
    ]);
  });

  it("asks anew for answers of a version that is gone, though others of them were written", async () => {
    let version = 1;
    const { handler, said } = handlerOf((answers) => ({
      version: () => version,
      decideAll: (table, _, count) => {
        for (let index = 0; index < count; index++) decided(table, index, STATUS_OK, 0);
        return Uint8Array.of(48 + version);
      },
      write: (_, bytes) => {
        answers.push(new TextDecoder().decode(bytes));
        if (answers.length === 2) version = 2;
      },
      answer: () => answers.push(`${version}, alone`),
    }));
    await gathered(new Turn(handler), 4);
    expect(said).toEqual(["1", "1", "2, alone", "2, alone"]);
  });

  it("writes no answer of the turn before when there is none now", async () => {
    let isTogether = true;
    let alone = 0;
    const { handler, said } = handlerOf(() => ({
      decideAll: (table, _, count) => {
        if (!isTogether) return null;
        for (let index = 0; index < count; index++) decided(table, index, STATUS_OK, 0);
        return Uint8Array.of(65);
      },
      // Every other request has more to say than a decision.
      decide: () => (alone++ % 2 === 0 ? null : Uint8Array.of(66)),
    }));
    const turn = new Turn(handler);
    await gathered(turn, 4);
    isTogether = false;
    await gathered(turn, 4);
    expect(said).toEqual(["A", "A", "A", "A", "B", "B", "alone", "alone"]);
  });
});
