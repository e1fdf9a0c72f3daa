/** `/v1/stream` of a running daemon: many requests in flight, versions, limits, slow readers, the end. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pack, unpack, unpackMultiple } from "msgpackr";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { clientAddress } from "../../../runtime/client/address.ts";
import { ClientSocket } from "../../../runtime/client/web-socket.ts";
import {
  albumRequest,
  Daemon,
  IS_BUILT,
  POLICIES,
  replaceFile,
  temporaryDirectory,
  writeFiles,
} from "../support/daemon.ts";

type Frame = readonly [number | null, unknown, unknown?];

/** A connection that keeps what it receives. */
class Stream {
  readonly frames: Frame[] = [];
  closed: string | null = null;
  socket: ClientSocket | null = null;

  static async open(daemon: Daemon): Promise<Stream> {
    const stream = new Stream();
    stream.socket = await ClientSocket.connect(clientAddress(daemon.address), "/v1/stream", 50_000, {
      message: (bytes) => stream.frames.push(...(unpackMultiple(Buffer.from(bytes)) as Frame[])),
      closed: (reason) => {
        stream.closed = reason;
      },
    });
    return stream;
  }

  send(message: Uint8Array): void {
    this.socket?.send(Buffer.from(message));
  }

  answer(id: number): Frame | undefined {
    return this.frames.find((frame) => frame[0] === id);
  }

  async until(condition: () => boolean): Promise<void> {
    for (let wait = 0; wait < 5000 && !condition(); wait++) await sleep(10);
    if (!condition())
      throw new Error(`nothing came of it: ${this.closed ?? "open"}, ${this.frames.length} frames`);
  }
}

interface Response {
  readonly results: readonly { readonly actions: Readonly<Record<string, string>> }[];
}

const requestOf = (id: number): object =>
  albumRequest({ public: id % 3 === 0, flagged: false, owner: "bob" });

const viewOf = (frame: Frame | undefined): string => {
  const body = frame?.[1];
  const response = (Buffer.isBuffer(body) ? unpack(body) : body) as Response | undefined;
  return response?.results[0]?.actions["view"] ?? "";
};

describe.skipIf(!IS_BUILT)("/v1/stream", () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let policies: string;
  let daemon: Daemon;
  let stream: Stream;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    policies = join(directory.path, "policies");
    await writeFiles(policies, POLICIES);
    daemon = await Daemon.start("--policies", policies, "--watch");
    stream = await Stream.open(daemon);
  });

  afterEach(async () => {
    stream.socket?.close();
    await daemon.stop();
    await directory.remove();
  });

  it("answers as HTTP does, after saying which version decides", async () => {
    stream.send(pack([7, albumRequest()]));
    await stream.until(() => stream.frames.length === 2);
    const { bundle } = (await daemon.json("/readyz")) as { bundle: string };
    expect(stream.frames[0]).toEqual([null, { bundle: bundle.slice(0, 12) }]);
    const viaHttp = (await daemon.check(albumRequest())).json() as Record<string, unknown>;
    const viaStream = stream.answer(7)?.[1] as Record<string, unknown>;
    expect(viaStream).toEqual({ ...viaHttp, cerbosCallId: viaStream["cerbosCallId"] });
  });

  it("answers thousands in flight, each its own request, in messages of one frame and of many", async () => {
    const count = 3000;
    for (let id = 0; id < count; id += 10) {
      const ids = Array.from({ length: 10 }, (_, offset) => id + offset);
      if (id % 20 === 0) stream.send(Buffer.concat(ids.map((one) => pack([one, pack(requestOf(one))]))));
      else for (const one of ids) stream.send(pack([one, requestOf(one)]));
    }
    await stream.until(() => stream.frames.length === count + 1);
    for (const frame of stream.frames.slice(1)) {
      expect(viewOf(frame)).toBe(Number(frame[0]) % 3 === 0 ? "EFFECT_ALLOW" : "EFFECT_DENY");
    }
    expect(new Set(stream.frames.map(([id]) => id)).size).toBe(count + 1);
  });

  it("answers as HTTP does when an answer is too long to be one of several", async () => {
    const actions = Array.from({ length: 49 }, (_, index) => `a${index}`);
    const resource = { kind: "album", attr: { public: true, flagged: false, owner: "bob" } };
    const long = {
      principal: { id: "alice", roles: ["user"] },
      includeMeta: true,
      resources: Array.from({ length: 50 }, (_, id) => ({
        actions: ["view", ...actions],
        resource: { ...resource, id: `${id}` },
      })),
    };
    const expected = (await daemon.check(long)).json() as Response;
    expect(JSON.stringify(expected)).toMatch(/EFFECT_ALLOW/);
    const frames = [albumRequest(), long, albumRequest(), long].map((one, id) => pack([id, pack(one)]));
    stream.send(Buffer.concat(frames));
    stream.send(frames[1] ?? Buffer.alloc(0));
    await stream.until(() => stream.frames.length === 6);
    for (const [id, answer, ...note] of stream.frames.slice(1)) {
      expect(note).toEqual([]);
      if (id === 0 || id === 2) continue;
      expect((answer as Buffer).byteLength).toBeGreaterThan(0xffff);
      expect((unpack(answer as Buffer) as Response).results).toEqual(expected.results);
    }
  });

  it("answers a bad request with an error and goes on", async () => {
    stream.send(pack([1, { principal: { id: "a", roles: [] }, resources: [] }]));
    stream.send(Buffer.concat([pack([2, Buffer.from([0xc1])]), pack([3, pack(albumRequest())])]));
    await stream.until(() => stream.answer(3) !== undefined);
    for (const id of [1, 2]) {
      expect(stream.answer(id)).toMatchObject([id, null, { code: 3 }]);
      expect((stream.answer(id)?.[2] as { message: string } | undefined)?.message).not.toBe("");
    }
    expect(viewOf(stream.answer(3))).toBe("EFFECT_ALLOW");
  });

  it("closes on what is no frame, with the answers before it sent", async () => {
    stream.send(Buffer.concat([pack([1, pack(albumRequest())]), Buffer.from([0xc0])]));
    await stream.until(() => stream.closed !== null);
    expect(stream.closed).toMatch(/1007/);
    expect(viewOf(stream.answer(1))).toBe("EFFECT_ALLOW");
  });

  it("closes on a message of too many frames", async () => {
    const frame = pack([1, Buffer.from([0x80])]);
    stream.send(Buffer.concat(Array.from({ length: 1025 }, () => frame)));
    await stream.until(() => stream.closed !== null);
    expect(stream.closed).toMatch(/1008/);
  });

  it("announces a new version before its first answer, and decides every frame by the version announced", async () => {
    let id = 0;
    const edited = (POLICIES["album.yaml"] ?? "").replace("public == true", "public == false");
    // At once: half a file would be one more version.
    await replaceFile(join(policies, "album.yaml"), edited);
    await daemon.until(() => {
      stream.send(pack([++id, albumRequest()]));
      return stream.frames.filter(([one]) => one === null).length === 2;
    });
    await stream.until(() => stream.answer(id) !== undefined);
    let versions = 0;
    for (const frame of stream.frames) {
      if (frame[0] === null) versions++;
      else expect(viewOf(frame)).toBe(versions === 1 ? "EFFECT_ALLOW" : "EFFECT_DENY");
    }
    expect(versions).toBe(2);
  });

  it("stops deciding for a client that does not read, and goes on when it does", async () => {
    stream.socket?.pause();
    const count = 20_000;
    const resources = Array.from({ length: 10 }, (_, index) => ({
      actions: ["view", "delete"],
      resource: { kind: "album", id: `${index}`.padEnd(60, "x"), attr: { public: true } },
    }));
    const body = pack({ principal: { id: "alice", roles: ["user"] }, resources });
    // Answers of about 20 MB, far more than sockets hold; the requests fit what may wait.
    const sent = Math.min(count, Math.floor((6 * 1024 * 1024) / body.byteLength));
    for (let id = 0; id < sent; id++) stream.send(pack([id, body]));
    await sleep(500);
    // Others are served meanwhile.
    expect((await daemon.check(albumRequest())).status).toBe(200);
    stream.socket?.resume();
    await stream.until(() => stream.frames.length === sent + 1);
    expect(new Set(stream.frames.map(([id]) => id)).size).toBe(sent + 1);
    expect(stream.closed).toBeNull();
  });

  it("closes a client that does not read and keeps asking", async () => {
    const filler = "x".repeat(400);
    const resources = Array.from({ length: 20 }, (_, index) => ({
      actions: ["view"],
      resource: { kind: "album", id: `${filler}${index}`, attr: {} },
    }));
    const body = pack({ principal: { id: "alice", roles: ["user"] }, resources });
    // More than sockets hold and may wait together.
    const count = 4000;
    let closed: string | null = null;
    // A daemon that stood still meanwhile has not noticed that nobody reads, and answers all.
    for (const pause of [1000, 4000, 16_000]) {
      const silent = await Stream.open(daemon);
      silent.socket?.pause();
      for (let id = 0; id < count; id++) silent.send(pack([id, body]));
      await sleep(pause);
      silent.socket?.resume();
      await silent.until(() => silent.closed !== null || silent.frames.length === count + 1);
      ({ closed } = silent);
      if (closed !== null) {
        expect(silent.frames.length).toBeLessThan(count);
        break;
      }
      silent.socket?.close();
    }
    expect(closed).not.toBeNull();
    expect((await daemon.check(albumRequest())).status).toBe(200);
  }, 240_000);

  it("says why it closes when the daemon stops", async () => {
    stream.send(pack([1, albumRequest()]));
    await stream.until(() => stream.answer(1) !== undefined);
    expect(await daemon.stop()).toBe(0);
    await stream.until(() => stream.closed !== null);
    expect(stream.closed).toMatch(/1001.*the server stops/);
  });

  it("tells plain HTTP to upgrade", async () => {
    expect((await daemon.request("GET", "/v1/stream")).status).toBe(426);
  });
});
