/** Clients of `/v1/stream` that break its rules: each costs itself its connection at most, and nobody else anything. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { pack, unpack, unpackMultiple } from "msgpackr";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  albumRequest,
  Daemon,
  IS_BUILT,
  POLICIES,
  temporaryDirectory,
  writeFiles,
} from "../support/daemon.ts";

const MIB = 1024 * 1024;

type Answer = readonly [number | null, unknown, unknown?];

/** A WebSocket by hand, which sends whatever it is told to. */
class RawStream {
  readonly socket: Socket;
  readonly answers: Answer[] = [];
  /** The code of the close frame that came, 0 when the connection ended without one. */
  code: number | null = null;
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.code ??= 0;
    });
  }

  static async open(daemon: Daemon): Promise<RawStream> {
    const socket = connect(daemon.port, "127.0.0.1");
    socket.write(
      "GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
    );
    const [head] = (await once(socket, "data")) as [Buffer];
    const end = head.indexOf("\r\n\r\n");
    expect(head.toString("latin1", 0, 12)).toBe("HTTP/1.1 101");
    const stream = new RawStream(socket);
    socket.on("data", (chunk: Buffer) => stream.#take(chunk));
    stream.#take(head.subarray(end + 4));
    return stream;
  }

  /** A frame of the WebSocket protocol, masked with zeros. `length` may lie. */
  frame(opcode: number, payload: Uint8Array, { isLast = true, length = payload.byteLength } = {}): void {
    const head = Buffer.alloc(14);
    head[0] = (isLast ? 0x80 : 0) | opcode;
    head[1] = 0x80 | 127;
    head.writeBigUInt64BE(BigInt(length), 2);
    this.socket.write(Buffer.concat([head, payload]));
  }

  /** Sends one binary message. */
  send(...frames: readonly Uint8Array[]): void {
    this.frame(2, Buffer.concat(frames));
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.byteLength >= 2) {
      const small = (this.#bytes[1] ?? 0) & 0x7f;
      const start = small === 126 ? 4 : small === 127 ? 10 : 2;
      if (this.#bytes.byteLength < start) return;
      const length =
        small === 126
          ? this.#bytes.readUInt16BE(2)
          : small === 127
            ? Number(this.#bytes.readBigUInt64BE(2))
            : small;
      if (this.#bytes.byteLength < start + length) return;
      const payload = this.#bytes.subarray(start, start + length);
      const opcode = (this.#bytes[0] ?? 0) & 0x0f;
      this.#bytes = this.#bytes.subarray(start + length);
      if (opcode === 2) this.answers.push(...(unpackMultiple(payload) as Answer[]));
      if (opcode === 8) this.code = payload.byteLength >= 2 ? payload.readUInt16BE(0) : 1005;
    }
  }

  of(id: number): Answer[] {
    return this.answers.filter(([one]) => one === id);
  }

  async until(condition: () => boolean): Promise<void> {
    for (let wait = 0; wait < 5000 && !condition(); wait++) await sleep(10);
    if (!condition())
      throw new Error(`nothing came of it: closed ${this.code}, ${this.answers.length} answers`);
  }

  async closed(): Promise<number> {
    await this.until(() => this.code !== null);
    return this.code ?? 0;
  }
}

const BODY = pack(albumRequest());

const viewOf = (answer: Answer | undefined): string => {
  const body = answer?.[1];
  const response = (body instanceof Uint8Array ? unpack(body) : body) as {
    results?: { actions: Record<string, string> }[];
  } | null;
  return response?.results?.[0]?.actions["view"] ?? "";
};

describe.skipIf(!IS_BUILT)("a hostile client of the stream", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let daemon: Daemon;
  const streams: RawStream[] = [];

  const open = async (): Promise<RawStream> => {
    const stream = await RawStream.open(daemon);
    streams.push(stream);
    return stream;
  };

  beforeAll(async () => {
    directory = await temporaryDirectory();
    await writeFiles(directory.path, POLICIES);
    daemon = await Daemon.start("--policies", directory.path);
  });

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.socket.destroy();
    // Whatever was done, the daemon is well, and others are served.
    expect(await daemon.json("/healthz")).toMatchObject({ status: "SERVING", traps: 0 });
    const stream = await RawStream.open(daemon);
    stream.send(pack([1, BODY]));
    await stream.until(() => stream.of(1).length === 1);
    expect(viewOf(stream.of(1)[0])).toBe("EFFECT_ALLOW");
    stream.socket.destroy();
  });

  afterAll(async () => {
    expect(await daemon.stop()).toBe(0);
    await directory.remove();
  });

  it("is closed over a text message", async () => {
    const stream = await open();
    stream.frame(1, Buffer.from("[1, {}]"));
    expect(await stream.closed()).toBe(1003);
  });

  it("is closed over a message larger than a request may be, before it has come", async () => {
    const stream = await open();
    stream.frame(2, Buffer.alloc(100), { length: 4 * MIB + 1025 });
    await stream.closed();
    const other = await open();
    other.frame(2, Buffer.alloc(100), { length: Number.MAX_SAFE_INTEGER });
    await other.closed();
    // In pieces, none of which is too large.
    const pieces = await open();
    for (let count = 0; count < 6; count++)
      pieces.frame(count === 0 ? 2 : 0, Buffer.alloc(MIB), { isLast: false });
    await pieces.closed();
  });

  it("gets an answer to a message in pieces, with pings between them", async () => {
    const stream = await open();
    const message = pack([5, BODY]);
    stream.frame(2, message.subarray(0, 10), { isLast: false });
    stream.socket.write(Buffer.from([0x89, 0x81, 0, 0, 0, 0, 0x21]));
    stream.frame(0, message.subarray(10, 20), { isLast: false });
    stream.frame(0, message.subarray(20));
    await stream.until(() => stream.of(5).length === 1);
    expect(viewOf(stream.of(5)[0])).toBe("EFFECT_ALLOW");
  });

  it("is closed over broken WebSocket frames", async () => {
    for (const first of [0x83, 0xc2, 0x8f, 0x80]) {
      const stream = await open();
      stream.socket.write(Buffer.from([first, 0x80, 0, 0, 0, 0]));
      await stream.closed();
    }
    const unmasked = await open();
    unmasked.socket.write(Buffer.from([0x82, 0x02, 0x92, 0x01]));
    await Promise.race([unmasked.closed(), sleep(300)]);
    unmasked.socket.destroy();
  });

  it("gets one answer for every frame when it uses an id again and again", async () => {
    const stream = await open();
    const denied = pack(albumRequest({ public: false, flagged: false, owner: "bob" }));
    const frames = Array.from({ length: 100 }, (_, index) => pack([7, index % 2 === 0 ? BODY : denied]));
    stream.send(...frames);
    await stream.until(() => stream.of(7).length === 100);
    expect(
      stream
        .of(7)
        .map(viewOf)
        .filter((effect) => effect === "EFFECT_ALLOW"),
    ).toHaveLength(50);
  });

  it("gets ids back as they were, whatever their width", async () => {
    const stream = await open();
    const ids = [
      [0x00],
      [0x7f],
      [0xcc, 0x05],
      [0xcd, 0x00, 0x05],
      [0xce, 0xff, 0xff, 0xff, 0xff],
      [0xcf, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    const message = Buffer.concat(ids.map((id) => Buffer.concat([Buffer.from([0x92, ...id]), pack(BODY)])));
    stream.send(message);
    await stream.until(() => stream.answers.length === ids.length + 1);
    expect(stream.answers.slice(1).map(([id]) => Number(id))).toEqual([
      0,
      127,
      5,
      5,
      0xffffffff,
      Number.MAX_SAFE_INTEGER,
    ]);
  });

  it("is told what is wrong with malformed requests, and goes on", async () => {
    const stream = await open();
    const bodies = [
      Buffer.alloc(0),
      Buffer.from([0xc1]),
      Buffer.from([0xdf, 0xff, 0xff, 0xff, 0xff]),
      pack("text"),
      pack({ principal: null }),
      BODY.subarray(0, BODY.byteLength - 1),
      Buffer.concat([BODY, BODY]),
      Buffer.alloc(1000, 0x91),
    ];
    stream.send(...bodies.map((body, id) => pack([id, body])));
    stream.send(pack([99, BODY]));
    await stream.until(() => stream.of(99).length === 1);
    for (const id of bodies.keys()) {
      expect(stream.of(id)).toEqual([
        [id, null, { code: 3, message: expect.any(String), details: expect.any(Array) }],
      ]);
    }
    expect(viewOf(stream.of(99)[0])).toBe("EFFECT_ALLOW");
  });

  it("never gets an allow for bytes that are mutated, and never takes the daemon down", async () => {
    const denied = pack([1, pack(albumRequest({ public: false, flagged: false, owner: "bob" }))]);
    const mutation = fc.record({
      at: fc.nat(denied.byteLength - 1),
      byte: fc.integer({ min: 0, max: 255 }),
      cut: fc.nat(denied.byteLength),
    });
    for (const { at, byte, cut } of fc.sample(mutation, 150)) {
      const bytes = Buffer.from(denied);
      bytes[at] = byte;
      const stream = await open();
      stream.send(cut % 3 === 0 ? bytes.subarray(0, cut) : bytes);
      stream.send(pack([2, BODY]));
      await stream.until(() => stream.code !== null || stream.of(2).length > 0);
      for (const answer of stream.answers) {
        // Another resource, owner or action may be allowed only where the mutation made it so.
        if (viewOf(answer) === "EFFECT_ALLOW" && answer[0] !== 2) {
          const [, request] = unpack(bytes) as readonly [number, Uint8Array];
          expect(JSON.stringify(unpack(request))).toMatch(/"public":true|"owner":"alice"/);
        }
      }
      stream.socket.destroy();
    }
  });

  it("has everything it has sent answered before the daemon stops", async () => {
    const other = await Daemon.start("--policies", directory.path);
    const stream = await RawStream.open(other);
    const count = 2000;
    for (let id = 0; id < count; id += 500) {
      stream.send(...Array.from({ length: 500 }, (_, index) => pack([id + index, BODY])));
    }
    await stream.until(() => stream.answers.length > 0);
    other.terminate();
    expect(await stream.closed()).toBe(1001);
    // Answers come in whole messages, in the order of the requests, and none is lost behind another.
    const ids = stream.answers.filter(([id]) => id !== null).map(([id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: ids.length }, (_, index) => index));
    expect(ids.length % 500).toBe(0);
    expect(await other.stop()).toBe(0);
  });

  it.skipIf(process.platform !== "linux")(
    "that never reads is paused, then closed, in bounded memory",
    async () => {
      const before = await daemon.memory();
      const attackers = await Promise.all(Array.from({ length: 4 }, open));
      const message = Buffer.concat(Array.from({ length: 100 }, (_, id) => pack([id, BODY])));
      let most = 0;
      let isDone = false;
      for (const { socket } of attackers) socket.pause();
      while (!isDone) {
        for (const stream of attackers) {
          if (stream.code === null && stream.socket.writableLength < MIB) stream.send(message);
        }
        most = Math.max(most, await daemon.memory());
        isDone = attackers.every(({ code }) => code !== null);
      }
      expect(most - before).toBeLessThan(200 * MIB);
    },
    240_000,
  );
});
