/**
 * Fuzzes a daemon over HTTP. Most requests are proper HTTP with mutated bodies, pipelined, in chunks or in pieces, and their
 * answers are held against the oracle; the others are improper HTTP, which must be answered with an error or not at all.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { Format } from "../../runtime/index.ts";
import { Random } from "../differential/random.ts";
import { type Body, BodySource } from "./bodies.ts";
import { AnswerCheck, mayAllow } from "./check-answer.ts";
import { type DaemonUnderTest, MAX_BODY } from "./daemon-under-test.ts";
import type { Findings } from "./findings.ts";
import { isProperError, limitsOf, sentBetween } from "./transport-checks.ts";
import { badHttp } from "./bad-http.ts";
import { RawConnection, type RawResponse } from "./raw-connection.ts";

export interface TransportOptions {
  readonly requests: number;
  readonly seed: number;
  readonly every: number;
  readonly everyAllow: number;
}

export interface TransportCounts {
  readonly statuses: ReadonlyMap<number, number>;
  readonly compared: number;
  readonly allowed: number;
  /** Requests or messages that were no proper HTTP or no proper frames. */
  readonly improper: number;
}

const CONNECTIONS = 16;
/** A worker that has just been started, on a busy machine, may take long; the daemon gives up after half of this. */
const ANSWER_MS = 60_000;
/** How long an answer to bad HTTP is waited for; none may come. */
const BAD_ANSWER_MS = 30;
const LOOK_EVERY = 500;
/** Share of the connections with improper HTTP; the others carry many requests each. */
const BAD = 0.5;

const JSON_TYPES = [
  "application/json",
  "application/json; charset=utf-8",
  "text/plain",
  "APPLICATION/JSON",
  "application/cbor",
];
const PACK_TYPES = [
  "application/msgpack",
  "application/x-msgpack",
  "application/vnd.msgpack",
  "Application/MsgPack; q=1",
];

/** Bytes pipelined at most, so that they arrive in one segment. */
const PIPELINED = 30_000;
/** The request line ends before this byte. */
const LINE_END = 50;

/**
 * Whether a request must not be cut at this byte: uWebSockets.js (this build of it) answers 505 to one whose request line
 * comes in two segments, and never answers one with `Content-Length: 0` whose head does.
 */
function isWhole(request: Buffer | undefined, at: number): boolean {
  if (request === undefined || at <= 0 || at >= request.length) return false;
  return at < LINE_END || request.includes("Content-Length: 0\r\n");
}

interface Sent {
  readonly body: Body;
  readonly output: Format;
  readonly at: number;
}

/** Runs; findings are added to `findings`. */
export async function fuzzHttp(
  target: DaemonUnderTest,
  options: TransportOptions,
  findings: Findings,
): Promise<TransportCounts> {
  const run = new HttpRun(target, options, findings);
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => run.work(index)));
  await target.look(findings);
  return run.counts();
}

class HttpRun {
  readonly #target: DaemonUnderTest;
  readonly #options: TransportOptions;
  readonly #findings: Findings;
  readonly #check: AnswerCheck;
  readonly #statuses = new Map<number, number>();
  /** Tokens that are verified, and workers, leave a request open, and uWebSockets.js closes a connection that goes on meanwhile. */
  readonly #mayPipeline: boolean;
  /** Whether pipelining has cost a connection, which it may once (runtime/http/turn.ts). */
  #hasLost = false;
  #done = 0;
  #answered = 0;
  #improper = 0;
  #looked = 0;

  constructor(target: DaemonUnderTest, options: TransportOptions, findings: Findings) {
    this.#target = target;
    this.#options = options;
    this.#findings = findings;
    this.#check = new AnswerCheck(findings, limitsOf(target.world));
    this.#mayPipeline = !target.world.tokens && !target.world.batches;
  }

  /** One connection after the other until enough has been sent. */
  async work(index: number): Promise<void> {
    const random = new Random(this.#options.seed * 31 + index);
    const source = new BodySource([this.#target.world], this.#options.seed * 31 + index);
    while (this.#done < this.#options.requests) {
      if (random.chance(BAD)) await this.#bad(source, random);
      else await this.#proper(source, random);
      if (this.#done - this.#looked > LOOK_EVERY) {
        this.#looked = this.#done;
        await this.#target.look(this.#findings);
      }
    }
  }

  /** Proper requests on one connection. */
  async #proper(source: BodySource, random: Random): Promise<void> {
    const connection = await RawConnection.open(this.#target.daemon.port);
    for (let rounds = 1 + random.below(6); rounds > 0 && !connection.closed; rounds -= 1) {
      const count = this.#mayPipeline && random.chance(0.7) ? 1 + random.below(16) : 1;
      const sent: Sent[] = [];
      const before = connection.responses.length;
      const parts: Buffer[] = [];
      let length = 0;
      for (let left = count; left > 0 && length < PIPELINED; left -= 1) {
        const request = this.#request(source.next(), sent, random);
        length += request.length;
        parts.push(request);
      }
      this.#done += parts.length;
      await this.#send(connection, parts, random);
      const complete = await connection.until(
        () => connection.responses.length >= before + parts.length,
        ANSWER_MS,
      );
      for (const [index, one] of sent.entries()) {
        const response = connection.responses[before + index];
        if (response !== undefined) this.#judge(one, response, source);
      }
      if (complete && connection.nonsense === null) continue;
      // A daemon that sheds may end the connection.
      if (connection.closed && connection.responses.at(-1)?.status === 503) break;
      if (connection.closed && parts.length > 1 && !this.#hasLost) {
        this.#hasLost = true;
        break;
      }
      const missing = sent[connection.responses.length - before];
      const why = connection.nonsense ?? (connection.closed ? "connection closed" : "no answer in time");
      this.#findings.add("a proper request is not answered", why, missing?.body ?? null);
      break;
    }
    connection.destroy();
  }

  #request(body: Body, sent: Sent[], random: Random): Buffer {
    const { bytes, format } = body;
    const output = random.chance(0.7) ? format : format === "json" ? "msgpack" : "json";
    const types = format === "json" ? JSON_TYPES : PACK_TYPES;
    const type = random.chance(0.8) ? (types[0] ?? "") : random.pick(types, "");
    const accept =
      output === format && random.chance(0.5)
        ? ""
        : `Accept: ${output === "json" ? "application/json" : "application/msgpack"}\r\n`;
    const head = `POST /api/check/resources HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n${accept}`;
    sent.push({ body, output, at: Date.now() });
    if (!random.chance(0.2))
      return Buffer.concat([Buffer.from(`${head}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
    const chunks: Buffer[] = [Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`)];
    for (let at = 0; at < bytes.length;) {
      const size = Math.min(bytes.length - at, 1 + random.below(random.chance(0.5) ? 10 : 5000));
      const digits = random.chance(0.5) ? size.toString(16) : size.toString(16).toUpperCase();
      chunks.push(Buffer.from(`${digits}\r\n`), bytes.subarray(at, at + size), Buffer.from("\r\n"));
      at += size;
    }
    return Buffer.concat([...chunks, Buffer.from("0\r\n\r\n")]);
  }

  /** Requests at once, or in pieces with time in between; see `isWhole` for where none is cut. */
  async #send(connection: RawConnection, requests: readonly Buffer[], random: Random): Promise<void> {
    const bytes = Buffer.concat(requests);
    if (random.chance(0.7)) {
      connection.write(bytes);
      return;
    }
    const starts = requests.map((_, index) =>
      requests.slice(0, index).reduce((sum, { length }) => sum + length, 0),
    );
    for (let at = 0; at < bytes.length;) {
      let end = Math.min(bytes.length, at + 1 + random.below(random.chance(0.5) ? 40 : bytes.length));
      while (end < bytes.length && starts.some((start, index) => isWhole(requests[index], end - start)))
        end += 1;
      connection.write(bytes.subarray(at, end));
      at = end;
      if (random.chance(0.5)) await turn();
    }
  }

  #judge({ body, output, at }: Sent, response: RawResponse, source: BodySource): void {
    const { status } = response;
    this.#answered += 1;
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
    if (status === 200) this.#decided(body, output, at, response, source);
    else if (status === 400) {
      if (!isProperError(response))
        this.#findings.add("a bad error", response.body.toString("utf8").slice(0, 300), body);
      if (this.#answered % this.#options.every === 0) this.#check.refused(body, "400");
    } else if (status === 413) {
      if (body.bytes.length <= MAX_BODY) this.#findings.add("413 for a small body", "", body);
    } else if (status !== 503)
      this.#findings.add(`status ${status}`, response.body.toString("utf8").slice(0, 300), body);
  }

  #decided(
    body: Body,
    output: Format,
    at: number,
    { headers, body: answer }: RawResponse,
    source: BodySource,
  ): void {
    source.keep(body);
    const wantedType = output === "json" ? "application/json" : "application/msgpack";
    if (headers.get("content-type") !== wantedType) {
      this.#findings.add("the wrong content type", headers.get("content-type") ?? "", body);
      return;
    }
    if (headers.has("edict-deny-reason")) this.#check.denied(body, answer, output);
    else if (this.#answered % (mayAllow(answer) ? this.#options.everyAllow : this.#options.every) === 0) {
      this.#check.decided(body, answer, output, sentBetween(at, Date.now()), body.world.tokens);
    }
  }

  /** Improper HTTP: what comes back must be errors, if anything. */
  async #bad(source: BodySource, random: Random): Promise<void> {
    const connection = await RawConnection.open(this.#target.daemon.port);
    const { bytes, isHead } = badHttp(source.next(), random);
    connection.expectsHead = isHead;
    this.#done += 1;
    this.#improper += 1;
    connection.write(bytes);
    await connection.until(() => false, BAD_ANSWER_MS);
    if (connection.nonsense !== null) this.#findings.add("no HTTP came back", connection.nonsense, null);
    for (const { status, body } of connection.responses) {
      this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
      if (status >= 500 && status !== 501 && status !== 503 && status !== 505) {
        this.#findings.add(
          `status ${status} for bad HTTP`,
          `${bytes.subarray(0, 300).toString("latin1")} -> ${body.toString()}`,
          null,
        );
      }
    }
    connection.destroy();
  }

  counts(): TransportCounts {
    const { compared, allowed } = this.#check;
    return { statuses: this.#statuses, compared, allowed, improper: this.#improper };
  }
}
