/** The generator's WebSocket messages are what RFC 6455 says: a server has to get the payload back. */
import { describe, expect, it } from "vitest";

import { headLength, maskedMessage, payloadLength } from "../../../bench/load/web-socket-frames.ts";

/** Undoes the masking, as a server does (RFC 6455 section 5.3). */
function unmask(message: Buffer): Buffer {
  const head = headLength(message, 0);
  const mask = message.subarray(head, head + 4);
  return Buffer.from(message.subarray(head + 4).map((byte, index) => byte ^ (mask[index & 3] ?? 0)));
}

describe("masked messages", () => {
  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_001])("carry %d bytes", (length) => {
    const payload = Buffer.from(Uint8Array.from({ length }, (_, index) => index * 7));
    const message = maskedMessage(payload);
    expect(message[0]).toBe(0x82);
    expect((message[1] ?? 0) & 0x80).toBe(0x80);
    expect(payloadLength(message, 0)).toBe(length);
    expect(unmask(message).equals(payload)).toBe(true);
  });
});
