/**
 * Fuzzes a daemon over `/v1/stream`. Most messages are proper frames with mutated requests, many in flight, split over
 * WebSocket frames and TCP segments at will; the others break the protocol, which must end the connection and nothing else.
 */
import { randomBytes } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { pack, unpackMultiple } from "msgpackr";
import { Random } from "../differential/random.ts";
import { type Body, BodySource } from "./bodies.ts";
import { AnswerCheck, mayAllow } from "./check-answer.ts";
import { type DaemonUnderTest, MAX_BODY } from "./daemon-under-test.ts";
import type { Findings } from "./findings.ts";
import type { TransportCounts, TransportOptions } from "./http-run.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { oddValue } from "./odd-values.ts";
import { isErrorObject, limitsOf, sentBetween } from "./transport-checks.ts";
import { RawConnection } from "./raw-connection.ts";
import { writeMsgpack } from "./write-msgpack.ts";

const CONNECTIONS = 16;
/** A worker that has just been started, on a busy machine, may take long; the daemon gives up after half of this. */
const ANSWER_MS = 60_000;
const BAD_ANSWER_MS = 30;
const LOOK_EVERY = 500;
/** Share of the connections that break the protocol; the others carry many requests each. */
const BAD = 0.4;

const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

interface Sent {
  readonly body: Body;
  readonly isBin: boolean;
  readonly at: number;
}

/** Runs; findings are added to `findings`. */
export async function fuzzStream(
  target: DaemonUnderTest,
  options: TransportOptions,
  findings: Findings,
): Promise<TransportCounts> {
  const run = new StreamRun(target, options, findings);
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => run.work(index)));
  await target.look(findings);
  return run.counts();
}

/** A WebSocket frame as a client sends it; `flags` are the high bits of its first byte. */
function frame(opcode: number, payload: Uint8Array, random: Random, flags = 0x80, masked = true): Buffer {
  const { length } = payload;
  const width = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + width + (masked ? 4 : 0));
  head[0] = flags | opcode;
  head[1] = (masked ? 0x80 : 0) | (width === 0 ? length : width === 2 ? 126 : 127);
  if (width === 2) head.writeUInt16BE(length, 2);
  if (width === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const mask = Buffer.from([random.below(256), random.below(256), random.below(256), random.below(256)]);
  mask.copy(head, 2 + width);
  const body = Buffer.from(payload);
  for (let index = 0; index < length; index += 1) body[index] = (body[index] ?? 0) ^ (mask[index & 3] ?? 0);
  return Buffer.concat([head, body]);
}

/** The id in one of the forms that unsigned integers have. */
function packedId(id: number, random: Random): Buffer {
  const width = id < 128 && random.chance(0.5) ? 0 : random.pick([4, 8], 4);
  if (width === 0) return Buffer.of(id);
  const bytes = Buffer.alloc(1 + width);
  bytes[0] = width === 4 ? 0xce : 0xcf;
  if (width === 4) bytes.writeUInt32BE(id, 1);
  else bytes.writeBigUInt64BE(BigInt(id), 1);
  return bytes;
}

function bin(bytes: Buffer, random: Random): Buffer {
  const width = random.chance(0.2) ? 4 : bytes.length < 256 ? 1 : bytes.length < 65_536 ? 2 : 4;
  const head = Buffer.alloc(1 + width);
  head[0] = 0xc4 + Math.log2(width);
  head.writeUIntBE(bytes.length, 1, width);
  return Buffer.concat([head, bytes]);
}

class StreamRun {
  readonly #target: DaemonUnderTest;
  readonly #options: TransportOptions;
  readonly #findings: Findings;
  readonly #check: AnswerCheck;
  readonly #statuses = new Map<number, number>();
  #done = 0;
  #answered = 0;
  #improper = 0;
  #looked = 0;

  constructor(target: DaemonUnderTest, options: TransportOptions, findings: Findings) {
    this.#target = target;
    this.#options = options;
    this.#findings = findings;
    this.#check = new AnswerCheck(findings, limitsOf(target.world));
  }

  async work(index: number): Promise<void> {
    const random = new Random(this.#options.seed * 37 + index);
    const source = new BodySource([this.#target.world], this.#options.seed * 37 + index, ["msgpack"]);
    while (this.#done < this.#options.requests) {
      const connection = await this.#open(random);
      if (connection === null) continue;
      if (random.chance(BAD)) await this.#bad(connection, source, random);
      else await this.#proper(connection, source, random);
      connection.destroy();
      if (this.#done - this.#looked > LOOK_EVERY) {
        this.#looked = this.#done;
        await this.#target.look(this.#findings);
      }
    }
  }

  async #open(random: Random): Promise<RawConnection | null> {
    const connection = await RawConnection.open(this.#target.daemon.port);
    const isBad = random.chance(0.02);
    const head =
      `GET /v1/stream HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`;
    connection.write(isBad ? mutateBytes(Buffer.from(head), Buffer.from(head), random) : Buffer.from(head));
    const answered = await connection.until(
      () => connection.responses.length > 0,
      isBad ? BAD_ANSWER_MS : ANSWER_MS,
    );
    if (answered && connection.responses[0]?.status === 101) return connection;
    const status = connection.responses[0]?.status;
    // A daemon that is asked too much sheds.
    if (!isBad && status !== 503) this.#findings.add("no upgrade", `${status ?? "nothing"}`, null);
    if (connection.nonsense !== null) this.#findings.add("no HTTP came back", connection.nonsense, null);
    connection.destroy();
    return null;
  }

  /** Many requests in flight on one connection. */
  async #proper(connection: RawConnection, source: BodySource, random: Random): Promise<void> {
    const sent = new Map<number, Sent>();
    const announced = { notices: 0 };
    for (let rounds = 1 + random.below(5); rounds > 0; rounds -= 1) {
      for (let messages = 1 + random.below(10); messages > 0; messages -= 1) {
        const { bytes } = this.#message(source, sent, random);
        await this.#send(connection, this.#wrapped(bytes, random), random);
      }
      const done = await connection.until(
        () => this.#take(connection, sent, announced, source) === 0,
        ANSWER_MS,
      );
      if (done && connection.nonsense === null) continue;
      const [left] = sent.values();
      const why =
        connection.nonsense ?? (connection.closed ? this.#closeReason(connection) : "no answer in time");
      this.#findings.add("a proper frame is not answered", why, left?.body ?? null);
      return;
    }
  }

  #closeReason({ frames }: RawConnection): string {
    const close = frames.find(({ opcode }) => opcode === CLOSE);
    return close === undefined
      ? "connection closed"
      : `closed: ${close.payload.subarray(2).toString("utf8")}`;
  }

  /** A message of one to a few frames; a request that is no `bin` only at its end. */
  #message(source: BodySource, sent: Map<number, Sent>, random: Random): { readonly bytes: Buffer } {
    const parts: Buffer[] = [];
    let length = 0;
    for (let left = 1 + random.below(8); left > 0; left -= 1) {
      const body = source.next();
      if (length + body.bytes.length > MAX_BODY) break;
      length += body.bytes.length + 16;
      const id = this.#done;
      this.#done += 1;
      const first = body.bytes[0] ?? 0xc4;
      const isBin = left > 1 || random.chance(0.5) || (first >= 0xc4 && first <= 0xc6);
      parts.push(Buffer.of(0x92), packedId(id, random), isBin ? bin(body.bytes, random) : body.bytes);
      sent.set(id, { body, isBin, at: Date.now() });
      if (!isBin) break;
    }
    return { bytes: Buffer.concat(parts) };
  }

  /** The message in one frame, or in fragments with control frames in between. */
  #wrapped(bytes: Buffer, random: Random): Buffer {
    if (random.chance(0.7)) return frame(BINARY, bytes, random);
    const frames: Buffer[] = [];
    let opcode = BINARY;
    for (let at = 0; ; opcode = CONTINUATION) {
      const size = Math.min(bytes.length - at, random.below(bytes.length + 1));
      const isLast = at + size >= bytes.length && random.chance(0.8);
      frames.push(frame(opcode, bytes.subarray(at, at + size), random, isLast ? 0x80 : 0));
      at += size;
      if (isLast) break;
      if (random.chance(0.3))
        frames.push(frame(random.pick([PING, PONG], PING), Buffer.alloc(random.below(126)), random));
    }
    return Buffer.concat(frames);
  }

  async #send(connection: RawConnection, bytes: Buffer, random: Random): Promise<void> {
    if (random.chance(0.8)) {
      connection.write(bytes);
      return;
    }
    for (let at = 0; at < bytes.length;) {
      const size = 1 + random.below(random.chance(0.5) ? 30 : bytes.length);
      connection.write(bytes.subarray(at, at + size));
      at += size;
      if (random.chance(0.3)) await turn();
    }
  }

  /** Judges what has come; how many requests are unanswered. */
  #take(
    connection: RawConnection,
    sent: Map<number, Sent>,
    announced: { notices: number },
    source: BodySource,
  ): number {
    for (const { opcode, payload } of connection.frames.splice(0)) {
      if (opcode === CLOSE) connection.frames.push({ opcode, payload, isFinal: true });
      if (opcode !== BINARY) continue;
      let answers: readonly unknown[] = [];
      try {
        answers = unpackMultiple(payload) as unknown[];
      } catch (error) {
        this.#findings.add("a malformed message", String(error), null);
      }
      for (const answer of answers) this.#answer(answer, sent, announced, source);
    }
    return sent.size;
  }

  #answer(
    answer: unknown,
    sent: Map<number, Sent>,
    announced: { notices: number },
    source: BodySource,
  ): void {
    const [id, response, note] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
    if (id === null) {
      announced.notices += 1;
      if (announced.notices > 1) this.#findings.add("two notices", JSON.stringify(answer), null);
      return;
    }
    const one = sent.get(Number(id));
    if (one === undefined) {
      this.#findings.add("an answer to nothing", JSON.stringify(answer).slice(0, 300), null);
      return;
    }
    sent.delete(Number(id));
    this.#answered += 1;
    const { body, isBin, at } = one;
    if (response === null) {
      const code = isErrorObject(note) ? (note as { code: number }).code : -1;
      this.#count(code === 3 ? 400 : code);
      if (code !== 3 && code !== 14) this.#findings.add(`error ${code}`, JSON.stringify(note), body);
      else if (code === 3 && this.#answered % this.#options.every === 0) this.#check.refused(body, "error");
      return;
    }
    this.#count(200);
    source.keep(body);
    if (isBin !== Buffer.isBuffer(response)) this.#findings.add("an answer of the wrong kind", "", body);
    const bytes = Buffer.isBuffer(response) ? response : pack(response);
    if (note !== undefined) this.#check.denied(body, bytes, "msgpack");
    else if (this.#answered % (mayAllow(bytes) ? this.#options.everyAllow : this.#options.every) === 0) {
      this.#check.decided(body, bytes, "msgpack", sentBetween(at, Date.now()), body.world.tokens);
    }
  }

  #count(status: number): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  /** Bytes that are no proper frames, or no frames of this stream. */
  async #bad(connection: RawConnection, source: BodySource, random: Random): Promise<void> {
    this.#improper += 1;
    this.#done += 1;
    const { bytes } = source.next();
    const good = Buffer.concat([Buffer.of(0x92, 1), bin(bytes, random)]);
    const noFrame = (): Buffer =>
      random.chance(0.5)
        ? mutateBytes(good, good, random)
        : Buffer.concat([
            Buffer.of(random.pick([0x90, 0x91, 0x92, 0x93, 0xdc, 0xdd, 0xc0], 0x90)),
            writeMsgpack(oddValue(random), 0, random),
            good,
          ]);
    const close = Buffer.from([
      random.below(256),
      random.below(256),
      ...(random.chance(0.5) ? [0xff, 0xfe] : []),
    ]);
    const choices: readonly (() => Buffer)[] = [
      () => frame(BINARY, noFrame(), random),
      () => frame(BINARY, noFrame(), random),
      () => frame(BINARY, Buffer.alloc(0), random),
      () => frame(TEXT, random.chance(0.5) ? Buffer.from("hello") : Buffer.from([0xff, 0xc0]), random),
      () => frame(3 + random.below(5), good, random),
      () => frame(11 + random.below(5), good, random),
      () => frame(BINARY, good, random, 0x80 | random.pick([0x40, 0x20, 0x10, 0x70], 0x40)),
      () => frame(BINARY, good, random, 0x80, false),
      () => frame(CONTINUATION, good, random),
      () => Buffer.concat([frame(BINARY, good, random, 0), frame(BINARY, good, random)]),
      () => frame(PING, Buffer.alloc(126 + random.below(200)), random),
      () => frame(PING, Buffer.alloc(10), random, 0),
      () => frame(CLOSE, random.chance(0.3) ? close.subarray(0, 1) : close, random),
      () => Buffer.concat([frame(CLOSE, Buffer.from([3, 0xe8]), random), frame(BINARY, good, random)]),
      () => Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4]),
      () => Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4]),
      () => frame(BINARY, good, random).subarray(0, random.below(good.length)),
      () => mutateBytes(frame(BINARY, good, random), good, random),
      () => Buffer.from(`POST /api/check/resources HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}`),
      () => Buffer.concat(Array.from({ length: 300 }, () => frame(PING, Buffer.alloc(100), random))),
    ];
    for (let left = 1 + random.below(3); left > 0; left -= 1) {
      await this.#send(connection, random.pick(choices, () => Buffer.alloc(0))(), random);
    }
    await connection.until(() => false, BAD_ANSWER_MS);
    if (connection.nonsense !== null) this.#findings.add("no frames came back", connection.nonsense, null);
    for (const { opcode, payload } of connection.frames) {
      if (opcode !== BINARY) continue;
      try {
        unpackMultiple(payload);
      } catch (error) {
        this.#findings.add("a malformed message", String(error), null);
      }
    }
  }

  counts(): TransportCounts {
    const { compared, allowed } = this.#check;
    return { statuses: this.#statuses, compared, allowed, improper: this.#improper };
  }
}
