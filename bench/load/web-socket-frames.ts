/**
 * The least of WebSocket (RFC 6455) that a load generator needs: the upgrade request, a masked binary message made once and
 * sent many times, and where the messages in a received chunk begin. No fragments, no extensions.
 */
import { randomBytes } from "node:crypto";

/** The request that opens a WebSocket; its answer ends with an empty line. */
export function upgradeRequest(path: string): Buffer {
  const key = randomBytes(16).toString("base64");
  return Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    "latin1",
  );
}

const FINAL_BINARY = 0x82;
const MASKED = 0x80;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** A binary message as a client sends it, masked. */
export function maskedMessage(payload: Uint8Array): Buffer {
  const { byteLength } = payload;
  const width = byteLength < LENGTH_16 ? 0 : byteLength < 0x1_0000 ? 2 : 8;
  const head = Buffer.alloc(2 + width);
  head[0] = FINAL_BINARY;
  head[1] = MASKED | (width === 0 ? byteLength : width === 2 ? LENGTH_16 : LENGTH_64);
  if (width === 2) head.writeUInt16BE(byteLength, 2);
  if (width === 8) head.writeBigUInt64BE(BigInt(byteLength), 2);
  const mask = randomBytes(4);
  const masked = payload.map((byte, index) => byte ^ (mask[index & 3] ?? 0));
  return Buffer.concat([head, mask, masked]);
}

/** Most bytes of the head of a message from a server. */
export const MOST_HEAD = 10;

/** Length of the head of an unmasked message whose first bytes are at `at`. */
export function headLength(bytes: Uint8Array, at: number): number {
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  return short === LENGTH_16 ? 4 : short === LENGTH_64 ? 10 : 2;
}

/** Length of the payload behind a complete head at `at`. */
export function payloadLength(bytes: Buffer, at: number): number {
  const short = (bytes[at + 1] ?? 0) & 0x7f;
  if (short === LENGTH_16) return bytes.readUInt16BE(at + 2);
  // Above 2^32 is not received.
  return short === LENGTH_64 ? bytes.readUInt32BE(at + 6) : short;
}

/** Whether the message at `at` is a whole binary one; others are control messages. */
export function isBinary(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === FINAL_BINARY;
}
