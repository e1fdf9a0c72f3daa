/**
 * Preformatted HTTP/1.1 requests, so that a load generator only copies bytes. The file format is read by
 * generator.ts and by post-bodies.lua: for each request a u32 length (little-endian) and the bytes.
 */
import { writeFileSync } from "node:fs";

/** Media types of the two encodings. */
export const MEDIA_TYPES = { json: "application/json", msgpack: "application/msgpack" } as const;
export type Encoding = keyof typeof MEDIA_TYPES;

export const CHECK_PATH = "/api/check/resources";

/** One request: head and body in one buffer, keep-alive by HTTP/1.1 default. */
export function formatRequest(body: Uint8Array, encoding: Encoding, path = CHECK_PATH): Buffer {
  const type = MEDIA_TYPES[encoding];
  const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nAccept: ${type}\r\nContent-Length: ${body.byteLength}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), body]);
}

/** Writes requests as one length-prefixed file. */
export function writeRequestFile(path: string, requests: readonly Buffer[]): void {
  const parts: Buffer[] = [];
  for (const request of requests) {
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(request.byteLength);
    parts.push(prefix, request);
  }
  writeFileSync(path, Buffer.concat(parts));
}

/** The requests of such a file. */
export function splitRequestFile(bytes: Buffer): Buffer[] {
  const requests: Buffer[] = [];
  let offset = 0;
  while (offset + 4 <= bytes.byteLength) {
    const length = bytes.readUInt32LE(offset);
    requests.push(bytes.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return requests;
}
