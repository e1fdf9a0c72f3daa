/** Requests that are no proper HTTP: wrong framing, odd request lines and headers, smuggling, damaged bytes. */
import type { Random } from "../differential/random.ts";
import type { Body } from "./bodies.ts";
import { mutateBytes } from "./mutate-bytes.ts";

const PATH = "/api/check/resources";

const LINES: readonly string[] = [
  `GET ${PATH} HTTP/1.1`,
  `HEAD ${PATH} HTTP/1.1`,
  `PUT ${PATH} HTTP/1.1`,
  `OPTIONS ${PATH} HTTP/1.1`,
  `POST ${PATH} HTTP/1.0`,
  `POST ${PATH} HTTP/2.0`,
  `POST ${PATH} HTTP/1.9`,
  `POST ${PATH}`,
  `post ${PATH} HTTP/1.1`,
  `POST  ${PATH} HTTP/1.1`,
  `POST\t${PATH}\tHTTP/1.1`,
  `POST http://x${PATH} HTTP/1.1`,
  `POST ${PATH}?a=%00&b=%zz HTTP/1.1`,
  `POST /api//check/../check/resources HTTP/1.1`,
  `POST /%61pi/check/resources HTTP/1.1`,
  "POST * HTTP/1.1",
  "CONNECT x:1 HTTP/1.1",
  "TRACE / HTTP/1.1",
  `POST ${PATH} HTTP/1.1 x`,
  `\u0000POST ${PATH} HTTP/1.1`,
  `P\u0000ST ${PATH} HTTP/1.1`,
  "GET /healthz HTTP/1.1",
  "GET /_cerbos/health?service=%FF%00 HTTP/1.1",
  "HEAD /readyz HTTP/1.1",
  "GET /api/server_info HTTP/1.1",
  "GET /v1/stream HTTP/1.1",
  `GET /${"a".repeat(3000)} HTTP/1.1`,
  `GET /${"a/".repeat(10_000)} HTTP/1.1`,
  "PRI * HTTP/2.0",
  "",
  " ",
  "{}",
];

const HEADERS: readonly string[] = [
  "Content-Length: 5\r\nContent-Length: 50",
  "Content-Length: -1",
  "Content-Length: +5",
  "Content-Length: 0x10",
  "Content-Length: 5, 5",
  "Content-Length: 99999999999999999999",
  "Content-Length: 18446744073709551616",
  "Content-Length: 4294967296",
  "Content-Length:",
  "Content-Length: 1e3",
  "Content-Length : 5",
  " Content-Length: 5",
  "Transfer-Encoding: chunked\r\nContent-Length: 5",
  "Transfer-Encoding: chunked, identity",
  "Transfer-Encoding: xchunked",
  "Transfer-Encoding : chunked",
  "Transfer-Encoding: \u000bchunked",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "X: a\r\n b",
  "X: a\nY: b",
  "X\u0000: a",
  "X: \u0000",
  ": a",
  "X",
  "Host: a\r\nHost: b",
  "Host:",
  "Expect: 100-continue",
  "Expect: nothing",
  "Connection: close",
  "Connection: Upgrade\r\nUpgrade: websocket",
  "Connection: Upgrade\r\nUpgrade: h2c",
  "Content-Encoding: gzip",
  "Content-Type: \u00ff",
  `X: ${"a".repeat(4000)}`,
  `X: ${"a".repeat(20_000)}`,
  "Origin: null",
  "Origin: https://x\u0001y",
  `Origin: ${"o".repeat(3000)}`,
  "Accept: \u0000",
  "Access-Control-Request-Method: POST",
  "Sec-WebSocket-Key: x\r\nUpgrade: websocket\r\nConnection: upgrade",
  Array.from({ length: 120 }, (_, index) => `X${index}: ${index}`).join("\r\n"),
];

const CHUNKS: readonly string[] = [
  "5\r\nabc",
  "5\r\nabcdefgh\r\n0\r\n\r\n",
  "FFFFFFFFFFFFFFFF\r\nab",
  "-1\r\n\r\n",
  "zz\r\n",
  "5;a=b\r\nabcde\r\n0\r\n\r\n",
  "0\r\nX: y\r\n\r\n",
  "00000000000000000005\r\nabcde\r\n0\r\n\r\n",
  "5\nabcde\n0\n\n",
  "5 \r\nabcde\r\n0\r\n\r\n",
  "\r\n\r\n",
  "100000000\r\n",
  "7fffffff\r\nx",
  "5\r\nabcde0\r\n\r\n",
  `${"1".repeat(100)}\r\n`,
  `5;${"a".repeat(5000)}\r\nabcde\r\n0\r\n\r\n`,
];

export interface BadRequest {
  readonly bytes: Buffer;
  readonly isHead: boolean;
}

/** One bad request, or several in a row. */
export function badHttp(body: Body, random: Random): BadRequest {
  const type = body.format === "json" ? "application/json" : "application/msgpack";
  const good = Buffer.concat([
    Buffer.from(
      `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${body.bytes.length}\r\n\r\n`,
    ),
    body.bytes,
  ]);
  const head = (line: string, header: string): Buffer =>
    Buffer.from(`${line}\r\nHost: x\r\nContent-Type: ${type}\r\n${header}\r\n\r\n`, "latin1");
  const post = `POST ${PATH} HTTP/1.1`;
  switch (random.below(8)) {
    case 0: {
      const line = random.pick(LINES, "");
      const bytes = Buffer.concat([head(line, `Content-Length: ${body.bytes.length}`), body.bytes]);
      return { bytes, isHead: line.startsWith("HEAD") };
    }
    case 1:
      return {
        bytes: Buffer.concat([head(post, random.pick(HEADERS, "")), body.bytes, good]),
        isHead: false,
      };
    case 2:
      return {
        bytes: Buffer.concat([
          head(post, "Transfer-Encoding: chunked"),
          Buffer.from(random.pick(CHUNKS, "")),
          good,
        ]),
        isHead: false,
      };
    case 3: {
      // The length lies: less than there is, so that the rest looks like a request, or more.
      const length = random.chance(0.5)
        ? random.below(body.bytes.length + 1)
        : body.bytes.length + 1 + random.below(1000);
      return {
        bytes: Buffer.concat([head(post, `Content-Length: ${length}`), body.bytes, good]),
        isHead: false,
      };
    }
    case 4:
      return { bytes: good.subarray(0, random.below(good.length)), isHead: false };
    case 5:
      return { bytes: body.bytes, isHead: false };
    default:
      return { bytes: mutateBytes(good, good, random), isHead: false };
  }
}
