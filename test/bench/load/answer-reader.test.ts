/** Answers are found however the network cuts them. */
import { describe, expect, it } from "vitest";

import { AnswerReader } from "../../../bench/load/answer-reader.ts";

const answer = (status: string, body: string): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const STREAM = Buffer.from(
  answer("200 OK", "first") + answer("503 Service Unavailable", "") + answer("200 OK", "\r\n\r\nthird"),
);

function readIn(chunkSize: number): [boolean, number][] {
  const found: [boolean, number][] = [];
  const reader = new AnswerReader((ok, length) => found.push([ok, length]));
  // One buffer for all chunks, as `onread` of a socket has it.
  const shared = Buffer.alloc(chunkSize);
  for (let at = 0; at < STREAM.byteLength; at += chunkSize) {
    const copied = STREAM.copy(shared, 0, at, at + chunkSize);
    reader.read(shared.subarray(0, copied));
  }
  return found;
}

describe("the answer reader", () => {
  it.each([1, 2, 7, 60, 1000])("finds three answers in chunks of %d bytes", (size) => {
    expect(readIn(size)).toEqual([
      [true, 5],
      [false, 0],
      [true, 9],
    ]);
  });
});
